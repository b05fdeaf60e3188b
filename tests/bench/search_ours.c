/*
 * Our searchers on vectors in memory, through lib/search: `search_ours BASE QUERIES TRUTH SEARCHER THREADS [N [build-only options]]`
 * prints a line of CSV for every setting: engine,set,n,dim,threads,setting,recall@10,queries/s,build s,MB.
 */
#include "search/search.h"

#include "bench/npy.h"

#include <math.h>
#include <time.h>

typedef struct table {
	const float *rows;
	size_t n, dim;
} table;

static int table_scan(void *ctx, int (*each)(void *, const int64_t *, const float *, size_t), void *user, imgsearch_error *err)
{
	const table *t = ctx;
	int64_t ids[1024];
	(void)err;
	for (size_t at = 0; at < t->n; at += 1024) {
		size_t n = t->n - at < 1024 ? t->n - at : 1024;
		for (size_t i = 0; i < n; i++)
			ids[i] = (int64_t)(at + i);
		int rc = each(user, ids, t->rows + at * t->dim, n);
		if (rc)
			return rc;
	}
	return 0;
}

static int table_fetch(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found, imgsearch_error *err)
{
	const table *t = ctx;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		found[i] = ids[i] >= 0 && (size_t)ids[i] < t->n;
		if (found[i])
			memcpy(out + i * t->dim, t->rows + (size_t)ids[i] * t->dim, t->dim * sizeof(float));
	}
	return 0;
}

static double recall(const int64_t *truth, size_t columns, const topk *t)
{
	size_t hit = 0;
	for (size_t i = 0; i < t->n; i++)
		for (size_t j = 0; j < 10 && j < columns; j++)
			hit += truth[j] == t->item[i].id;
	return (double)hit / 10;
}

enum { K = 10 };

/* Chunks in a file: for each its number, size, bytes. Kept between runs where $STATE names a file. */
static int file_put(void *ctx, uint32_t number, const void *data, size_t size, imgsearch_error *err)
{
	uint64_t head[2] = { number, size };
	(void)err;
	return fwrite(head, sizeof(head), 1, ctx) == 1 && fwrite(data, size, 1, ctx) == 1 ? 0 : IMGSEARCH_EIO;
}

typedef struct chunks {
	const uint8_t *at[1 << 16];
	size_t size[1 << 16];
} chunks;

static int memory_get(void *ctx, uint32_t number, buf *out, imgsearch_error *err)
{
	const chunks *c = ctx;
	(void)err;
	ims_buf_put(out, c->at[number], c->size[number]);
	return 0;
}

static search_index *load(const char *path, const char *name, const row_source *rows)
{
	static chunks c;
	buf file = { 0 };
	search_index *x;
	imgsearch_error err;
	uint32_t n = 0;
	if (ims_read_file(&file, path, UINT64_MAX, &err))
		return NULL;
	for (size_t at = 0; at + 16 <= file.len;) {
		uint64_t head[2];
		memcpy(head, file.data + at, 16);
		c.at[head[0]] = file.data + at + 16;
		c.size[head[0]] = head[1];
		at += 16 + head[1];
		n++;
	}
	chunk_source source = { &c, n, memory_get };
	double start = ims_now();
	if (ims_search_load(&x, name, rows, &source, &err)) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	fprintf(stderr, "loaded in %.3f s\n", ims_now() - start);
	ims_buf_free(&file);
	return x;
}

/* CPU seconds of the process with one thread, so that other processes disturb less; else wall seconds. */
static double seconds(const pool *pool)
{
	struct timespec t;
	if (pool)
		return ims_now();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void measure(search_index *x, const char *label, const char *set, npy queries, npy truth, const table *t, const search_params *params, size_t at_once,
	pool *pool, double build_s)
{
	size_t n = queries.rows;
	topk *out = ims_zalloc(n, sizeof(*out));
	imgsearch_error err;
	search_report report;
	double best = INFINITY, found = 0, checked = 0;
	for (size_t i = 0; i < n; i++)
		ims_topk_init(&out[i], K);
	for (int round = 0; round < 3; round++) {
		double start = seconds(pool);
		checked = 0;
		for (size_t i = 0; i < n; i += at_once) {
			search_request q = { .queries = (const float *)queries.data + i * t->dim, .n = n - i < at_once ? n - i : at_once, .k = K,
				.max_distance = INFINITY, .filter_count = SIZE_MAX, .params = *params, .pool = pool };
			if (ims_search_query(x, &q, out + i, &report, &err)) {
				fprintf(stderr, "%s\n", err.message);
				exit(1);
			}
			checked += (double)report.rows_checked;
		}
		double took = seconds(pool) - start;
		best = took < best ? took : best;
		if (took > 5)
			break;
	}
	for (size_t i = 0; i < n; i++)
		found += recall((const int64_t *)truth.data + i * truth.columns, truth.columns, &out[i]);
	printf("%s,%s,%zu,%zu,%u,%s,%.4f,%.0f,%.1f,%.0f,%.1f\n", ims_search_name(x), set, t->n, t->dim, pool ? ims_pool_threads(pool) + 1 : 1, label,
		found / (double)n, (double)n / best, build_s, (double)ims_search_memory(x) / 1e6, checked / (double)n);
	fflush(stdout);
	for (size_t i = 0; i < n; i++)
		ims_topk_free(&out[i]);
	ims_free(out);
}

int main(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr, "usage: search_ours BASE.npy QUERIES.npy,... TRUTH.npy,... SEARCHER THREADS N [ef,ef,...] [build threads]\n");
		return 2;
	}
	npy base = npy_open(argv[1]);
	unsigned threads = (unsigned)atoi(argv[5]);
	size_t n = strtoull(argv[6], NULL, 10);
	table t = { base.data, n && n < base.rows ? n : base.rows, base.columns };
	row_source rows = { .ctx = &t, .n = t.n, .dim = (uint32_t)t.dim, .metric = IMGSEARCH_L2, .scan = table_scan, .fetch = table_fetch };
	imgsearch_error err;
	pool *pool = NULL;
	if (threads > 1 && ims_pool_new(&pool, threads - 1, 64, &err))
		return 1;
	search_index *x;
	double build_s = 0;
	job job = { .pool = pool };
	search_params build = { 0 };
	if (getenv("BEAM"))
		build.beam = (uint32_t)atoi(getenv("BEAM"));
	if (getenv("DEGREE"))
		build.degree = (uint32_t)atoi(getenv("DEGREE"));
	double start = seconds(pool);
	const char *state = getenv("STATE");
	if (state && (x = load(state, argv[4], &rows)))
		goto ask;
	if (ims_search_build(&x, argv[4], &rows, &build, &job, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	build_s = seconds(pool) - start;
	if (state) {
		chunk_sink sink = { fopen(state, "wb"), file_put };
		ims_search_save(x, &sink, &err);
		fclose(sink.ctx);
	}
ask:;
	char *query_name = argv[2], *truth_name = argv[3], *save_q, *save_t;
	const char *efs = argc > 7 ? argv[7] : "10,16,24,32,48,64,96,128,200,300,500";
	for (query_name = strtok_r(query_name, ",", &save_q), truth_name = strtok_r(truth_name, ",", &save_t); query_name && truth_name;
		query_name = strtok_r(NULL, ",", &save_q), truth_name = strtok_r(NULL, ",", &save_t)) {
		npy queries = npy_open(query_name), truth = npy_open(truth_name);
		const char *set = strstr(query_name, "out") ? "out" : "in";
		search_params ask = { 0 };
		if (strcmp(argv[4], "graph")) {
			measure(x, "1 by 1", set, queries, truth, &t, &ask, 1, pool, build_s);
			measure(x, "batch 64", set, queries, truth, &t, &ask, 64, pool, build_s);
			continue;
		}
		double wanted[] = { 0.9, 0.95, 0.99, 0.999 };
		for (size_t i = 0; i < 4; i++) {
			char label[32];
			ask = (search_params){ .recall = wanted[i] };
			snprintf(label, sizeof(label), "recall %g", wanted[i]);
			measure(x, label, set, queries, truth, &t, &ask, 1, pool, build_s);
		}
		for (const char *e = efs; e; e = strchr(e, ',') ? strchr(e, ',') + 1 : NULL) {
			char label[32];
			ask = (search_params){ .ef = (uint32_t)atoi(e) };
			snprintf(label, sizeof(label), "ef %u", ask.ef);
			measure(x, label, set, queries, truth, &t, &ask, threads > 1 ? 64 : 1, pool, build_s);
		}
	}
	ims_search_free(x);
	ims_pool_free(pool);
	return 0;
}

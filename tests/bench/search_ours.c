/*
 * Our searchers on vectors in memory, through lib/search:
 *	search_ours build BASE.npy N SEARCHER THREADS STATE builds, keeps STATE and STATE.txt (CPU
 *	seconds, threads)
 *	search_ours ask BASE.npy N SEARCHER THREADS STATE QUERIES.npy,.. TRUTH.npy,.. loads it; a line
 *	of CSV for every setting:
 * engine,queries,n,dim,threads,setting,recall@10,queries/s,build CPU s,MB,full rows read a
 * query,queries asked. SEARCHER may be scan. For building, $BEAM and $DEGREE; for the graph, $EF is
 * a list of widths; $SECONDS for each figure (3).
 */
#include "search/search.h"

#include "bench/npy.h"

#include <math.h>
#include <time.h>

typedef struct table {
	const float *rows;
	size_t n, dim;
} table;

static int table_scan(void *ctx, int (*each)(void *, const int64_t *, const float *, size_t),
	void *user, imgsearch_error *err)
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

static int table_fetch(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found,
	imgsearch_error *err)
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
static double enough = 3; /* seconds for one figure */

/* Chunks in a file: for each its number, size, bytes. */
static int file_put(void *ctx, uint32_t number, const void *data, size_t size, imgsearch_error *err)
{
	uint64_t head[2] = { number, size };
	return fwrite(head, sizeof(head), 1, ctx) == 1 && fwrite(data, 1, size, ctx) == size
		? 0
		: ims_fail(err, IMGSEARCH_EIO, "the state cannot be written");
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

static void need(int rc, const imgsearch_error *err)
{
	if (!rc)
		return;
	fprintf(stderr, "search_ours: %s\n", err->message);
	exit(1);
}

static search_index *load(const char *path, const char *name, const row_source *rows)
{
	static chunks c;
	static chunk_source source = { &c, 0, memory_get };
	static buf file; /* what the searcher goes on reading */
	search_index *x;
	imgsearch_error err;
	need(ims_read_file(&file, path, UINT64_MAX, &err), &err);
	for (size_t at = 0; at + 16 <= file.len; source.chunks++) {
		uint64_t head[2];
		memcpy(head, file.data + at, 16);
		c.at[head[0]] = file.data + at + 16;
		c.size[head[0]] = head[1];
		at += 16 + head[1];
	}
	need(ims_search_load(&x, name, rows, &source, &err), &err);
	return x;
}

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/*
 * CPU seconds of the process with one thread, so that other processes disturb less; else wall
 * seconds.
 */
static double seconds(const pool *pool)
{
	return pool ? ims_now() : cpu_seconds();
}

typedef struct asking {
	search_index *x; /* NULL: the scan */
	const row_source *rows;
	search_params params;
	size_t at_once;
	pool *pool;
	npy queries, truth;
	topk *out;
	double began;
	atomic_size_t answered, read;
} asking;

static void ask_some(void *arg, size_t i, unsigned worker)
{
	asking *a = arg;
	imgsearch_error err;
	search_report report;
	size_t first = i * a->at_once, left = a->queries.rows - first;
	(void)worker;
	if (ims_now() - a->began > enough)
		return;
	search_request q = {
		.queries = (const float *)a->queries.data + first * a->rows->dim,
		.n = left < a->at_once ? left : a->at_once,
		.k = K,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX,
		.params = a->params,
		.pool = a->at_once > 1 ? a->pool : NULL,
	};
	need(a->x ? ims_search_query(a->x, &q, a->out + first, &report, &err)
			  : ims_search_scan(a->rows, &q, a->out + first, &report, &err),
		&err);
	atomic_fetch_add(&a->answered, q.n);
	atomic_fetch_add(&a->read, report.rows_checked);
}

/* Rounds over the queries until there was time enough, and no further; the best round counts. */
static void measure(asking *a, const char *label, const char *set, double built)
{
	size_t n = a->queries.rows, asked = 0, done = 0, batches = (n + a->at_once - 1) / a->at_once;
	double best = INFINITY, found = 0, read = 0, spent = 0;
	a->out = ims_zalloc(n, sizeof(*a->out));
	for (size_t i = 0; i < n; i++)
		ims_topk_init(&a->out[i], K);
	for (int round = 0; round < 3 && spent < enough; round++) {
		double start = seconds(a->pool);
		a->began = ims_now();
		a->answered = a->read = 0;
		if (a->at_once == 1)
			ims_parallel(a->pool, batches, ask_some, a);
		else
			for (size_t i = 0; i < batches; i++)
				ask_some(a, i, 0);
		double each = (seconds(a->pool) - start) / (double)a->answered;
		spent += ims_now() - a->began;
		if (each < best) {
			best = each;
			done = a->answered;
			read = (double)a->read / (double)done;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (a->out[i].n) {
			found += recall((const int64_t *)a->truth.data + i * a->truth.columns, a->truth.columns,
				&a->out[i]);
			asked++;
		}
	printf("%s,%s,%zu,%u,%u,%s,%.4f,%.1f,%.1f,%.0f,%.1f,%zu\n",
		a->x ? ims_search_name(a->x) : "scan", set, a->rows->n, a->rows->dim,
		a->pool ? ims_pool_threads(a->pool) : 1, label, found / (double)asked, 1 / best, built,
		(a->x ? (double)ims_search_memory(a->x) : 4.0 * a->rows->dim * (double)a->rows->n) / 1e6,
		read, done);
	fflush(stdout);
	for (size_t i = 0; i < n; i++)
		ims_topk_free(&a->out[i]);
	ims_free(a->out);
}

static void measure_graph(asking *a, const char *set, double built)
{
	const double wanted[] = { 0.9, 0.95, 0.99, 0.999 };
	char label[32];
	for (size_t i = 0; i < 4; i++) {
		a->params = (search_params){ .recall = wanted[i] };
		snprintf(label, sizeof(label), "recall %g", wanted[i]);
		measure(a, label, set, built);
	}
	const char *efs = getenv("EF") ? getenv("EF") : "10,16,24,32,48,64,96,128,200,300,500";
	for (const char *e = efs; e; e = strchr(e, ',') ? strchr(e, ',') + 1 : NULL) {
		a->params = (search_params){ .ef = (uint32_t)atoi(e) };
		snprintf(label, sizeof(label), "ef %u", a->params.ef);
		measure(a, label, set, built);
	}
}

static void ask(search_index *x, const row_source *rows, pool *pool, char *query_names,
	char *truth_names, double built)
{
	char *q_left, *t_left, *q = strtok_r(query_names, ",", &q_left),
						   *t = strtok_r(truth_names, ",", &t_left);
	for (; q && t; q = strtok_r(NULL, ",", &q_left), t = strtok_r(NULL, ",", &t_left)) {
		asking a = { .x = x,
			.rows = rows,
			.at_once = 1,
			.pool = pool,
			.queries = npy_open(q),
			.truth = npy_open(t) };
		const char *set = strstr(q, "out") ? "out" : "in";
		if (x && !strcmp(ims_search_name(x), "graph")) {
			measure_graph(&a, set, built);
			continue;
		}
		measure(&a, "1 by 1", set, built);
		a.at_once = 64;
		measure(&a, "batch 64", set, built);
	}
}

static void build(const row_source *rows, const char *name, const char *state, unsigned threads,
	pool *pool)
{
	search_index *x;
	imgsearch_error err;
	char path[4096];
	job job = { .pool = pool };
	search_params p = { 0 };
	if (getenv("BEAM"))
		p.beam = (uint32_t)atoi(getenv("BEAM"));
	if (getenv("DEGREE"))
		p.degree = (uint32_t)atoi(getenv("DEGREE"));
	double start = cpu_seconds();
	need(ims_search_build(&x, name, rows, &p, &job, &err), &err);
	double took = cpu_seconds() - start;
	chunk_sink sink = { fopen(state, "wb"), file_put };
	snprintf(path, sizeof(path), "%s.txt", state);
	FILE *note = fopen(path, "w");
	if (!sink.ctx || !note) {
		perror(state);
		exit(1);
	}
	need(ims_search_save(x, &sink, &err), &err);
	fprintf(note, "%.2f %u\n", took, threads);
	fclose(sink.ctx);
	fclose(note);
	ims_search_free(x);
}

int main(int argc, char **argv)
{
	bool asks = argc == 9 && !strcmp(argv[1], "ask"), scan = argc > 4 && !strcmp(argv[4], "scan");
	if (!asks && (argc != 7 || strcmp(argv[1], "build"))) {
		fprintf(stderr,
			"usage: search_ours build|ask BASE.npy N SEARCHER THREADS STATE [QUERIES.npy,... "
			"TRUTH.npy,...]\n");
		return 2;
	}
	if (getenv("SECONDS"))
		enough = atof(getenv("SECONDS"));
	npy base = npy_open(argv[2]);
	size_t n = strtoull(argv[3], NULL, 10);
	unsigned threads = (unsigned)atoi(argv[5]);
	table t = { base.data, n && n < base.rows ? n : base.rows, base.columns };
	row_source rows = { .ctx = &t,
		.n = t.n,
		.dim = (uint32_t)t.dim,
		.metric = IMGSEARCH_METRIC_L2,
		.scan = table_scan,
		.fetch = table_fetch };
	imgsearch_error err;
	pool *pool = NULL;
	if (threads > 1)
		need(ims_pool_new(&pool, threads, 64, &err), &err);
	if (!asks && !scan) {
		build(&rows, argv[4], argv[6], threads, pool);
	} else if (asks) {
		search_index *x = scan ? NULL : load(argv[6], argv[4], &rows);
		char path[4096];
		double built = 0;
		snprintf(path, sizeof(path), "%s.txt", argv[6]);
		FILE *note = fopen(path, "r");
		if (note && fscanf(note, "%lf", &built) != 1)
			built = 0;
		if (note)
			fclose(note);
		ask(x, &rows, pool, argv[7], argv[8], built);
		ims_search_free(x);
	}
	ims_pool_free(pool);
	return 0;
}

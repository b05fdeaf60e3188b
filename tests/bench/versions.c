/*
 * What a version of the library costs, through its public header, which may be that of 0.1:
 *	versions add DB          a new index of ROWS vectors, a thousand a call
 *	versions single DB       the same, SINGLE vectors, one a call
 *	versions build DB NAME   the searcher NAME over them, on one thread
 *	versions query DB NAME   QUERIES queries by vector, one a call, on one thread
 *	versions batch DB NAME   the same in one call
 * Writes the CPU time in seconds, user and system, of the calls themselves.
 */
#include <imgsearch.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
	ROWS = 100000,
	SINGLE = 500,
	QUERIES = 2000,
	DIM = 256,
	LATENT = 24,
	AT_ONCE = 1000,
	K = 10
};

#if IMGSEARCH_VERSION_MINOR < 2
#define OPEN(path, o, s, err) imgsearch_open(s, path, o, err)
#define ADD(s, rows, n, err) imgsearch_index_vectors(s, rows, n, DIM, NULL, err)
#define BUILD(s, o, err) imgsearch_build(s, o, NULL, err)
#define QUERY(s, in, o, hits, err) imgsearch_query(s, in, 1, o, hits, err)
#define BATCH(s, rows, n, o, ids, err) imgsearch_query_vectors(s, rows, n, DIM, o, ids, NULL, err)
#define METRIC_L2 IMGSEARCH_L2
#define imgsearch_input_vector imgsearch_vector
#else
#define OPEN(path, o, s, err) imgsearch_open(path, o, NULL, s, err)
#define ADD(s, rows, n, err) imgsearch_vectors_add(s, rows, n, DIM, NULL, NULL, NULL, err)
#define BUILD(s, o, err) imgsearch_build(s, o, NULL, NULL, err)
#define QUERY(s, in, o, hits, err) imgsearch_query(s, in, 1, o, NULL, hits, err)
#define BATCH(s, rows, n, o, ids, err) \
	imgsearch_vectors_query(s, rows, n, DIM, o, NULL, ids, NULL, (n)*K, err)
#define METRIC_L2 IMGSEARCH_METRIC_L2
#endif

static imgsearch_error err;

static void must(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "versions: %s\n", err.message);
	exit(1);
}

static double cpu_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec)
		+ (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static float uniform(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (float)(*seed >> 40) / (1 << 23) - 1;
}

/* Rows near a subspace of LATENT dimensions, as features lie. Queries are further such rows. */
static float *make_rows(size_t n, uint64_t seed)
{
	static float axes[LATENT][DIM];
	uint64_t fixed = 1;
	float *rows = malloc(n * DIM * sizeof *rows);
	for (size_t i = 0; i < LATENT * DIM; i++)
		axes[i / DIM][i % DIM] = uniform(&fixed) / (float)(1 + i / DIM);
	for (size_t i = 0; i < n * DIM; i++)
		rows[i] = 0.05f * uniform(&seed);
	for (size_t i = 0; i < n; i++)
		for (size_t a = 0; a < LATENT; a++) {
			float part = uniform(&seed);
			for (size_t j = 0; j < DIM; j++)
				rows[i * DIM + j] += part * axes[a][j];
		}
	return rows;
}

static imgsearch *open_index(const char *path)
{
	imgsearch *s;
	imgsearch_options o = { .struct_size = sizeof o, .dim = DIM, .metric = METRIC_L2 };
	o.threads = 1;
	must(OPEN(path, &o, &s, &err));
	return s;
}

static void add(imgsearch *s, const float *rows, size_t n, size_t at_once)
{
	for (size_t i = 0; i < n; i += at_once)
		must(ADD(s, rows + i * DIM, at_once, &err));
}

static void build(imgsearch *s, const char *name)
{
	imgsearch_build_options o = { .struct_size = sizeof o, .searcher = name };
	must(BUILD(s, &o, &err));
}

static void query(imgsearch *s, const float *rows, size_t n, const imgsearch_query_options *o)
{
	for (size_t i = 0; i < n; i++) {
		imgsearch_hits *hits;
		imgsearch_input in = imgsearch_input_vector(rows + i * DIM, DIM);
		must(QUERY(s, &in, o, &hits, &err));
		imgsearch_hits_free(hits);
	}
}

static void batch(imgsearch *s, const float *rows, size_t n, const imgsearch_query_options *o)
{
	static int64_t ids[QUERIES * K];
	must(BATCH(s, rows, n, o, ids, &err));
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	const char *what = argv[1], *name = argc > 3 ? argv[3] : NULL;
	bool asks = !strcmp(what, "query") || !strcmp(what, "batch");
	float *rows = make_rows(asks ? QUERIES : ROWS, asks ? 3 : 2);
	imgsearch *s = open_index(argv[2]);
	imgsearch_query_options o = { .struct_size = sizeof o, .k = K, .searcher = name, .threads = 1 };
	if (asks)
		query(s, rows, 1, &o); /* loads the searcher */
	double start = cpu_seconds();
	if (!strcmp(what, "add"))
		add(s, rows, ROWS, AT_ONCE);
	else if (!strcmp(what, "single"))
		add(s, rows, SINGLE, 1);
	else if (!strcmp(what, "build"))
		build(s, name);
	else if (!strcmp(what, "query"))
		query(s, rows, QUERIES, &o);
	else
		batch(s, rows, QUERIES, &o);
	printf("%.4f\n", cpu_seconds() - start);
	imgsearch_close(s);
	free(rows);
	return 0;
}

/*
 * exact where its bounds exclude little, against the plain scan, one query at a time on one thread:
 * uniform random rows, queries far from all of them, duplicates by the thousand, k up to n. Prints
 * CSV: case,n,dim,k,scan ms,exact ms,times.
 */
#include "search/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QUERIES = 5, ROUNDS = 5, NUMBERS = 32000000 /* of all rows */ };

typedef struct table {
	float *rows, *queries;
	size_t n, dim;
	row_source source;
} table;

static int table_scan(void *ctx, int (*each)(void *, const int64_t *, const float *, size_t),
	void *user, imgsearch_error *err)
{
	const table *t = ctx;
	int rc = 0;
	(void)err;
	for (size_t at = 0; !rc && at < t->n; at += 256) {
		int64_t ids[256];
		for (size_t i = 0; i < 256; i++)
			ids[i] = (int64_t)(at + i);
		rc = each(user, ids, t->rows + at * t->dim, t->n - at < 256 ? t->n - at : 256);
	}
	return rc;
}

static int table_fetch(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found,
	imgsearch_error *err)
{
	const table *t = ctx;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		found[i] = 1;
		memcpy(out + i * t->dim, t->rows + (size_t)ids[i] * t->dim, t->dim * sizeof(float));
	}
	return 0;
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int rc, const imgsearch_error *err)
{
	if (rc) {
		fprintf(stderr, "%s\n", err->message);
		exit(1);
	}
}

/* In turn, the best of all rounds. */
static void measure(const char *what, const table *t, search_index *x, size_t k)
{
	double scan = INFINITY, exact = INFINITY;
	imgsearch_error err;
	search_report report;
	topk out;
	must(ims_topk_init(&out, k), &err);
	for (int round = 0; round < ROUNDS * QUERIES; round++) {
		search_request q = { .queries = t->queries + (size_t)(round % QUERIES) * t->dim,
			.n = 1,
			.k = k,
			.max_distance = INFINITY,
			.filter_count = SIZE_MAX };
		double start = seconds();
		must(ims_search_scan(&t->source, &q, &out, &report, &err), &err);
		double middle = seconds();
		must(ims_search_query(x, &q, &out, &report, &err), &err);
		scan = fmin(scan, middle - start);
		exact = fmin(exact, seconds() - middle);
	}
	printf("%s,%zu,%zu,%zu,%.2f,%.2f,%.2f\n", what, t->n, t->dim, k, scan * 1e3, exact * 1e3,
		scan / exact);
	fflush(stdout);
	ims_topk_free(&out);
}

static void random_numbers(float *out, size_t n, uint64_t *seed)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (float)(ims_random(seed) >> 40) * 0x1p-24f;
}

static search_index *built(const table *t)
{
	search_index *x;
	imgsearch_error err;
	search_params p = { 0 };
	must(ims_search_build(&x, "exact", &t->source, &p, NULL, &err), &err);
	return x;
}

static void run(size_t dim)
{
	uint64_t seed = 1;
	table t = { .n = NUMBERS / dim, .dim = dim };
	t.rows = ims_alloc_aligned(t.n * dim, sizeof(float));
	t.queries = ims_alloc_aligned(QUERIES * dim, sizeof(float));
	t.source = (row_source){ .ctx = &t,
		.n = t.n,
		.dim = (uint32_t)dim,
		.metric = IMGSEARCH_METRIC_L2,
		.scan = table_scan,
		.fetch = table_fetch };
	random_numbers(t.rows, t.n * dim, &seed);
	random_numbers(t.queries, QUERIES * dim, &seed);
	search_index *x = built(&t);
	measure("uniform", &t, x, 10);
	measure("uniform", &t, x, t.n / 10);
	measure("uniform", &t, x, t.n);
	for (size_t i = 0; i < QUERIES * dim; i++)
		t.queries[i] += 100;
	measure("far from all", &t, x, 10);
	ims_search_free(x);
	for (size_t i = 1; i < t.n / 2; i++)
		memcpy(t.rows + i * dim, t.rows, dim * sizeof(float));
	for (size_t i = 0; i < QUERIES; i++)
		memcpy(t.queries + i * dim, t.rows, dim * sizeof(float));
	x = built(&t);
	measure("half are duplicates", &t, x, 10);
	measure("half are duplicates", &t, x, 1000);
	ims_search_free(x);
	ims_free(t.rows);
	ims_free(t.queries);
}

int main(void)
{
	puts("case,n,dim,k,scan ms,exact ms,times");
	for (size_t dim = 128; dim <= 2048; dim *= 4)
		run(dim);
	return 0;
}

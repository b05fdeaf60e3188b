/*
 * imgsearch query --vectors: uses rows of an array file as queries, in batches that share the pass
 * over memory. Ids and distances go to array files; otherwise each row is answered like a picture.
 * --stats writes times and memory.
 */
#include "cli/query.h"

#include "cli/array/array_writer.h"
#include "cli/base/clock.h"
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/context/interrupt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

typedef struct batch {
	const array *queries;
	array_writer ids, distances;
	uint32_t metric;
	size_t k;
	float *rows, *scores; /* of one batch */
	int64_t *found;
	double load_s, search_s;
} batch;

/*
 * Converts scores to distances: Euclidean ones, also for cosine between unit vectors; minus the
 * product for ip.
 */
static void to_distances(uint32_t metric, float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = metric == IMGSEARCH_METRIC_COSINE ? sqrtf(fmaxf(0, 2 - 2 * v[i])) : -v[i];
}

static int search(context *c, const query_args *a, batch *b, size_t first, size_t n)
{
	imgsearch_error err;
	array_rows(b->queries, first, n, b->rows);
	double start = clock_seconds();
	if (imgsearch_vectors_query(c->s, b->rows, n, b->queries->dim, &a->options, &c->call, b->found,
			b->scores, n * b->k, &err))
		return context_error(c, &err);
	b->search_s += clock_seconds() - start;
	if (a->ids && !array_writer_add(&b->ids, b->found, n))
		return CLI_FAILED;
	if (a->distances) {
		to_distances(b->metric, b->scores, n * b->k);
		if (!array_writer_add(&b->distances, b->scores, n))
			return CLI_FAILED;
	}
	return CLI_DONE;
}

static int search_all(context *c, const query_args *a, batch *b)
{
	size_t n = b->queries->n;
	int rc = CLI_DONE;
	for (size_t first = 0; first < n && rc == CLI_DONE; first += a->batch) {
		if (interrupt_pending())
			return CLI_INTERRUPTED;
		rc = search(c, a, b, first, n - first < a->batch ? n - first : a->batch);
	}
	return rc;
}

static void print_stats(const batch *b)
{
	struct rusage use;
	json_writer j;
	getrusage(RUSAGE_SELF, &use);
	json_write_begin(&j, stdout);
	json_write_int(&j, "queries", (int64_t)b->queries->n);
	json_write_seconds(&j, "load_s", b->load_s);
	json_write_seconds(&j, "search_s", b->search_s);
	json_write_real(&j, "rss_mb", (double)use.ru_maxrss / 1024);
	json_write_end(&j);
}

/* The first query loads the searcher. It runs here, so that --stats counts its time as loading. */
static int load(context *c, const query_args *a, batch *b)
{
	double start = clock_seconds();
	imgsearch_error err;
	if (!b->queries->n)
		return CLI_DONE;
	array_rows(b->queries, 0, 1, b->rows);
	if (imgsearch_vectors_query(c->s, b->rows, 1, b->queries->dim, &a->options, &c->call, b->found,
			b->scores, b->k, &err))
		return context_error(c, &err);
	b->load_s += clock_seconds() - start;
	return CLI_DONE;
}

static int run_batches(context *c, query_args *a, batch *b)
{
	int rc = a->stats ? load(c, a, b) : CLI_DONE;
	if (rc == CLI_DONE && a->ids && !array_writer_open(&b->ids, a->ids, ARRAY_I64, b->k, 2))
		rc = CLI_FAILED;
	if (rc == CLI_DONE && a->distances
		&& !array_writer_open(&b->distances, a->distances, ARRAY_F32, b->k, 2))
		rc = CLI_FAILED;
	if (rc == CLI_DONE)
		rc = search_all(c, a, b);
	if (b->ids.file && !array_writer_close(&b->ids, rc == CLI_DONE) && rc == CLI_DONE)
		rc = CLI_FAILED;
	if (b->distances.file && !array_writer_close(&b->distances, rc == CLI_DONE) && rc == CLI_DONE)
		rc = CLI_FAILED;
	if (rc == CLI_DONE && a->stats)
		print_stats(b);
	return rc;
}

/* Answers each row like a picture: "==> FILE:ROW <==", or a JSON line. */
static int run_rows(context *c, const query_args *a, const array *queries, float *row)
{
	char name[4200];
	size_t found = 0;
	for (size_t i = 0; i < queries->n && !interrupt_pending() && !ferror(stdout); i++) {
		imgsearch_hits *hits;
		imgsearch_error err;
		array_rows(queries, i, 1, row);
		imgsearch_input in = imgsearch_input_vector(row, queries->dim);
		if (imgsearch_query(c->s, &in, 1, &a->options, &c->call, &hits, &err))
			return context_error(c, &err);
		snprintf(name, sizeof name, "%s:%zu", a->vectors, i);
		query_show(c, a, name, NULL, NULL, hits);
		found += hits->count;
		imgsearch_hits_free(hits);
	}
	return found ? CLI_DONE : CLI_NOTHING;
}

static int answer(context *c, query_args *a, const array *queries)
{
	imgsearch_info *info;
	imgsearch_error err;
	double start = clock_seconds();
	if (imgsearch_info_get(c->s, &c->call, &info, &err))
		return context_error(c, &err);
	batch b = { .queries = queries, .metric = info->metric, .k = a->options.k };
	size_t room = a->batch < queries->n ? a->batch : queries->n + 1;
	int rc = CLI_DONE;
	if (info->dim && info->dim != queries->dim)
		rc = cli_fail("%s: its rows have %zu values, those of the index %u", a->vectors,
			queries->dim, info->dim);
	imgsearch_info_free(info);
	if (rc)
		return rc;
	b.rows = calloc(room, 4 * queries->dim);
	b.scores = calloc(room, 4 * b.k);
	b.found = calloc(room, 8 * b.k);
	b.load_s = clock_seconds() - start;
	if (!b.rows || !b.scores || !b.found)
		rc = cli_nomem();
	else if (a->ids || a->distances || a->stats)
		rc = run_batches(c, a, &b);
	else
		rc = run_rows(c, a, queries, b.rows);
	free(b.rows);
	free(b.scores);
	free(b.found);
	return rc;
}

int query_vectors(context *c, query_args *a)
{
	array queries;
	if (!array_open(&queries, a->vectors))
		return CLI_FAILED;
	int rc = queries.type == ARRAY_I64
		? cli_fail("%s: vectors must be float32 or float16, not integers", a->vectors)
		: answer(c, a, &queries);
	array_close(&queries);
	return rc;
}

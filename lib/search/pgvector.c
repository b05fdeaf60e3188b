/*
 * pgvector: the index of the server that the rows lie on. Its state here is small: what building
 * has measured of the index, so that a query can be as wide as its recall asks for.
 *
 * Recall is measured over two kinds of queries, as the graph's (search/graph/tune.c): stored rows,
 * their own left out, and points half way between a row and the nearest of a sample of rows. With
 * one in 900 of the rows in the sample, points are as hard as pictures of which nothing is indexed;
 * with more they are easier. The truth is a scan here, which many queries share.
 */
#include "search/internal.h"
#include "search/kept.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	QUERIES = 256,    /* of each kind, at most */
	FEW_ROWS = 50000, /* below, half as many queries do, and cost half */
	FAR = 900,        /* one in so many rows is in the sample */
	SAMPLE_MIN = 20,
	SAMPLE_MAX = 350,
	K = 10,
	WIDTHS = 13,
	VERSION = 1,
};

static const uint32_t widths[WIDTHS] = { 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 400, 640,
	1000 };

typedef struct pgvector {
	searcher base;
	float recall[WIDTHS][2]; /* of stored rows, of points; below 0: not measured */
	uint32_t measured;       /* widths */
} pgvector;

static pgvector *new_pgvector(const row_source *rows, imgsearch_error *err)
{
	pgvector *s = ims_zalloc(1, sizeof *s);
	if (!s)
		ims_nomem(err);
	else
		s->base = (searcher){ &ims_search_pgvector, rows };
	return s;
}

/* ------------------------------------------------------------------------------ measuring ---- */

typedef struct tuner {
	pgvector *s;
	const row_source *rows, *here; /* here: without what the server finds */
	float *drawn;                  /* (n_sample + 2 * n, dim): the sample, rows of the queries */
	float *query;                  /* (2 * n, dim) */
	size_t n_sample, n;
	topk *truth, *got; /* (2 * n) */
} tuner;

static const float *nearest_in_sample(const tuner *t, const float *row)
{
	const float *best = NULL;
	float least = INFINITY;
	for (size_t i = 0; i < t->n_sample; i++) {
		const float *other = t->drawn + i * t->rows->dim;
		float d = ims_search_distance(t->rows->metric, row, other, t->rows->dim);
		if (d < least) {
			least = d;
			best = other;
		}
	}
	return best;
}

static void make_point(const tuner *t, const float *row, float *out)
{
	const float *other = nearest_in_sample(t, row);
	double squares = 0;
	for (uint32_t j = 0; j < t->rows->dim; j++) {
		out[j] = other ? (row[j] + other[j]) / 2 : row[j];
		squares += (double)out[j] * out[j];
	}
	for (uint32_t j = 0;
		 squares > 0 && t->rows->metric == IMGSEARCH_METRIC_COSINE && j < t->rows->dim; j++)
		out[j] = (float)(out[j] / sqrt(squares));
}

/* In an order by chance: the even choice of rows is in order of id. */
static void shuffle(float *rows, size_t n, size_t dim)
{
	uint64_t seed = 7;
	for (size_t i = n; i > 1; i--) {
		float *a = rows + (i - 1) * dim, *b = rows + ims_random(&seed) % i * dim;
		for (size_t j = 0; j < dim; j++) {
			float was = a[j];
			a[j] = b[j];
			b[j] = was;
		}
	}
}

/* Draws the sample and the rows of the queries; of few rows there are fewer queries, or none. */
static int draw(tuner *t, const job *job, imgsearch_error *err)
{
	size_t n, dim = t->rows->dim, sample = t->rows->n / FAR;
	sample = sample < SAMPLE_MIN ? SAMPLE_MIN : sample > SAMPLE_MAX ? SAMPLE_MAX : sample;
	size_t room = sample + 2 * (t->rows->n < FEW_ROWS ? QUERIES / 2 : QUERIES);
	t->drawn = ims_alloc_aligned(room, dim * sizeof(float));
	int rc = t->drawn ? ims_search_sample(t->here, room, t->drawn, &n, job, err) : ims_nomem(err);
	if (rc)
		return rc;
	shuffle(t->drawn, n, dim);
	t->n_sample = sample < n ? sample : n;
	t->n = (n - t->n_sample) / 2;
	return 0;
}

static int tuner_init(tuner *t, const job *job, imgsearch_error *err)
{
	size_t dim = t->rows->dim;
	int rc = draw(t, job, err);
	t->query = ims_alloc_aligned(2 * t->n, dim * sizeof(float));
	t->truth = ims_zalloc(2 * t->n, sizeof *t->truth);
	t->got = ims_zalloc(2 * t->n, sizeof *t->got);
	if (!rc && (!t->query || !t->truth || !t->got))
		rc = ims_nomem(err);
	for (size_t i = 0; !rc && i < 2 * t->n; i++)
		if (ims_topk_init(&t->truth[i], K + 1) || ims_topk_init(&t->got[i], K + 1))
			rc = ims_nomem(err);
	for (size_t i = 0; !rc && i < 2 * t->n; i++) {
		const float *row = t->drawn + (t->n_sample + i) * dim;
		if (i < t->n)
			memcpy(t->query + i * dim, row, dim * sizeof(float));
		else
			make_point(t, row, t->query + i * dim);
	}
	return rc;
}

static void tuner_free(tuner *t)
{
	for (size_t i = 0; i < 2 * t->n; i++) {
		if (t->truth)
			ims_topk_free(&t->truth[i]);
		if (t->got)
			ims_topk_free(&t->got[i]);
	}
	ims_free(t->drawn);
	ims_free(t->query);
	ims_free(t->truth);
	ims_free(t->got);
}

/* The share of the K nearest rows that was found, without the first `skip`. Distances decide. */
static double share_found(const topk *truth, const topk *got, size_t skip)
{
	size_t n = truth->n < K + skip ? truth->n : K + skip, hit = 0;
	if (n <= skip)
		return 1;
	float last = truth->item[n - 1].distance;
	for (size_t i = 0; i < got->n && i < n; i++)
		hit += got->item[i].distance <= last;
	hit = hit > skip ? hit - skip : 0;
	return (double)hit / (double)(n - skip);
}

static int try_width(tuner *t, size_t w, imgsearch_error *err)
{
	search_request q = {
		.queries = t->query,
		.n = 2 * t->n,
		.k = K + 1,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX,
	};
	search_report report;
	double sum[2] = { 0 };
	for (size_t i = 0; i < q.n; i++)
		ims_topk_clear(&t->got[i]);
	int rc = ims_near_index(t->rows, &q, widths[w], t->got, &report, err);
	for (size_t i = 0; !rc && i < q.n; i++) {
		ims_topk_sort(&t->got[i]);
		sum[i >= t->n] += share_found(&t->truth[i], &t->got[i], i < t->n);
	}
	for (int kind = 0; !rc && kind < 2; kind++)
		t->s->recall[w][kind] = (float)(sum[kind] / (double)t->n);
	return rc;
}

static int find_truth(tuner *t, job *job, imgsearch_error *err)
{
	search_report report;
	search_request q = {
		.queries = t->query,
		.n = 2 * t->n,
		.k = K + 1,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX,
		.pool = job ? job->pool : NULL,
		.stop = job ? &job->stop : NULL,
	};
	return ims_search_scan(t->here, &q, t->truth, &report, err);
}

/* Widths are measured until both kinds of queries find all but a thousandth. */
static int tune(pgvector *s, const row_source *rows, job *job, imgsearch_error *err)
{
	kept_rows kept;
	tuner t = { .s = s, .rows = rows, .here = &kept.source };
	int rc = ims_kept_read(&kept, rows, job, err);
	if (!rc)
		rc = tuner_init(&t, job, err);
	if (!rc && t.n)
		rc = find_truth(&t, job, err);
	ims_kept_free(&kept);
	for (size_t w = 0; !rc && t.n && w < WIDTHS; w++) {
		rc = try_width(&t, w, err);
		if (!rc)
			rc = ims_job_check(job, err);
		s->measured = (uint32_t)w + 1;
		if (fminf(s->recall[w][0], s->recall[w][1]) >= 0.999f)
			break;
	}
	tuner_free(&t);
	return rc;
}

/* --------------------------------------------------------------------- table of functions ---- */

static void pgvector_free(searcher *s)
{
	ims_free(s);
}

static int pgvector_build(searcher **out, const row_source *rows, const search_params *p, job *job,
	imgsearch_error *err)
{
	pgvector *s = new_pgvector(rows, err);
	if (!s)
		return IMGSEARCH_ENOMEM;
	int rc = rows->near_build(rows->ctx, true, p->degree, p->beam, job, err);
	if (!rc)
		rc = tune(s, rows, job, err);
	if (rc)
		ims_free(s);
	else
		*out = &s->base;
	return rc;
}

static int pgvector_save(const searcher *base, const chunk_sink *sink, imgsearch_error *err)
{
	const pgvector *s = (const pgvector *)base;
	buf b = { 0 };
	ims_buf_u32(&b, s->measured);
	for (uint32_t w = 0; w < s->measured; w++)
		for (int kind = 0; kind < 2; kind++)
			ims_buf_f32(&b, s->recall[w][kind]);
	int rc = b.failed ? ims_nomem(err) : sink->put(sink->ctx, 0, b.data, b.len, err);
	ims_buf_free(&b);
	return rc;
}

static int pgvector_load(searcher **out, const row_source *rows, const chunk_source *source,
	imgsearch_error *err)
{
	buf b = { 0 };
	pgvector *s = new_pgvector(rows, err);
	if (!s)
		return IMGSEARCH_ENOMEM;
	int rc = source->get(source->ctx, 0, &b, err);
	reader r = { .data = b.data, .len = b.len };
	if (!rc)
		s->measured = ims_read_u32(&r);
	if (!rc && (s->measured > WIDTHS || b.len != 4 + 8 * (size_t)s->measured))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "not the state of a pgvector searcher");
	for (uint32_t w = 0; !rc && w < s->measured; w++)
		for (int kind = 0; kind < 2; kind++)
			s->recall[w][kind] = ims_read_f32(&r);
	ims_buf_free(&b);
	if (rc)
		ims_free(s);
	else
		*out = &s->base;
	return rc;
}

/* The narrowest width that has the recall; that of ef where it is given. */
static uint32_t width_for(const pgvector *s, const search_request *q)
{
	enum { WIDEST = 1000 }; /* of pgvector */
	double wanted = q->params.recall > 0 ? q->params.recall : IMGSEARCH_RECALL_DEFAULT;
	uint32_t w = 0, ef = q->params.ef;
	while (w + 1 < s->measured && fminf(s->recall[w][0], s->recall[w][1]) < wanted)
		w++;
	ef = ef ? ef : widths[w];
	ef = ef < q->k ? (uint32_t)q->k : ef;
	return ef < WIDEST ? ef : WIDEST;
}

static int pgvector_query(const searcher *base, const search_request *q, topk *out,
	search_report *report, imgsearch_error *err)
{
	return ims_near_index(base->rows, q, width_for((const pgvector *)base, q), out, report, err);
}

static uint64_t pgvector_memory(const searcher *s)
{
	(void)s;
	return sizeof(pgvector);
}

static void pgvector_describe(const searcher *base, char *out, size_t size)
{
	const pgvector *s = (const pgvector *)base;
	int at = 0;
	for (uint32_t w = 0; w < s->measured && at >= 0 && (size_t)at < size; w++)
		at += ims_print(out + at, size - (size_t)at,
			w ? "; ef %u: %.3f and %.3f"
			  : "recall at ef %u: %.3f of stored pictures and %.3f between them",
			widths[w], s->recall[w][0], s->recall[w][1]);
}

const searcher_ops ims_search_pgvector = {
	.name = "pgvector",
	.version = VERSION,
	.approximate = true,
	.needs_near = true,
	.change_cost = 1,
	.build = pgvector_build,
	.save = pgvector_save,
	.load = pgvector_load,
	.query = pgvector_query,
	.memory = pgvector_memory,
	.describe = pgvector_describe,
	.free = pgvector_free,
};

/* Answers one query: combines its inputs into one vector and turns the results into hits. */
#include "query/query.h"

#include "handle/feature.h"
#include "base/result.h"
#include "handle/space.h"
#include "handle/view.h"
#include "query/answer.h"
#include "query/chance.h"
#include "query/improve.h"
#include "query/regions.h"
#include "query/search.h"

#include <math.h>
#include <string.h>

/*
 * The inputs' rows (n, dim) in the space of the query, and the stored rows that it is made of.
 * parts (n, dim): the rows for regions; or NULL.
 */
static int make_rows(imgsearch *s, query *q, const imgsearch_input *in, size_t n, float *rows,
	float *parts, imgsearch_error *err)
{
	size_t dim = q->space->dim;
	int64_t own;
	q->own = ims_alloc(n, sizeof *q->own);
	int rc = q->own ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		float *row = rows + i * dim;
		rc = ims_feature(s, q->job, &in[i], q->options.text_template, (uint32_t)dim, row, &own,
			err);
		if (!rc && own != NO_PICTURE && !(in[i].weight < 0))
			q->own[q->n_own++] = own;
		if (!rc)
			rc = ims_query_row(s, q, &in[i], i, row, err);
		if (!rc && parts)
			rc = ims_query_region_row(s, q, &in[i], i, own, row, parts + i * dim, err);
	}
	if (n == 1 && q->n_own)
		q->self = *q->own;
	return rc;
}

/*
 * What each row counts. The scores of a mixed query are sums of w (s - location) / spread over its
 * inputs, the latter two of the scores s of each alone: otherwise pictures outweigh texts, whose
 * scores lie close together. The locations change no order.
 */
static int make_weights(imgsearch *s, view *v, const query *q, const imgsearch_input *in, size_t n,
	const float *rows, float *weight, imgsearch_error *err)
{
	bool linear = q->space->metric != IMGSEARCH_METRIC_L2;
	for (size_t i = 0; i < n; i++)
		weight[i] = 1;
	int rc = q->kind == QUERY_MIXED && linear
		? ims_chance_spread(s, v, q->space, rows, n, q->job, weight, err)
		: 0;
	for (size_t i = 0; i < n; i++)
		weight[i] = (in[i].weight != 0 ? in[i].weight : 1) / weight[i];
	return rc;
}

/* The weighted sum of rows (n, dim) in the query's space, normalised again for cosine. */
static int sum(const space *sp, const imgsearch_input *in, size_t n, const float *rows,
	const float *weight, float *out, imgsearch_error *err)
{
	size_t dim = sp->dim;
	memset(out, 0, dim * sizeof *out);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < dim; k++)
			out[k] += weight[i] * rows[i * dim + k];
	if (n > 1 && !ims_space_accepts(sp, out))
		return ims_fail(err, IMGSEARCH_EINVAL, "the inputs cancel each other out");
	if ((n > 1 || (in->weight != 0 && in->weight != 1)) && sp->metric == IMGSEARCH_METRIC_COSINE)
		ims_space_normalise(out, 1, (uint32_t)dim);
	return 0;
}

/* The row of the query, out (dim), and that for regions, parts (dim); or NULL. */
static int combine(imgsearch *s, view *v, query *q, const imgsearch_input *in, size_t n, float *out,
	float *parts, imgsearch_error *err)
{
	size_t dim = q->space->dim;
	float *rows = ims_alloc_aligned(2 * n, dim * sizeof *rows), *of_parts = rows + n * dim;
	float *weight = ims_alloc(n, sizeof *weight);
	int rc = rows && weight ? make_rows(s, q, in, n, rows, parts ? of_parts : NULL, err)
							: ims_nomem(err);
	if (!rc)
		rc = make_weights(s, v, q, in, n, rows, weight, err);
	if (!rc)
		rc = sum(q->space, in, n, rows, weight, out, err);
	if (!rc && parts)
		rc = sum(q->space, in, n, of_parts, weight, parts, err);
	ims_free(rows);
	ims_free(weight);
	return rc;
}

static int run_query(imgsearch *s, view *v, const imgsearch_input *in, size_t n, query *q,
	imgsearch_hits **out, imgsearch_error *err)
{
	topk found = { 0 };
	query_report report = { 0 };
	double start = ims_now();
	float *vector = ims_alloc_aligned(v->space.dim, 2 * sizeof(float));
	q->region_rows = ims_query_has_regions(v, q) ? vector + v->space.dim : NULL;
	int rc = vector ? combine(s, v, q, in, n, vector, q->region_rows, err) : ims_nomem(err);
	q->request.n = 1;
	if (!rc && ims_topk_init(&found, ims_query_heap_room(q)))
		rc = ims_nomem(err);
	double extracted = ims_now();
	if (!rc)
		rc = ims_query_search(s, v, q, vector, &found, &report.search, &report.searcher, err);
	if (!rc)
		rc = ims_job_check(q->job, err);
	report.feature_seconds = extracted - start;
	report.search_seconds = ims_now() - extracted;
	if (!rc)
		rc = ims_answer_make(NULL, s, v, q, vector, &found, &report, out, err);
	ims_topk_free(&found);
	ims_free(vector);
	return rc;
}

typedef struct asked {
	imgsearch *s;
	const imgsearch_input *in;
	size_t n;
	const imgsearch_query_options *options;
	job *job;
	imgsearch_hits **out;
} asked;

static int query_in(void *arg, view *v, imgsearch_error *err)
{
	const asked *a = arg;
	query q;
	if (!v->space.dim)
		return ims_answer_empty(NULL, a->out, err);
	int rc = ims_query_make(&q, a->s, v, a->options, a->job, err);
	ims_query_settle(&q, v, a->in, a->n);
	if (!rc)
		rc = run_query(a->s, v, a->in, a->n, &q, a->out, err);
	ims_query_free(&q);
	return rc;
}

static void discard(void *arg)
{
	const asked *a = arg;
	imgsearch_hits_free(*a->out);
	*a->out = NULL;
}

int ims_query(imgsearch *s, const imgsearch_input *in, size_t n,
	const imgsearch_query_options *options, job *j, imgsearch_hits **out, imgsearch_error *err)
{
	asked a = { s, in, n, options, j, out };
	*out = NULL;
	const view_query query = { .model = options->model, .run = query_in, .discard = discard };
	return ims_view_query(s, &query, &a, err);
}

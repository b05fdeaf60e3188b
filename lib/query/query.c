/* Answers one query: combines its inputs into one vector and turns the results into hits. */
#include "query/query.h"

#include "handle/feature.h"
#include "base/result.h"
#include "handle/space.h"
#include "handle/view.h"
#include "query/answer.h"
#include "query/improve.h"
#include "query/search.h"

#include <math.h>
#include <string.h>

/* The weighted sum of the inputs' rows in the index's space, normalised again for cosine. */
static int combine(imgsearch *s, query *q, const imgsearch_input *in, size_t n, float *out,
	imgsearch_error *err)
{
	const space *sp = q->space;
	size_t dim = sp->dim;
	int64_t row;
	float *one = ims_alloc_aligned(dim, sizeof(float));
	q->own = ims_alloc(n, sizeof *q->own);
	int rc = one && q->own ? 0 : ims_nomem(err);
	memset(out, 0, dim * sizeof(float));
	for (size_t i = 0; !rc && i < n; i++) {
		float weight = in[i].weight != 0 ? in[i].weight : 1;
		rc = ims_feature(s, q->job, &in[i], (uint32_t)dim, one, &row, err);
		if (rc)
			break;
		if (row != NO_PICTURE && weight > 0)
			q->own[q->n_own++] = row;
		rc = ims_query_row(s, q, &in[i], i, one, err);
		for (size_t j = 0; j < dim; j++)
			out[j] += weight * one[j];
	}
	if (n == 1 && q->n_own)
		q->self = *q->own;
	if (!rc && n > 1 && !ims_space_accepts(sp, out))
		rc = ims_fail(err, IMGSEARCH_EINVAL, "the inputs cancel each other out");
	if (!rc && (n > 1 || (in->weight != 0 && in->weight != 1))
		&& sp->metric == IMGSEARCH_METRIC_COSINE)
		ims_space_normalise(out, 1, (uint32_t)dim);
	ims_free(one);
	return rc;
}

static int run_query(imgsearch *s, view *v, const imgsearch_input *in, size_t n, query *q,
	imgsearch_hits **out, imgsearch_error *err)
{
	topk found = { 0 };
	query_report report = { 0 };
	double start = ims_now();
	float *vector = ims_alloc_aligned(v->space.dim, sizeof(float));
	int rc = vector ? combine(s, q, in, n, vector, err) : ims_nomem(err);
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
	static const view_query query = { .run = query_in, .discard = discard };
	return ims_view_query(s, &query, &a, err);
}

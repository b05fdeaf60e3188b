/* Many queries by vector. */
#include "query/vectors.h"

#include "handle/space.h"
#include "handle/view.h"
#include "query/search.h"

#include <math.h>

static void put_results(const view *v, const topk *found, size_t n, size_t k, int64_t *ids,
	float *scores)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < k; j++) {
			bool there = j < found[i].n;
			ids[i * k + j] = there ? found[i].item[j].id : -1;
			if (scores)
				scores[i * k + j] = there ? ims_score(v->space.metric, found[i].item[j].distance)
										  : NAN;
		}
}

static int check_vectors(imgsearch *s, const view *v, const float *queries, size_t n, size_t dim,
	imgsearch_error *err)
{
	if (v->space.dim && dim != v->space.dim)
		return ims_view_refuse_dim(s, dim, v->space.dim, err);
	for (size_t i = 0; i < n * dim; i++)
		if (!isfinite(queries[i]))
			return ims_fail(err, IMGSEARCH_EINVAL, "query %zu has a value that is not finite",
				i / dim);
	space sp = { .metric = v->space.metric, .dim = (uint32_t)dim };
	return ims_space_check(&sp, queries, n, "query", 0, err);
}

/* Searches in steps, so that the heaps stay small for any n and k. */
static int run_vectors(imgsearch *s, view *v, query *q, const float *queries, size_t n, size_t k,
	int64_t *ids, float *scores, imgsearch_error *err)
{
	enum { STEP = 1024, ROOM = 1 << 20 }; /* queries in a step; neighbours in their heaps */
	size_t dim = v->space.dim, step = ROOM / ims_query_heap_room(q) + 1, heaps = 0;
	step = step < STEP ? step : STEP;
	step = step < n ? step : n;
	float *rows = ims_alloc_aligned(step, dim * sizeof(float));
	topk *found = ims_zalloc(step, sizeof *found);
	search_report report;
	const char *name;
	int rc = rows && found ? 0 : ims_nomem(err);
	for (; !rc && heaps < step; heaps++)
		if (ims_topk_init(&found[heaps], ims_query_heap_room(q)))
			rc = ims_nomem(err);
	for (size_t at = 0; !rc && at < n; at += step) {
		size_t now = n - at < step ? n - at : step;
		if (at)
			ims_store_snapshot_pause(s->store);
		for (size_t i = 0; i < now; i++)
			ims_space_apply(q->space, queries + (at + i) * dim, rows + i * dim);
		q->request.n = now;
		rc = ims_query_search(s, v, q, rows, found, &report, &name, err);
		if (!rc)
			put_results(v, found, now, k, ids + at * k, scores ? scores + at * k : NULL);
	}
	for (size_t i = 0; found && i < heaps; i++)
		ims_topk_free(&found[i]);
	ims_free(found);
	ims_free(rows);
	return rc;
}

typedef struct vectors_call {
	imgsearch *s;
	const float *queries;
	size_t n, dim;
	const imgsearch_query_options *options;
	job *job;
	int64_t *ids;
	float *scores;
} vectors_call;

static int query_in(void *arg, view *v, imgsearch_error *err)
{
	const vectors_call *a = arg;
	query q = { 0 };
	size_t k = a->options->k ? a->options->k : IMGSEARCH_K_DEFAULT;
	int rc = check_vectors(a->s, v, a->queries, a->n, a->dim, err);
	if (!rc)
		rc = ims_query_make(&q, a->s, v, a->options, a->job, err);
	if (!rc)
		rc = ims_query_threads(&q, err);
	if (!rc && a->n && v->space.dim)
		rc = run_vectors(a->s, v, &q, a->queries, a->n, k, a->ids, a->scores, err);
	for (size_t i = 0; !rc && !v->space.dim && i < a->n * k; i++) { /* an empty index */
		a->ids[i] = -1;
		if (a->scores)
			a->scores[i] = NAN;
	}
	ims_query_free(&q);
	return rc;
}

int ims_query_vectors(imgsearch *s, const float *queries, size_t n, size_t dim,
	const imgsearch_query_options *options, job *j, int64_t *ids, float *scores,
	imgsearch_error *err)
{
	vectors_call a = { s, queries, n, dim, options, j, ids, scores };
	const view_query query = { .model = options->model, .run = query_in };
	return ims_view_query(s, &query, &a, err);
}

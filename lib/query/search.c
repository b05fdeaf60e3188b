/*
 * One pass of the searcher, or two with expansion; then re-ranking. Where regions are searched, a
 * result takes part in both by the row of its best part.
 */
#include "query/search.h"

#include "base/ids.h"
#include "handle/feature.h"
#include "handle/space.h"
#include "handle/view.h"
#include "query/improve.h"
#include "query/nearest.h"
#include "query/regions.h"

#include <math.h>
#include <string.h>

/*
 * Removes rows from a result. The search asks for that many more results instead of using a filter,
 * which would rule out the fast paths of the searchers.
 */
static void drop(topk *t, const int64_t *ids, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < t->n; i++)
		if (!ims_id_among(ids, n, t->item[i].id))
			t->item[kept++] = t->item[i];
	t->n = kept;
}

static int search_once(imgsearch *s, view *v, const query *q, size_t k, topk *out,
	search_report *report, const char **name, imgsearch_error *err)
{
	search_request request = q->request;
	request.k = k;
	for (size_t i = 0; i < request.n; i++) { /* the heaps have room for ims_query_heap_room */
		ims_topk_clear(&out[i]);
		out[i].k = k;
	}
	int rc = ims_query_nearest(s, v, &v->wholes, q, &request, out, report, name, err);
	if (!rc && ims_query_has_regions(v, q))
		rc = ims_query_regions(s, v, q, &request, out, report, name, err);
	return rc;
}

/* Rows of the first n results, each of the part that matched, into rows (n, dim). */
static int fetch_parts(view *v, const query *q, const topk *found, size_t n, float *rows,
	uint8_t *there, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		const neighbour *x = &found->item[i];
		const row_source *source = ims_query_rows(v, q, x->part ? &v->regions : &v->wholes);
		int64_t id = x->part ? ims_region_row(x->id, x->part) : x->id;
		rc = source->fetch(source->ctx, &id, 1, rows + i * source->dim, &there[i], err);
	}
	return rc;
}

/*
 * Fetches the rows of the first *n results. Results whose row was removed leave the list, and *n is
 * reduced.
 */
static int fetch(view *v, const query *q, topk *found, size_t *n, float **rows,
	imgsearch_error *err)
{
	size_t most = found->n < *n ? found->n : *n, kept = 0, dim = q->space->dim;
	uint8_t *there = ims_alloc(most, 1);
	*rows = ims_alloc_aligned(most, dim * sizeof(float));
	int rc = there && *rows ? fetch_parts(v, q, found, most, *rows, there, err) : ims_nomem(err);
	*n = 0;
	for (size_t i = 0; !rc && i < found->n; i++) {
		if (i < most && !there[i])
			continue;
		if (i < most)
			memmove(*rows + (*n)++ * dim, *rows + i * dim, dim * sizeof **rows);
		found->item[kept++] = found->item[i];
	}
	if (!rc)
		found->n = kept;
	ims_free(there);
	return rc;
}

static int expand(view *v, const query *q, float *vector, topk *found, imgsearch_error *err)
{
	size_t n = q->improve.expand;
	float *rows = NULL, *score = ims_alloc(n, sizeof *score);
	drop(found, &q->self, 1);
	int rc = score ? fetch(v, q, found, &n, &rows, err) : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++)
		score[i] = ims_score(q->space->metric, found->item[i].distance);
	if (!rc)
		ims_improve_expand(&q->improve, q->space, vector, rows, score, n);
	ims_free(rows);
	ims_free(score);
	return rc;
}

/* Re-ranks the first results. The query itself stays first if it is among them. */
static int rerank(view *v, const query *q, const float *vector, topk *found, imgsearch_error *err)
{
	size_t n = RERANK_DEPTH, before = found->n;
	neighbour old[RERANK_DEPTH], own = { 0 };
	uint32_t order[RERANK_DEPTH];
	float *rows = NULL;
	for (size_t i = 0; i < before; i++)
		if (found->item[i].id == q->self)
			own = found->item[i];
	drop(found, &q->self, 1);
	bool self_found = found->n < before;
	int rc = fetch(v, q, found, &n, &rows, err);
	if (!rc)
		rc = ims_improve_rank(&q->improve, q->space, vector, rows, n, order, q->request.pool, err);
	if (!rc) {
		memcpy(old, found->item, n * sizeof *old);
		for (size_t i = 0; i < n; i++)
			found->item[i] = old[order[i]];
	}
	if (!rc && self_found) {
		memmove(found->item + 1, found->item, found->n * sizeof *found->item);
		found->item[0] = own;
		found->n++;
	}
	ims_free(rows);
	return rc;
}

/* How many results re-ranking needs. */
static size_t depth_of(const query *q)
{
	return q->improve.reciprocal && q->request.k < RERANK_DEPTH ? RERANK_DEPTH : q->request.k;
}

size_t ims_query_heap_room(const query *q)
{
	size_t depth = depth_of(q);
	return (depth < q->improve.expand ? q->improve.expand : depth) + q->n_own;
}

int ims_query_search(imgsearch *s, view *v, query *q, float *queries, topk *found,
	search_report *report, const char **name, imgsearch_error *err)
{
	size_t n = q->request.n, k = q->request.k, dim = q->space->dim;
	/* as many more results are asked for as may be dropped: `self` is one of `own` */
	size_t dropped = q->options.no_self || q->improve.reciprocal ? q->n_own : 0;
	float max_distance = q->request.max_distance;
	int rc = 0;
	q->request.queries = queries;
	if (q->improve.expand) {
		q->request.max_distance = INFINITY;
		rc = search_once(s, v, q, (size_t)q->improve.expand + (q->self != NO_PICTURE), found,
			report, name, err);
		for (size_t i = 0; !rc && i < n; i++)
			rc = expand(v, q, queries + i * dim, &found[i], err);
		q->request.max_distance = max_distance;
	}
	if (!rc)
		rc = search_once(s, v, q, depth_of(q) + dropped, found, report, name, err);
	for (size_t i = 0; !rc && i < n; i++) {
		if (q->options.no_self)
			drop(&found[i], q->own, q->n_own);
		if (q->improve.reciprocal)
			rc = rerank(v, q, queries + i * dim, &found[i], err);
		if (found[i].n > k)
			found[i].n = k;
	}
	return rc;
}

/* One pass of the searcher, or two with expansion; then re-ranking. */
#include "query/search.h"

#include "base/ids.h"
#include "handle/feature.h"
#include "handle/space.h"
#include "handle/view.h"
#include "query/improve.h"
#include "store/store.h"

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

/* The rows that a query is compared with. Without a mean, plain rows are those of the searchers. */
static const row_source *rows_of(const view *v, const query *q)
{
	return q->options.plain && v->space.mean ? &v->plain_rows : &v->rows;
}

/* A view is older than rows that were added since; how to scan depends on their number. */
static int scan(imgsearch *s, const row_source *rows, const search_request *request, topk *out,
	search_report *report, imgsearch_error *err)
{
	store_counts counts;
	row_source now = *rows;
	int rc = ims_store_counts(s->store, &counts, err);
	now.n = rc ? 0 : (size_t)counts.vectors;
	return rc ? rc : ims_search_scan(&now, request, out, report, err);
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
	const char *wanted = q->options.searcher;
	if (!wanted || !strcmp(wanted, "auto"))
		wanted = v->chosen;
	const row_source *rows = rows_of(v, q);
	search_index *index = NULL;
	bool lags = false;
	int rc = 0;
	if (rows == &v->rows && *wanted && strcmp(wanted, "scan")) {
		rc = ims_view_searcher_for(s, v, wanted, request.n, q->job, &index, &lags, err);
		/* in the place of "exact" a scan gives the same answer */
		if (!rc && !index && !lags && wanted != v->chosen && strcmp(wanted, "exact"))
			rc = ims_fail(err, IMGSEARCH_ENOTFOUND, "%s: no usable %s searcher is built",
				ims_store_name(s->store), wanted);
	}
	if (rc)
		return rc;
	*name = index ? ims_search_name(index) : "scan";
	if (index)
		return ims_search_query(index, &request, out, report, err);
	rc = scan(s, rows, &request, out, report, err);
	if (!rc && lags)
		report->plan = "scan: cheaper than the changes that the searcher lacks";
	return rc;
}

/*
 * Fetches the rows of the first *n results. Results whose row was removed leave the list, and *n is
 * reduced.
 */
static int fetch(const view *v, const query *q, topk *found, size_t *n, float **rows,
	imgsearch_error *err)
{
	const row_source *source = rows_of(v, q);
	size_t most = found->n < *n ? found->n : *n, kept = 0;
	int64_t *ids = ims_alloc(most, sizeof *ids);
	uint8_t *there = ims_alloc(most, 1);
	*rows = ims_alloc_aligned(most, source->dim * sizeof(float));
	for (size_t i = 0; ids && i < most; i++)
		ids[i] = found->item[i].id;
	*n = most;
	int rc = ids && there && *rows ? ims_search_fetch(source, ids, n, *rows, there, err)
								   : ims_nomem(err);
	for (size_t i = 0; !rc && i < found->n; i++)
		if (i >= most || there[i])
			found->item[kept++] = found->item[i];
	if (!rc)
		found->n = kept;
	ims_free(ids);
	ims_free(there);
	return rc;
}

static int expand(const view *v, const query *q, float *vector, topk *found, imgsearch_error *err)
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
static int rerank(const view *v, const query *q, const float *vector, topk *found,
	imgsearch_error *err)
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

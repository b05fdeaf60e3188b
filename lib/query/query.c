/*
 * A query, straight: features of the inputs → one vector in the index's space → the searcher (or the plain scan) →
 * paths of the ids. No writes. Everything a query needs for its whole length is held by its reference to a view.
 * Expansion asks twice; re-ranking asks for more than is wanted and changes their order (improve.c).
 */
#include "handle/handle.h"
#include "query/chance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_K = 10 };

/* What options ask for, in the searchers' terms. */
typedef struct asking {
	imgsearch_query_options options;
	search_request request;
	int64_t *subset;   /* ours */
	improvement improve;
	const space *space;
	int64_t *own;      /* ours: the stored rows that the query is made of, those with a positive weight */
	size_t n_own;
	int64_t self;      /* the row that is the whole query, or NOBODY */
} asking;

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Both `ids` and `under` given: what is in both. */
static int make_subset(imgsearch *s, asking *a, imgsearch_error *err)
{
	const imgsearch_query_options *o = &a->options;
	int64_t *under = NULL, *ids = NULL;
	size_t n_under = 0, n = 0;
	int rc = o->under ? ims_store_ids_under(s->store, o->under, &under, &n_under, err) : 0;
	if (!rc && o->ids && !(ids = ims_alloc(o->n_ids, sizeof *ids)))
		rc = ims_nomem(err);
	if (!rc && ids) {
		if (o->n_ids)
			memcpy(ids, o->ids, o->n_ids * sizeof *ids);
		qsort(ids, o->n_ids, sizeof *ids, by_value);
		for (size_t i = 0; i < o->n_ids; i++)
			if ((!i || ids[i] != ids[i - 1]) && (!under || bsearch(&ids[i], under, n_under, sizeof *under, by_value)))
				ids[n++] = ids[i];
		ims_free(under);
	} else {
		ids = under;
		n = n_under;
	}
	if (!rc && !ids && !(ids = ims_zalloc(1, sizeof *ids))) /* NULL would mean: no subset asked for */
		rc = ims_nomem(err);
	a->subset = ids;
	a->request.subset = ids;
	a->request.filter_count = n;
	return rc;
}

static bool in_subset(const asking *a, int64_t id)
{
	return !a->subset || bsearch(&id, a->subset, a->request.filter_count, sizeof id, by_value);
}

static int passes(void *user, int64_t id)
{
	const asking *a = user;
	return in_subset(a, id) && a->options.filter(a->options.filter_user, id);
}

static int check_options(const imgsearch_query_options *o, imgsearch_error *err)
{
	if (o->recall < 0 || o->recall > 1 || o->recall != o->recall)
		return ims_fail(err, IMGSEARCH_EINVAL, "recall must be between 0 and 1");
	if (o->epsilon < 0 || o->epsilon != o->epsilon)
		return ims_fail(err, IMGSEARCH_EINVAL, "epsilon must not be negative");
	if (o->has_min_score && o->min_score != o->min_score)
		return ims_fail(err, IMGSEARCH_EINVAL, "min_score is not a number");
	if (o->n_ids && !o->ids)
		return ims_fail(err, IMGSEARCH_EINVAL, "n_ids without ids");
	return 0;
}

/* A k above what there is asks for all; so no memory is taken for what cannot come. */
static int bound_k(imgsearch *s, size_t *k, imgsearch_error *err)
{
	uint64_t by_state[8], vectors, next;
	int64_t max_id;
	if (*k <= 1000)
		return 0;
	int rc = ims_store_counts(s->store, by_state, &vectors, &next, &max_id, err);
	if (!rc && *k > vectors)
		*k = vectors ? (size_t)vectors : 1;
	return rc;
}

static int make_asking(imgsearch *s, const view *v, const imgsearch_query_options *options, asking *a, imgsearch_error *err)
{
	*a = (asking){ .self = NOBODY };
	imgsearch_query_options *o = &a->options;
	int rc = ims_options_copy(o, sizeof *o, options, err);
	if (!rc)
		rc = check_options(o, err);
	a->space = o->plain ? &v->plain : &v->space;
	a->improve = (improvement){ o->expand, o->reciprocal, o->views, o->plain, o->expand_power };
	if (!rc)
		rc = ims_improve_check(&a->improve, a->space, err);
	if (rc)
		return rc;
	a->request = (search_request){ .k = o->k ? o->k : DEFAULT_K, .max_distance = INFINITY, .filter_count = SIZE_MAX,
		.params = { .ef = o->ef, .checks = o->checks, .recall = o->recall, .epsilon = o->epsilon },
		.pool = s->pool, .cancel = NULL };
	if (o->has_min_score)
		a->request.max_distance = ims_score_distance(v->space.metric, o->min_score);
	rc = bound_k(s, &a->request.k, err);
	if (!rc && (o->under || o->ids))
		rc = make_subset(s, a, err);
	if (o->filter) {
		a->request.filter = passes;
		a->request.filter_user = a;
	}
	return rc;
}

/* Rows are left out by asking for as many more and dropping them, which keeps the searchers' fast ways open. */
static void drop(topk *t, const int64_t *ids, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < t->n; i++)
		if (!ims_id_among(t->item[i].id, ids, n))
			t->item[kept++] = t->item[i];
	t->n = kept;
}

static int search_once(imgsearch *s, view *v, const asking *a, size_t k, topk *out, search_report *report, const char **name, imgsearch_error *err)
{
	search_request request = a->request;
	request.k = k;
	for (size_t i = 0; i < request.n; i++) { /* of heaps that have room for the largest k */
		ims_topk_clear(&out[i]);
		out[i].k = k;
	}
	const char *wanted = a->options.searcher ? a->options.searcher : v->chosen;
	bool plain = a->options.plain && v->space.centre;
	search_index *index = NULL;
	int rc = 0;
	if (!plain && *wanted && strcmp(wanted, "scan") && strcmp(wanted, "auto")) {
		rc = ims_view_searcher(s, v, wanted, &index, err);
		if (!rc && !index && a->options.searcher && strcmp(wanted, "exact"))
			rc = ims_fail(err, IMGSEARCH_ENOTFOUND, "%s: no usable %s searcher; build it first (imgsearch build --searcher %s)",
				ims_store_path(s->store), wanted, wanted);
	}
	if (rc)
		return rc;
	*name = index ? ims_search_name(index) : "scan";
	return index ? ims_search_query(index, &request, out, report, err)
		: ims_search_scan(plain ? &v->plain_rows : &v->rows, &request, out, report, err);
}

/* ------------------------------------------------------------------------------------------- better answers ---- */

/* Rows of the first n that were found; those that are gone since leave the list. */
static int fetch(const view *v, const asking *a, topk *found, size_t *n, float **rows, imgsearch_error *err)
{
	const row_source *source = a->options.plain ? &v->plain_rows : &v->rows;
	size_t most = found->n < *n ? found->n : *n, kept = 0;
	int64_t *ids = ims_alloc(most, sizeof *ids);
	uint8_t *there = ims_alloc(most, 1);
	*rows = ims_alloc_aligned(most, source->dim * sizeof(float));
	for (size_t i = 0; ids && i < most; i++)
		ids[i] = found->item[i].id;
	int rc = ids && there && *rows ? source->fetch(source->ctx, ids, most, *rows, there, err) : ims_nomem(err);
	for (size_t i = 0; !rc && i < found->n; i++) {
		if (i < most && !there[i])
			continue;
		if (i < most && kept < i)
			memcpy(*rows + kept * source->dim, *rows + i * source->dim, source->dim * sizeof(float));
		found->item[kept++] = found->item[i];
	}
	if (!rc) {
		*n = most - (found->n - kept);
		found->n = kept;
	}
	ims_free(ids);
	ims_free(there);
	return rc;
}

static int expand(const view *v, const asking *a, float *query, topk *found, imgsearch_error *err)
{
	size_t n = a->improve.expand;
	float *rows = NULL, *score = ims_alloc(n, sizeof *score);
	drop(found, &a->self, 1);
	int rc = score ? fetch(v, a, found, &n, &rows, err) : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++)
		score[i] = ims_score(a->space->metric, found->item[i].distance);
	if (!rc)
		ims_improve_expand(&a->improve, a->space, query, rows, score, n);
	ims_free(rows);
	ims_free(score);
	return rc;
}

/* The query itself, where it is among the results, stays in front. */
static int rerank(const view *v, const asking *a, const float *query, topk *found, imgsearch_error *err)
{
	size_t n = RERANK_DEPTH, before = found->n;
	neighbor old[RERANK_DEPTH], own = { 0 };
	uint32_t order[RERANK_DEPTH];
	float *rows = NULL;
	for (size_t i = 0; i < before; i++)
		if (found->item[i].id == a->self)
			own = found->item[i];
	drop(found, &a->self, 1);
	bool had = found->n < before;
	int rc = fetch(v, a, found, &n, &rows, err);
	if (!rc)
		rc = ims_improve_rank(&a->improve, a->space, query, rows, n, order, a->request.pool, err);
	if (!rc) {
		memcpy(old, found->item, n * sizeof *old);
		for (size_t i = 0; i < n; i++)
			found->item[i] = old[order[i]];
	}
	if (!rc && had) {
		memmove(found->item + 1, found->item, found->n++ * sizeof *found->item);
		found->item[0] = own;
	}
	ims_free(rows);
	return rc;
}

/* How many results are looked at. */
static size_t depth_of(const asking *a)
{
	return a->improve.reciprocal && a->request.k < RERANK_DEPTH ? RERANK_DEPTH : a->request.k;
}

/* The largest heap that search() needs on its way, with room for the rows that the query is made of. */
static size_t heap_size(const asking *a)
{
	size_t depth = depth_of(a);
	return (depth < a->improve.expand ? a->improve.expand : depth) + a->n_own;
}

/* The k best of each of request.n queries, which expansion changes. */
static int search(imgsearch *s, view *v, asking *a, float *queries, topk *found, search_report *report, const char **name, imgsearch_error *err)
{
	size_t n = a->request.n, k = a->request.k, dim = a->space->dim, left_out = a->options.no_self ? a->n_own : 0;
	float max_distance = a->request.max_distance;
	int rc = 0;
	a->request.queries = queries;
	if (a->improve.expand) {
		a->request.max_distance = INFINITY;
		rc = search_once(s, v, a, (size_t)a->improve.expand + (a->self != NOBODY), found, report, name, err);
		for (size_t i = 0; !rc && i < n; i++)
			rc = expand(v, a, queries + i * dim, &found[i], err);
		a->request.max_distance = max_distance;
	}
	if (!rc)
		rc = search_once(s, v, a, depth_of(a) + (a->improve.reciprocal ? a->n_own : left_out), found, report, name, err);
	for (size_t i = 0; !rc && i < n; i++) {
		drop(&found[i], a->own, left_out);
		if (a->improve.reciprocal)
			rc = rerank(v, a, queries + i * dim, &found[i], err);
		if (found[i].n > k)
			found[i].n = k;
	}
	return rc;
}

/* ------------------------------------------------------------------------------------------ one query vector ---- */

/* The weighted sum of the inputs' rows in the index's space, normalised again for cosine. */
static int combine(imgsearch *s, asking *a, const imgsearch_input *in, size_t n, float *out, imgsearch_error *err)
{
	const space *sp = a->space;
	size_t dim = sp->dim;
	int64_t row;
	float *one = ims_alloc_aligned(dim, sizeof(float));
	a->own = ims_alloc(n, sizeof *a->own);
	int rc = one && a->own ? 0 : ims_nomem(err);
	memset(out, 0, dim * sizeof(float));
	for (size_t i = 0; !rc && i < n; i++) {
		float weight = in[i].weight != 0 ? in[i].weight : 1;
		if (!isfinite(weight))
			rc = ims_fail(err, IMGSEARCH_EINVAL, "a weight that is not finite");
		if (!rc)
			rc = ims_feature(s, &in[i], (uint32_t)dim, one, &row, err);
		if (rc)
			break;
		if (row != NOBODY && weight > 0)
			a->own[a->n_own++] = row;
		ims_space_apply(sp, one, one);
		if (a->improve.views > 1 && in[i].kind != IMGSEARCH_KIND_VECTOR)
			rc = ims_improve_views(s, sp, &in[i], a->improve.views, one, err);
		for (size_t j = 0; j < dim; j++)
			out[j] += weight * one[j];
	}
	if (n == 1 && a->n_own)
		a->self = *a->own;
	if (!rc && n > 1 && sp->metric == IMGSEARCH_COSINE)
		ims_space_apply(&(space){ .metric = IMGSEARCH_COSINE, .dim = (uint32_t)dim }, out, out);
	ims_free(one);
	return rc;
}

static const char empty_index[] = "empty index";

static int empty_hits(imgsearch_hits **out, imgsearch_error *err)
{
	imgsearch_hits *hits = ims_zalloc(1, sizeof *hits);
	*out = hits;
	if (!hits)
		return ims_nomem(err);
	hits->searcher = "scan";
	hits->plan = empty_index;
	hits->exact = 1;
	return 0;
}

static int run_query(imgsearch *s, view *v, const imgsearch_input *in, size_t n, asking *a, imgsearch_hits **out, imgsearch_error *err)
{
	topk found = { 0 };
	search_report report = { 0 };
	const char *name = "scan";
	double start = ims_now(), searched = 0;
	float *query = ims_alloc_aligned(v->space.dim, sizeof(float));
	int rc = query ? combine(s, a, in, n, query, err) : ims_nomem(err);
	a->request.n = 1;
	if (!rc && ims_topk_init(&found, heap_size(a)))
		rc = ims_nomem(err);
	double extracted = ims_now();
	if (!rc)
		rc = search(s, v, a, query, &found, &report, &name, err);
	if (!rc) {
		searched = ims_now();
		rc = ims_hits_make(s, v->space.metric, &found, out, err);
	}
	if (!rc)
		(*out)->reranked = a->improve.reciprocal > 0;
	if (!rc && (!a->options.plain || !v->space.centre))
		rc = ims_chance_tell(s, v, query, a->own, a->n_own, a->options.max_chance, *out, err);
	if (rc) {
		imgsearch_hits_free(*out);
		*out = NULL;
	} else {
		(*out)->searcher = name;
		(*out)->plan = (*out)->count || v->rows.n ? report.plan : empty_index;
		(*out)->exact = report.exact;
		(*out)->seconds_feature = extracted - start;
		(*out)->seconds_search = searched - extracted;
	}
	ims_topk_free(&found);
	ims_free(query);
	return rc;
}

int imgsearch_query(imgsearch *s, const imgsearch_input *in, size_t n, const imgsearch_query_options *options,
	imgsearch_hits **out, imgsearch_error *err)
{
	view *v = NULL;
	asking a = { 0 };
	if (out)
		*out = NULL;
	if (!s || !in || !n || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "query: no input");
	int rc = ims_view_get(s, &v, err);
	if (!rc && !v->space.dim) {
		ims_view_release(v);
		return empty_hits(out, err);
	}
	if (!rc)
		rc = make_asking(s, v, options, &a, err);
	if (!rc)
		rc = run_query(s, v, in, n, &a, out, err);
	ims_free(a.subset);
	ims_free(a.own);
	ims_view_release(v);
	return rc;
}

int imgsearch_range(imgsearch *s, const imgsearch_input *in, float min_score, const imgsearch_query_options *options,
	imgsearch_hits **out, imgsearch_error *err)
{
	imgsearch_query_options o;
	if (out)
		*out = NULL;
	int rc = ims_options_copy(&o, sizeof o, options, err);
	if (rc)
		return rc;
	o.min_score = min_score;
	o.has_min_score = 1;
	if (!o.k)
		o.k = UINT32_MAX;
	o.searcher = o.searcher ? o.searcher : "exact";
	return imgsearch_query(s, in, 1, &o, out, err);
}

/* --------------------------------------------------------------------------------------------- many vectors ---- */

static void put_results(const view *v, const topk *found, size_t n, size_t k, int64_t *ids, float *scores)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < k; j++) {
			bool there = j < found[i].n;
			ids[i * k + j] = there ? found[i].item[j].id : -1;
			if (scores)
				scores[i * k + j] = there ? ims_score(v->space.metric, found[i].item[j].distance) : NAN;
		}
}

static int check_vectors(const view *v, const float *queries, size_t n, size_t dim, imgsearch_error *err)
{
	if (v->space.dim && dim != v->space.dim)
		return ims_fail(err, IMGSEARCH_EINVAL, "vectors of %zu values; the index has %u", dim, v->space.dim);
	for (size_t i = 0; i < n * dim; i++)
		if (!isfinite(queries[i]))
			return ims_fail(err, IMGSEARCH_EINVAL, "query %zu has a value that is not finite", i / dim);
	return 0;
}

/* Some at a time, so that the heaps stay small whatever n and k are. */
static int run_vectors(imgsearch *s, view *v, asking *a, const float *queries, size_t n, size_t k, int64_t *ids, float *scores, imgsearch_error *err)
{
	enum { STEP = 1024, ROOM = 1 << 20 }; /* queries; neighbours in their heaps */
	size_t dim = v->space.dim, step = ROOM / heap_size(a) + 1, heaps = 0;
	step = step < STEP ? step : STEP;
	step = step < n ? step : n;
	float *rows = ims_alloc_aligned(step, dim * sizeof(float));
	topk *found = ims_zalloc(step, sizeof *found);
	search_report report;
	const char *name;
	int rc = rows && found ? 0 : ims_nomem(err);
	for (; !rc && heaps < step; heaps++)
		if (ims_topk_init(&found[heaps], heap_size(a)))
			rc = ims_nomem(err);
	for (size_t at = 0; !rc && at < n; at += step) {
		size_t now = n - at < step ? n - at : step;
		for (size_t i = 0; i < now; i++)
			ims_space_apply(a->space, queries + (at + i) * dim, rows + i * dim);
		a->request.n = now;
		rc = search(s, v, a, rows, found, &report, &name, err);
		if (!rc)
			put_results(v, found, now, k, ids + at * k, scores ? scores + at * k : NULL);
	}
	for (size_t i = 0; found && i < heaps; i++)
		ims_topk_free(&found[i]);
	ims_free(found);
	ims_free(rows);
	return rc;
}

int imgsearch_query_vectors(imgsearch *s, const float *queries, size_t n, size_t dim,
	const imgsearch_query_options *options, int64_t *ids, float *scores, imgsearch_error *err)
{
	view *v = NULL;
	asking a = { 0 };
	pool *own = NULL;
	if (!s || (n && (!queries || !ids)))
		return ims_fail(err, IMGSEARCH_EINVAL, "query: no vectors or no place for the ids");
	int rc = ims_view_get(s, &v, err);
	if (!rc)
		rc = check_vectors(v, queries, n, dim, err);
	if (!rc)
		rc = make_asking(s, v, options, &a, err);
	size_t k = rc ? 0 : a.options.k ? a.options.k : DEFAULT_K;
	if (!rc && a.options.threads == 1)
		a.request.pool = NULL;
	else if (!rc && a.options.threads)
		rc = ims_pool_new(&own, a.options.threads, 2 * a.options.threads, err);
	if (own)
		a.request.pool = own;
	if (!rc && n && v->space.dim)
		rc = run_vectors(s, v, &a, queries, n, k, ids, scores, err);
	for (size_t i = 0; !rc && !v->space.dim && i < n * k; i++) { /* nothing to find yet */
		ids[i] = -1;
		if (scores)
			scores[i] = NAN;
	}
	ims_pool_free(own);
	ims_free(a.subset);
	ims_view_release(v);
	return rc;
}

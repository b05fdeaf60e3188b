/*
 * The k nearest pictures by their best part are among the k nearest by their whole and the k
 * nearest by their regions. Of the latter more rows than k are searched, since several may belong
 * to one picture: more and more, until no row that was not found can change the answer. That is so
 * where the last one found is no nearer than the k-th picture, or fewer were found than asked for.
 * The parts of k pictures are always enough.
 */
#include "query/regions.h"

#include "base/regions.h"
#include "handle/feature.h"
#include "query/nearest.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST = 2, MORE = 2 }; /* rows for each picture at first, and how often as many next */

/* A search of the regions for the queries of a request that are not answered yet. */
typedef struct regions_search {
	imgsearch *s;
	view *view;
	const query *query;
	const search_request *asked;
	topk *out;
	search_request request; /* of rows */
	float *queries;         /* (n, dim) */
	size_t *of;             /* (n): the place of each in the request */
	topk *found;            /* (n) */
	size_t heaps;
	int64_t *subset; /* of rows */
	neighbour *both; /* scratch: pictures and rows */
} regions_search;

bool ims_query_has_regions(const view *v, const query *q)
{
	return v->has_regions && !q->options.whole;
}

int ims_query_region_row(imgsearch *s, const query *q, const imgsearch_input *in, size_t i,
	int64_t own, const float *row, float *out, imgsearch_error *err)
{
	bool pixels = in->kind <= IMGSEARCH_INPUT_KIND_PIXELS || in->kind == IMGSEARCH_INPUT_KIND_ITEM;
	if (!pixels || own != NO_PICTURE) {
		memcpy(out, row, q->space->dim * sizeof *out);
		return 0;
	}
	int rc = ims_feature_of_all(s, q->job, in, q->space->dim, out, err);
	if (!rc)
		rc = ims_space_check(q->space, out, 1, "input", i, err);
	if (!rc)
		ims_space_apply(q->space, out, out);
	return rc;
}

static int passes(void *user, int64_t row)
{
	const search_request *asked = user;
	return asked->filter(asked->filter_user, ims_region_picture(row));
}

/* The ids of the rows of a subset of pictures. */
static int make_subset(regions_search *r, imgsearch_error *err)
{
	const search_request *asked = r->asked;
	size_t n = asked->filter_count;
	r->subset = ims_alloc(n, IMS_REGIONS_PARTS * sizeof *r->subset);
	if (!r->subset)
		return ims_nomem(err);
	for (size_t i = 0; i < n; i++)
		for (uint32_t part = 1; part <= IMS_REGIONS_PARTS; part++)
			r->subset[i * IMS_REGIONS_PARTS + part - 1] = ims_region_row(asked->subset[i], part);
	r->request.subset = r->subset;
	r->request.filter_count = n * IMS_REGIONS_PARTS;
	return 0;
}

static int init(regions_search *r, imgsearch_error *err)
{
	size_t n = r->asked->n;
	r->request = *r->asked;
	r->request.k = r->asked->k * FIRST;
	if (r->asked->filter) {
		r->request.filter = passes;
		r->request.filter_user = (void *)(uintptr_t)r->asked;
	}
	r->queries = ims_alloc_aligned(n, r->view->space.dim * sizeof *r->queries);
	r->of = ims_alloc(n, sizeof *r->of);
	r->found = ims_zalloc(n, sizeof *r->found);
	if (!r->queries || !r->of || !r->found)
		return ims_nomem(err);
	const float *rows = r->query->region_rows ? r->query->region_rows : r->asked->queries;
	memcpy(r->queries, rows, n * r->view->space.dim * sizeof *r->queries);
	for (size_t i = 0; i < n; i++)
		r->of[i] = i;
	return r->asked->subset ? make_subset(r, err) : 0;
}

static void clear(regions_search *r)
{
	for (size_t i = 0; r->found && i < r->heaps; i++)
		ims_topk_free(&r->found[i]);
	ims_free(r->found);
	ims_free(r->queries);
	ims_free(r->of);
	ims_free(r->subset);
	ims_free(r->both);
}

/*
 * Room for request.k rows of request.n queries. The distance of the k-th whole is no limit: the
 * graph looks on, and scans at last, where fewer than k rows lie within one.
 */
static int prepare(regions_search *r, imgsearch_error *err)
{
	search_request *q = &r->request;
	neighbour *both = ims_realloc(r->both, q->k + r->asked->k, sizeof *both);
	if (!both)
		return ims_nomem(err);
	r->both = both;
	for (size_t i = 0; i < r->heaps; i++)
		ims_topk_free(&r->found[i]);
	for (r->heaps = 0; r->heaps < q->n; r->heaps++)
		if (ims_topk_init(&r->found[r->heaps], q->k))
			return ims_nomem(err);
	q->queries = r->queries;
	return 0;
}

static int by_picture(const void *a, const void *b)
{
	const neighbour *x = a, *y = b;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return (x->part > y->part) - (x->part < y->part);
}

/* The best rows of pictures that are the k best. */
static void merge(neighbour *both, const topk *rows, size_t k, topk *pictures)
{
	size_t n = pictures->n, kept = 0;
	topk best = { .item = both, .k = n + rows->n };
	memcpy(both, pictures->item, n * sizeof *both);
	for (size_t i = 0; i < rows->n; i++)
		both[n++] = (neighbour){
			.distance = rows->item[i].distance,
			.part = ims_region_part(rows->item[i].id),
			.id = ims_region_picture(rows->item[i].id),
		};
	qsort(both, n, sizeof *both, by_picture);
	for (size_t i = 0; i < n; i++)
		if (!kept || both[kept - 1].id != both[i].id)
			both[kept++] = both[i];
	best.n = kept;
	ims_topk_sort(&best);
	pictures->n = kept < k ? kept : k;
	memcpy(pictures->item, both, pictures->n * sizeof *both);
}

/* Whether no row beyond those that were found can change the answer. */
static bool is_done(const topk *pictures, const topk *rows, size_t k)
{
	if (rows->n < rows->k)
		return true;
	if (pictures->n < k)
		return false;
	const neighbour *last = &rows->item[rows->n - 1], *kth = &pictures->item[k - 1];
	return !ims_nearer(last->distance, ims_region_picture(last->id), kth->distance, kth->id);
}

/* Merges what was found; the queries that are not done move to the front. */
static void take(regions_search *r, size_t most)
{
	size_t dim = r->view->space.dim, left = 0, k = r->asked->k;
	for (size_t i = 0; i < r->request.n; i++) {
		topk *pictures = &r->out[r->of[i]];
		merge(r->both, &r->found[i], k, pictures);
		if (r->request.k >= most || is_done(pictures, &r->found[i], k))
			continue;
		memmove(r->queries + left * dim, r->queries + i * dim, dim * sizeof *r->queries);
		r->of[left++] = r->of[i];
	}
	r->request.n = left;
}

int ims_query_regions(imgsearch *s, view *v, const query *q, const search_request *request,
	topk *out, search_report *report, const char **name, imgsearch_error *err)
{
	regions_search r = { .s = s, .view = v, .query = q, .asked = request, .out = out };
	size_t most = request->k * IMS_REGIONS_PARTS;
	int rc = request->n && request->k ? init(&r, err) : 0;
	while (!rc && r.request.n && r.request.k) {
		search_report found = { 0 };
		rc = prepare(&r, err);
		if (!rc)
			rc = ims_query_nearest(s, v, &v->regions, q, &r.request, r.found, &found, name, err);
		if (rc)
			break;
		report->exact &= found.exact;
		report->rows_checked += found.rows_checked;
		report->plan = found.plan;
		take(&r, most);
		r.request.k = r.request.k * MORE < most ? r.request.k * MORE : most;
	}
	clear(&r);
	return rc;
}

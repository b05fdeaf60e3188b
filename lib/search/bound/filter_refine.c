/* Requests in groups of queries, on the threads of the request. */
#include "search/bound/filter_refine.h"

#include "search/bound/filter.h"
#include "search/bound/refine.h"
#include "search/internal.h"
#include "search/product.h"

#include <math.h>

enum { GROUP_MIN = 8, GROUP_MAX = 32 /* queries that share a pass */ };

typedef struct group_result {
	search_report report;
	imgsearch_error err;
	int rc;
} group_result;

typedef struct batch {
	lease_pool *pool;
	const codes *codes;
	const row_source *rows;
	const search_request *request;
	size_t group, checks;
	topk *out;
	bool *scan;           /* queries that bounds do not help */
	group_result *result; /* one a group */
} batch;

/*
 * Components of n queries, `stride` floats apart. Reads the axes once. NULL: without memory, or for
 * a single query; each query is projected by itself then.
 */
static float *project_group(const batch *b, size_t from, size_t n, size_t stride)
{
	const codes *c = b->codes;
	const float *queries = b->request->queries + from * c->dim;
	bool ip = c->metric == IMGSEARCH_METRIC_IP;
	if (n <= 1 || !stride)
		return NULL;
	float *components = ims_alloc_aligned(n * (c->dim + stride), sizeof(float));
	if (!components)
		return NULL;
	float *centred = components + n * stride;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < c->dim; j++)
			centred[i * c->dim + j] = queries[i * c->dim + j] - (ip ? 0 : c->mean[j]);
	ims_projection_apply(&c->axes, centred, n, components, stride);
	return components;
}

/* Prepares query i. NULL with the result's rc set: no memory. */
static bound_query *begin(const batch *b, size_t i, const float *components, group_result *result)
{
	bound_query *q = ims_bound_query_acquire(b->pool);
	if (!q) {
		result->rc = ims_nomem(&result->err);
		return NULL;
	}
	b->scan[i] = !ims_bound_query_begin(q, b->codes, b->rows, b->request, i, components,
					 &result->err)
		|| ims_filter_has_ties(q);
	result->rc = q->rc;
	return q;
}

static void filter_group(const batch *b, bound_query *const *queries, size_t from, size_t n)
{
	bound_query *filtered[GROUP_MAX];
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		if (!b->scan[from + i])
			filtered[count++] = queries[i];
	if (count)
		ims_filter_all(filtered, count);
}

static void refine_group(const batch *b, bound_query *const *queries, size_t from, size_t n,
	group_result *result)
{
	for (size_t i = 0; i < n && !result->rc; i++) {
		bound_query *q = queries[i];
		if (!q->rc && !b->scan[from + i])
			b->scan[from + i] = !ims_refine(q, b->checks, &b->out[from + i], &result->report);
		result->rc = q->rc;
	}
}

static void run_group(void *arg, size_t g, unsigned worker)
{
	batch *b = arg;
	group_result *result = &b->result[g];
	bound_query *query[GROUP_MAX];
	size_t from = g * b->group, left = b->request->n - from, n = left < b->group ? left : b->group;
	size_t stride = ims_projection_stride(&b->codes->axes), acquired = 0;
	float *components = project_group(b, from, n, stride);
	(void)worker;
	result->report.exact = true;
	while (acquired < n && !result->rc) {
		const float *own = components ? components + acquired * stride : NULL;
		query[acquired] = begin(b, from + acquired, own, result);
		acquired += query[acquired] != NULL;
	}
	if (!result->rc)
		result->rc = ims_stop_check(b->request->stop, &result->err);
	if (!result->rc)
		filter_group(b, query, from, n);
	if (!result->rc)
		result->rc = ims_stop_check(b->request->stop, &result->err);
	refine_group(b, query, from, acquired, result);
	for (size_t i = 0; i < acquired; i++)
		ims_lease_release(b->pool, query[i]);
	ims_free(components);
}

/* ------------------------------------------------------------------------------------ scan ---- */

static size_t count_scans(const batch *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->request->n; i++)
		n += b->scan[i];
	return n;
}

/* Copies of the queries that are scanned, and their cleared heaps. */
static void gather_scans(const batch *b, float *queries, topk *out)
{
	size_t dim = b->rows->dim;
	for (size_t i = 0, j = 0; i < b->request->n; i++)
		if (b->scan[i]) {
			memcpy(queries + j * dim, b->request->queries + i * dim, dim * sizeof(float));
			ims_topk_clear(&b->out[i]);
			out[j++] = b->out[i];
		}
}

/* One scan for all queries that bounds do not help. */
static int scan_others(const batch *b, search_report *report, imgsearch_error *err)
{
	size_t n = count_scans(b);
	if (!n)
		return 0;
	search_request request = *b->request;
	search_report part;
	float *queries = ims_alloc(n * b->rows->dim, sizeof(float));
	topk *out = ims_alloc(n, sizeof *out);
	int rc = queries && out ? 0 : ims_nomem(err);
	if (!rc) {
		gather_scans(b, queries, out);
		request.queries = queries;
		request.n = n;
		rc = ims_search_scan_into(b->rows, &request, out, &part, err);
	}
	for (size_t i = 0, j = 0; !rc && i < b->request->n; i++)
		if (b->scan[i])
			b->out[i] = out[j++];
	if (!rc) {
		report->rows_checked += part.rows_checked;
		report->plan = n == b->request->n ? part.plan
										  : "codes; where they exclude too little, scan";
	}
	ims_free(queries);
	ims_free(out);
	return rc;
}

/* --------------------------------------------------------------------------------- request ---- */

/* The share of rows that the first stages leave of query i; 1: bounds do not help it. */
static double share_left(const batch *b, size_t i)
{
	group_result result = { .rc = 0 };
	bound_query *q = begin(b, i, NULL, &result);
	double share = q && !q->rc && !b->scan[i] ? ims_filter_share(q) : 1;
	if (!q || q->rc)
		share = 0; /* the groups will meet the failure, too, and tell it */
	if (q)
		ims_lease_release(b->pool, q);
	b->scan[i] = false;
	return share;
}

/*
 * Whether a scan of the batch, by a product, is cheaper than bounds. A few of its queries tell.
 * Costs are nanoseconds a row on a CPU with AVX-512: of the first stage, and of the later ones for
 * a row that the first leaves; a value of a row's product; reading 256 values, once for the batch.
 */
static bool scan_is_cheaper(const batch *b)
{
	enum { SAMPLE = 4 };
	const double first = 2, later = 26, value = 0.021, reading = 450;
	const search_request *request = b->request;
	size_t n = request->n;
	double share = 0, dim = b->codes->dim;
	if (n < 2 * PRODUCT_QUERIES || request->filter || request->subset || b->checks)
		return false;
	for (size_t i = 0; i < SAMPLE; i++)
		share += share_left(b, n * (2 * i + 1) / (2 * SAMPLE)) / SAMPLE;
	return first + share * later > dim * value + dim / 256 * reading / (double)n;
}

/*
 * Queries a group: their scores of the first stage take 64 MiB at most, and every thread has some.
 */
static size_t group_size(const codes *c, const search_request *request)
{
	size_t most = ((size_t)1 << 24) / (c->n + 1), threads = ims_pool_threads(request->pool);
	size_t each = (request->n + threads - 1) / threads;
	size_t group = each < GROUP_MIN ? GROUP_MIN : each > GROUP_MAX ? GROUP_MAX : each;
	return most < 1 ? 1 : most < group ? most : group;
}

int ims_filter_refine(lease_pool *pool, const codes *c, const row_source *rows,
	const search_request *request, size_t checks, topk *out, search_report *report,
	imgsearch_error *err)
{
	size_t group = group_size(c, request), groups = (request->n + group - 1) / group;
	batch b = {
		.pool = pool,
		.codes = c,
		.rows = rows,
		.request = request,
		.group = group,
		.checks = checks,
		.out = out,
	};
	b.scan = ims_zalloc(request->n, sizeof *b.scan);
	b.result = ims_zalloc(groups, sizeof *b.result);
	int rc = b.scan && b.result ? 0 : ims_nomem(err);
	bool scan = !rc && scan_is_cheaper(&b);
	for (size_t i = 0; scan && i < request->n; i++)
		b.scan[i] = true;
	if (!rc && !scan)
		ims_parallel(groups > 1 ? request->pool : NULL, groups, run_group, &b);
	bool filtered = request->filter || request->subset;
	*report = (search_report){ true, filtered ? "codes, filtered" : "codes", 0 };
	for (size_t g = 0; !rc && !scan && g < groups; g++) {
		rc = b.result[g].rc;
		if (rc && err)
			*err = b.result[g].err;
		report->rows_checked += b.result[g].report.rows_checked;
		report->exact &= b.result[g].report.exact;
	}
	if (!rc)
		rc = scan_others(&b, report, err);
	ims_free(b.scan);
	ims_free(b.result);
	return rc;
}

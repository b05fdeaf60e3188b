/*
 * The kdtree searcher. Rows of few dimensions lie in memory in the order of a tree over their own
 * coordinates. Longer rows are codes (codes.h) in the order of a tree over their leading principal
 * components: a bucket's bound adds what the residuals must at least differ by, and its rows go
 * through the filter step (filter.h). Both are exact, unless `checks` limits the rows that are
 * looked at, or `epsilon` allows answers within 1 + epsilon of the true distance. The wrapper scans
 * added rows. Few rows, and numbers out of the range of bounds in f32, are scanned.
 */
#include "search/internal.h"
#include "search/bound/codes_build.h"
#include "search/bound/filter.h"
#include "search/bound/kdtree.h"
#include "search/bound/refine.h"

#include <math.h>

enum {
	COORDINATES = 16, /* leading components of longer rows */
	CODED_BUCKET = 256,
};

static const double unit = 0x1p-24;

/* Rows of a bucket of few dimensions: a scan of sixteen rows costs about as much as one box. */
static uint32_t raw_bucket(uint32_t dim)
{
	return dim <= 3 ? 32 : dim == 4 ? 64 : 256;
}

static void kdtree_free(searcher *base)
{
	kdtree *s = (kdtree *)base;
	if (!s)
		return;
	ims_kd_free(&s->tree);
	ims_free(s->rows);
	ims_free(s->ids);
	ims_coded_free(base);
}

/* ----------------------------------------------------------------------------------- build ---- */

typedef struct points {
	const rotation *axes; /* NULL: the rows themselves */
	uint32_t dim, coordinates;
	float *point;    /* (total, coordinates) */
	float *residual; /* (total, 2): bounds of the length of each row's residual */
	float *centred;  /* one row */
	int64_t *ids;
	size_t n, total;
	double longest;
	job *job;
	imgsearch_error *err;
} points;

static double length_of(const float *v, uint32_t dim)
{
	double sum = 0;
	for (uint32_t i = 0; i < dim; i++)
		sum += (double)v[i] * v[i];
	return sqrt(sum);
}

/* Components of one row, and the range of the length of its residual. */
static void project(points *p, const float *row, float *components, float residual[2])
{
	const double skew = 0.01; /* codes with more are not sound */
	double head2 = 0, r;
	for (uint32_t i = 0; i < p->dim; i++)
		p->centred[i] = row[i] - p->axes->mean[i];
	for (uint32_t k = 0; k < p->coordinates; k++) {
		const float *axis = p->axes->axes + (size_t)k * p->dim;
		components[k] = ims_kernels()->dot_f32(p->centred, axis, p->dim);
		head2 += (double)components[k] * components[k];
	}
	double length = length_of(p->centred, p->dim);
	double error = ims_projection_error(p->dim, skew, p->coordinates, length);
	double residual_error = ims_projection_residual(length, head2, error, &r);
	residual[0] = (float)(fmax(r - residual_error, 0) * (1 - 4 * unit));
	residual[1] = (float)((r + residual_error) * (1 + 4 * unit));
}

static int add_points(void *user, const int64_t *ids, const float *rows, size_t n)
{
	points *p = user;
	for (size_t i = 0; i < n && p->n < p->total; i++, p->n++) {
		const float *row = rows + i * p->dim;
		if (p->axes) {
			project(p, row, p->point + p->n * p->coordinates, p->residual + 2 * p->n);
			continue;
		}
		double length = length_of(row, p->dim);
		p->longest = length > p->longest ? length : p->longest;
		memcpy(p->point + p->n * p->dim, row, p->dim * sizeof(float));
		p->residual[2 * p->n] = p->residual[2 * p->n + 1] = 0;
		p->ids[p->n] = ids[i];
	}
	return p->job ? ims_job_step(p->job, "build", p->n, p->total, p->err) : 0;
}

static int collect(points *p, const row_source *rows, imgsearch_error *err)
{
	p->err = err;
	p->total = rows->n;
	p->dim = rows->dim;
	p->point = ims_alloc(rows->n * p->coordinates, sizeof(float));
	p->residual = ims_alloc(rows->n, 2 * sizeof(float));
	p->centred = ims_alloc_aligned(rows->dim, sizeof(float));
	p->ids = ims_alloc(rows->n, sizeof(int64_t));
	if (!p->point || !p->residual || !p->centred || !p->ids)
		return ims_nomem(err);
	int rc = rows->scan(rows->ctx, add_points, p, err);
	if (!rc && p->n != p->total)
		rc = ims_fail(err, IMGSEARCH_EBUSY, "rows changed while a searcher was built over them");
	return rc;
}

static int order_rows(kdtree *s, const points *p, const uint32_t *slot, imgsearch_error *err)
{
	s->rows = ims_kdtree_rows(p->n, p->dim);
	s->ids = ims_alloc(p->n, sizeof(int64_t));
	s->longest = p->longest;
	if (!s->rows || !s->ids)
		return ims_nomem(err);
	for (size_t i = 0; i < p->n; i++) {
		ims_kdtree_put_row(s->rows, slot[i], p->point + i * p->dim, p->dim);
		s->ids[slot[i]] = p->ids[i];
	}
	return 0;
}

/* axes: NULL for a tree over the rows' own coordinates. */
static int build_tree(kdtree *s, const row_source *rows, const rotation *axes, uint32_t coordinates,
	job *job, imgsearch_error *err)
{
	points p = { .axes = axes, .coordinates = coordinates, .job = job };
	uint32_t n = (uint32_t)rows->n, *slot = ims_alloc(rows->n, sizeof *slot);
	int rc = slot ? collect(&p, rows, err) : ims_nomem(err);
	if (!rc && !axes && !(p.longest < 1e15))
		goto done;
	if (!rc)
		rc = ims_kd_build(&s->tree, p.point, p.residual, n, coordinates,
			axes ? CODED_BUCKET : raw_bucket(rows->dim), IMS_BLOCK_ROWS, slot, job, err);
	if (!rc && axes)
		rc = ims_codes_build(&s->coded.codes, rows, axes, slot, job, err);
	else if (!rc)
		rc = order_rows(s, &p, slot, err);
	if (!rc && axes && !s->coded.codes)
		ims_kd_free(&s->tree);
done:
	ims_free(slot);
	ims_free(p.point);
	ims_free(p.residual);
	ims_free(p.centred);
	ims_free(p.ids);
	return rc;
}

static int kdtree_build(searcher **out, const row_source *rows, const search_params *p, job *job,
	imgsearch_error *err)
{
	rotation axes = { 0 };
	kdtree *s = ims_coded_new(&ims_search_kdtree, sizeof *s, rows, err);
	if (!s)
		return IMGSEARCH_ENOMEM;
	int rc = 0;
	if (!ims_codes_suit(rows)) {
		/* scanned */
	} else if (rows->dim <= KDTREE_RAW_DIM) {
		rc = build_tree(s, rows, NULL, rows->dim, job, err);
	} else {
		uint32_t components = ims_stage_components(rows->dim);
		uint32_t coordinates = p->components ? p->components : COORDINATES;
		components = components > COORDINATES ? components : COORDINATES;
		rc = ims_rotation_fit(&axes, rows, components, p->seed + 1, job, err);
		coordinates = coordinates < axes.parts ? coordinates : axes.parts;
		if (!rc)
			rc = build_tree(s, rows, &axes, coordinates, job, err);
	}
	ims_rotation_free(&axes);
	return ims_coded_finish(out, &s->coded, rc);
}

/* --------------------------------------------------------------------------------- queries ---- */

typedef struct query_result {
	search_report report;
	imgsearch_error err;
	int rc;
	bool scan; /* bounds do not help: the query is scanned */
} query_result;

typedef struct batch {
	const kdtree *s;
	const search_request *request;
	topk *out;
	query_result *result;
} batch;

/*
 * True distances up to the result may have a computed distance up to `limit`. With epsilon the
 * result is smaller than the limit by the square of 1 + epsilon, as distances are squared.
 */
static double walk_limit(double limit, double relative_error, double absolute_error, double epsilon)
{
	if (!(limit < INFINITY))
		return limit;
	if (epsilon > 0 && limit > 0)
		return limit / ((1 + epsilon) * (1 + epsilon));
	return limit + fabs(limit) * relative_error + absolute_error;
}

/* Whether the request's `checks` end the walk; the answer is not proven then. */
static bool checks_reached(const search_request *request, uint64_t checked, query_result *result)
{
	if (!request->params.checks || checked < request->params.checks)
		return false;
	result->report.exact = false;
	return true;
}

/* A query of few dimensions at work. */
typedef struct row_query {
	const kdtree *s;
	const search_request *request;
	topk *out;
	float point[KDTREE_RAW_DIM]; /* the query, then zeros */
} row_query;

/* The rows of a block that are near enough: bits of near, their distances. */
static void push_near(const row_query *q, size_t block, unsigned near, const float *distance)
{
	for (; near; near &= near - 1) {
		unsigned r = (unsigned)__builtin_ctz(near);
		int64_t id = q->s->ids[block * IMS_BLOCK_ROWS + r];
		if (distance[r] <= ims_topk_worst(q->out) && ims_search_passes(q->request, id))
			ims_topk_push(q->out, distance[r], id);
	}
}

/* The bits of the rows from .. to - 1 in a block. */
static unsigned rows_in(size_t block, uint32_t from, uint32_t to)
{
	size_t first = block * IMS_BLOCK_ROWS, end = first + IMS_BLOCK_ROWS;
	unsigned all = (1u << IMS_BLOCK_ROWS) - 1;
	unsigned before = from > first ? (1u << (from - first)) - 1 : 0;
	unsigned behind = to < end ? all << (to - first) : 0;
	return all & ~before & ~behind;
}

static void scan_bucket(const row_query *q, const kd_node *bucket)
{
	enum { AT_ONCE = 8 }; /* blocks */
	uint32_t dim = q->s->coded.base.rows->dim;
	bool ip = q->s->coded.base.rows->metric == IMGSEARCH_METRIC_IP;
	float distance[AT_ONCE * IMS_BLOCK_ROWS];
	uint16_t near[AT_ONCE];
	size_t end = ims_codes_blocks(bucket->to);
	for (size_t b = bucket->from / IMS_BLOCK_ROWS, n; b < end; b += n) {
		n = end - b < AT_ONCE ? end - b : AT_ONCE;
		ims_kernels()->near_f32(q->s->rows + b * IMS_BLOCK_ROWS * dim, n, q->point, dim, ip,
			fminf(q->request->max_distance, ims_topk_worst(q->out)), distance, near);
		for (size_t i = 0; i < n; i++)
			push_near(q, b + i, near[i] & rows_in(b + i, bucket->from, bucket->to),
				distance + i * IMS_BLOCK_ROWS);
	}
}

static void query_rows(const kdtree *s, const search_request *request, const float *query,
	topk *out, query_result *result)
{
	row_query q = { .s = s, .request = request, .out = out };
	imgsearch_metric metric = s->coded.base.rows->metric;
	uint32_t dim = s->coded.base.rows->dim, node;
	bool ip = metric == IMGSEARCH_METRIC_IP, found = true;
	double length = length_of(query, dim), terms = 20 * unit, epsilon = request->params.epsilon;
	double relative = ip ? 0 : 3 * terms;
	double absolute = 1e-37 + (ip ? 2 * terms * length * s->longest : 0);
	kd_walk walk = { .t = &s->tree, .metric = metric, .point = q.point };
	if (!(length < 1e15)) {
		result->scan = true;
		return;
	}
	memcpy(q.point, query, dim * sizeof *query);
	ims_kd_begin(&walk);
	while (!result->rc) {
		double limit = fmin(request->max_distance, ims_topk_worst(out));
		limit = walk_limit(limit, relative, absolute, epsilon);
		result->rc = ims_kd_next(&walk, limit, &node, &found, &result->err);
		if (result->rc || !found || checks_reached(request, result->report.rows_checked, result))
			break;
		const kd_node *bucket = &s->tree.node[node];
		scan_bucket(&q, bucket);
		result->report.rows_checked += bucket->to - bucket->from;
	}
	ims_kd_end(&walk);
}

/* Filters the blocks of a bucket: at most FILTER_BLOCKS at once, and not across runs. */
static void filter_bucket(bound_query *q, const kd_node *bucket)
{
	size_t run = ims_column_run_items(&q->codes->stage[0].column);
	size_t end = ims_codes_blocks(bucket->to);
	for (size_t b = bucket->from / IMS_BLOCK_ROWS, n; b < end && !q->rc; b += n) {
		n = end - b < FILTER_BLOCKS ? end - b : FILTER_BLOCKS;
		n = n < run - b % run ? n : run - b % run;
		ims_filter_blocks(q, b, n);
	}
}

/* The walk of a prepared query. */
static void begin_walk(kd_walk *walk, const kdtree *s, const bound_query *q)
{
	const codes *c = s->coded.codes;
	uint32_t m = s->tree.coordinates;
	double head2 = 0, skew = c->axes.skew;
	for (uint32_t i = 0; i < m; i++)
		head2 += (double)q->components[i] * q->components[i];
	double query_error = ims_projection_error(c->dim, skew, m, q->length);
	double row_error = ims_projection_error(c->dim, skew, m, c->radius);
	walk->t = &s->tree;
	walk->metric = c->metric;
	walk->point = q->components;
	walk->offset = q->offset;
	walk->error = c->metric == IMGSEARCH_METRIC_IP ? query_error * c->radius + row_error * q->length
												   : query_error + row_error;
	walk->residual_error = ims_projection_residual(q->length, head2, query_error, &walk->residual);
	ims_kd_begin(walk);
}

static void query_codes(const kdtree *s, bound_query *q, topk *out, query_result *result)
{
	const search_request *request = q->request;
	uint32_t node;
	uint64_t checked = 0;
	double epsilon = request->params.epsilon;
	double relative = epsilon > 0 ? 0 : q->relative_error;
	double absolute = epsilon > 0 ? 0 : q->absolute_error;
	bool found;
	kd_walk walk;
	begin_walk(&walk, s, q);
	while (!result->rc && !q->rc) {
		double limit = walk_limit(q->limit, relative, absolute, epsilon);
		result->rc = ims_kd_next(&walk, limit, &node, &found, &result->err);
		if (result->rc || !found || checks_reached(request, checked, result))
			break;
		const kd_node *bucket = &s->tree.node[node];
		filter_bucket(q, bucket);
		checked += bucket->to - bucket->from;
	}
	ims_kd_end(&walk);
	if (!result->rc && !q->rc)
		result->scan = !ims_refine(q, 0, out, &result->report);
	if (!result->rc)
		result->rc = q->rc;
}

static void run_query(void *arg, size_t i, unsigned worker)
{
	batch *b = arg;
	const kdtree *s = b->s;
	const search_request *request = b->request;
	query_result *result = &b->result[i];
	(void)worker;
	result->report.exact = !(request->params.epsilon > 0);
	result->rc = ims_stop_check(request->stop, &result->err);
	if (result->rc)
		return;
	if (s->rows) {
		const float *query = request->queries + i * s->coded.base.rows->dim;
		query_rows(s, request, query, &b->out[i], result);
		return;
	}
	lease_pool *queries = (lease_pool *)&s->coded.queries;
	bound_query *q = ims_bound_query_acquire(queries);
	if (!q) {
		result->rc = ims_nomem(&result->err);
		return;
	}
	if (ims_bound_query_begin(q, s->coded.codes, s->coded.base.rows, request, i, NULL,
			&result->err))
		query_codes(s, q, &b->out[i], result);
	else
		result->scan = !(result->rc = q->rc);
	ims_lease_release(queries, q);
}

static int scan_query(const batch *b, size_t i, imgsearch_error *err)
{
	const row_source *rows = b->s->coded.base.rows;
	search_request one = *b->request;
	one.queries += i * rows->dim;
	one.n = 1;
	ims_topk_clear(&b->out[i]);
	return ims_search_scan_into(rows, &one, &b->out[i], &b->result[i].report, err);
}

static int kdtree_query(const searcher *base, const search_request *request, topk *out,
	search_report *report, imgsearch_error *err)
{
	const kdtree *s = (const kdtree *)base;
	if (!s->tree.nodes)
		return ims_search_scan_into(base->rows, request, out, report, err);
	batch b = { s, request, out, ims_zalloc(request->n, sizeof *b.result) };
	if (!b.result)
		return ims_nomem(err);
	ims_parallel(request->n > 1 ? request->pool : NULL, request->n, run_query, &b);
	*report = (search_report){
		true,
		s->rows ? "tree over coordinates" : "tree over components, codes",
		0,
	};
	int rc = 0;
	for (size_t i = 0; !rc && i < request->n; i++) {
		query_result *result = &b.result[i];
		rc = result->rc;
		if (rc && err)
			*err = result->err;
		if (!rc && result->scan)
			rc = scan_query(&b, i, err);
		report->rows_checked += result->report.rows_checked;
		report->exact &= result->report.exact;
	}
	ims_free(b.result);
	return rc;
}

/* ---------------------------------------------------------------------------------- table ---- */

static uint64_t kdtree_memory(const searcher *base)
{
	const kdtree *s = (const kdtree *)base;
	uint64_t row = base->rows->dim * sizeof(float) + sizeof(int64_t);
	uint64_t node = sizeof(kd_node) + 2 * s->tree.coordinates * sizeof(float);
	return sizeof *s + (s->rows ? s->tree.n * row : 0) + s->tree.nodes * node
		+ ims_codes_memory(s->coded.codes);
}

const searcher_ops ims_search_kdtree = {
	.name = "kdtree",
	.version = 2,
	.change_cost = 8,
	.build = kdtree_build,
	.save = ims_kdtree_save,
	.load = ims_kdtree_load,
	.query = kdtree_query,
	.memory = kdtree_memory,
	.free = kdtree_free,
};

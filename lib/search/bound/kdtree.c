/*
 * The kdtree searcher. Rows of few dimensions lie in memory as they are, in the order of a tree over their coordinates.
 * Longer ones lie as compact codes (codes.h) in the order of a tree over their leading principal components; a bucket's
 * bound adds what the other components must at least differ by, and its rows go through the cascade (cascade.h). Both
 * are exact until `checks` (rows looked at) or `epsilon` (answers within 1 + epsilon of the true distance) say otherwise.
 * Added rows are the wrapper's tail. Few rows, and numbers out of the range of f32 bounds, are scanned.
 */
#include "search/bound/cascade.h"
#include "search/internal.h"
#include "search/bound/kd.h"

#include <math.h>

enum {
	RAW_DIM = 32,        /* up to here the rows' own coordinates */
	RAW_BUCKET = 32,
	COORDINATES = 16,    /* leading components of longer rows */
	CODED_BUCKET = 256
};

static const double unit = 0x1p-24;

typedef struct kdtree {
	searcher base;
	kd_tree tree;        /* nodes 0: scan */
	float *rows;         /* raw: in the tree's order, with */
	int64_t *ids;
	double longest;
	codes *c;            /* or coded */
	cascade_pool pool;
} kdtree;

static void kdtree_free(searcher *base)
{
	kdtree *s = (kdtree *)base;
	if (!s)
		return;
	ims_kd_free(&s->tree);
	ims_free(s->rows);
	ims_free(s->ids);
	ims_codes_free(s->c);
	ims_cascade_pool_free(&s->pool);
	ims_free(s);
}

static kdtree *kdtree_new(const row_source *rows, imgsearch_error *err)
{
	kdtree *s = ims_zalloc(1, sizeof(*s));
	if (!s) {
		ims_nomem(err);
		return NULL;
	}
	s->base = (searcher){ &ims_search_kdtree, rows };
	ims_cascade_pool_init(&s->pool);
	return s;
}

/* -------------------------------------------------------------------------------------------------- build ---- */

typedef struct points {
	const rotation *axes;  /* NULL: the rows themselves */
	codes slack;           /* only for its bounds */
	uint32_t dim, coordinates;
	float *at, *rest, *work;
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

/* Components of one row, and the range in which the length of the others lies. */
static void project(points *p, const float *row, float *y, float *rest)
{
	double head2 = 0, r;
	for (uint32_t i = 0; i < p->dim; i++)
		p->work[i] = row[i] - p->axes->mean[i];
	for (uint32_t k = 0; k < p->coordinates; k++) {
		y[k] = ims_kernels()->dot_f32(p->work, p->axes->axes + (size_t)k * p->dim, p->dim);
		head2 += (double)y[k] * y[k];
	}
	double length = length_of(p->work, p->dim), slack = ims_codes_slack(&p->slack, p->coordinates, length);
	double wrong = ims_codes_rest(length, head2, slack, &r);
	rest[0] = (float)(fmax(r - wrong, 0) * (1 - 4 * unit));
	rest[1] = (float)((r + wrong) * (1 + 4 * unit));
}

static int take_points(void *user, const int64_t *ids, const float *rows, size_t n)
{
	points *p = user;
	for (size_t i = 0; i < n && p->n < p->total; i++, p->n++) {
		const float *row = rows + i * p->dim;
		if (p->axes) {
			project(p, row, p->at + p->n * p->coordinates, p->rest + 2 * p->n);
			continue;
		}
		double length = length_of(row, p->dim);
		p->longest = length > p->longest ? length : p->longest;
		memcpy(p->at + p->n * p->dim, row, p->dim * sizeof(float));
		p->rest[2 * p->n] = p->rest[2 * p->n + 1] = 0;
		p->ids[p->n] = ids[i];
	}
	return p->job ? ims_job_step(p->job, "build", p->n, p->total, p->err) : 0;
}

static int collect(points *p, const row_source *rows, imgsearch_error *err)
{
	p->err = err;
	p->total = rows->n;
	p->dim = rows->dim;
	p->at = ims_alloc(rows->n * p->coordinates, sizeof(float));
	p->rest = ims_alloc(rows->n, 2 * sizeof(float));
	p->work = ims_alloc_aligned(rows->dim, sizeof(float));
	p->ids = ims_alloc(rows->n, sizeof(int64_t));
	int rc = p->at && p->rest && p->work && p->ids ? rows->scan(rows->ctx, take_points, p, err) : ims_nomem(err);
	return rc || p->n == p->total ? rc : ims_fail(err, IMGSEARCH_EBUSY, "rows changed while a searcher was built over them");
}

static int order_rows(kdtree *s, const points *p, const uint32_t *slot, imgsearch_error *err)
{
	s->rows = ims_alloc_aligned(p->n * p->dim, sizeof(float));
	s->ids = ims_alloc(p->n, sizeof(int64_t));
	s->longest = p->longest;
	if (!s->rows || !s->ids)
		return ims_nomem(err);
	for (size_t i = 0; i < p->n; i++) {
		memcpy(s->rows + slot[i] * p->dim, p->at + i * p->dim, p->dim * sizeof(float));
		s->ids[slot[i]] = p->ids[i];
	}
	return 0;
}

static int build_tree(kdtree *s, const row_source *rows, const rotation *axes, uint32_t coordinates, job *job, imgsearch_error *err)
{
	points p = { .axes = axes, .coordinates = coordinates, .job = job };
	uint32_t n = (uint32_t)rows->n, *slot = ims_alloc(rows->n, sizeof(*slot));
	p.slack.dim = rows->dim;
	p.slack.skew = 0.01; /* more than usable codes may have */
	int rc = slot ? collect(&p, rows, err) : ims_nomem(err);
	if (!rc && !axes && !(p.longest < 1e15))
		goto done;
	if (!rc)
		rc = ims_kd_build(&s->tree, p.at, p.rest, n, coordinates, axes ? CODED_BUCKET : RAW_BUCKET, axes ? IMS_BLOCK_ROWS : 1, slot, err);
	if (!rc)
		rc = axes ? ims_codes_build(&s->c, rows, axes, slot, job, err) : order_rows(s, &p, slot, err);
	if (!rc && axes && !s->c)
		ims_kd_free(&s->tree);
done:
	ims_free(slot);
	ims_free(p.at);
	ims_free(p.rest);
	ims_free(p.work);
	ims_free(p.ids);
	return rc;
}

static int kdtree_build(searcher **out, const row_source *rows, const search_params *p, job *job, imgsearch_error *err)
{
	rotation axes = { 0 };
	kdtree *s = kdtree_new(rows, err);
	int rc = s ? 0 : IMGSEARCH_ENOMEM;
	if (rc)
		return rc;
	if (!ims_codes_worth(rows)) {
		/* scanned */
	} else if (rows->dim <= RAW_DIM) {
		rc = build_tree(s, rows, NULL, rows->dim, job, err);
	} else {
		uint32_t parts = ims_codes_components(rows->dim), coordinates = p->components ? p->components : COORDINATES;
		parts = parts > COORDINATES ? parts : COORDINATES;
		rc = ims_rotation_fit(&axes, rows, parts, p->seed + 1, job, err);
		if (!rc)
			rc = build_tree(s, rows, &axes, coordinates < axes.parts ? coordinates : axes.parts, job, err);
	}
	ims_rotation_free(&axes);
	if (rc)
		kdtree_free(&s->base);
	else
		*out = &s->base;
	return rc;
}

/* ------------------------------------------------------------------------------------------------- queries ---- */

typedef struct asking {
	const kdtree *s;
	const search_request *q;
	topk *out;
	struct part {
		search_report report;
		imgsearch_error err;
		int rc;
		bool scan;
	} *part;
} asking;

/* True distances up to this may have a computed one up to `limit`; smaller by epsilon where that is allowed. */
static double widened(double limit, const double ends[2], double epsilon)
{
	if (epsilon > 0 && limit > 0 && limit < INFINITY)
		return limit / ((1 + epsilon) * (1 + epsilon));
	return limit + fabs(limit) * ends[0] + ends[1];
}

static void raw_bucket(const kdtree *s, const search_request *q, const float *query, const kd_node *d, topk *out)
{
	uint32_t dim = s->base.rows->dim;
	for (uint32_t i = d->from; i < d->to; i++) {
		float distance = ims_search_distance(s->base.rows->metric, query, s->rows + (size_t)i * dim, dim);
		if (distance <= q->max_distance && distance <= ims_topk_worst(out) && ims_search_passes(q, s->ids[i]))
			ims_topk_push(out, distance, s->ids[i]);
	}
}

static void ask_raw(const kdtree *s, const search_request *q, const float *query, topk *out, struct part *part)
{
	uint32_t dim = s->base.rows->dim, node;
	double length = length_of(query, dim), terms = 20 * unit;
	bool ip = s->base.rows->metric == IMGSEARCH_METRIC_IP;
	double ends[2] = { ip ? 0 : 3 * terms, 1e-37 + (ip ? 2 * terms * length * s->longest : 0) };
	kd_walk w = { .t = &s->tree, .metric = s->base.rows->metric, .point = query };
	if (!(length < 1e15)) {
		part->scan = true;
		return;
	}
	part->rc = ims_kd_begin(&w, &part->err);
	while (!part->rc && ims_kd_next(&w, widened(fmin(q->max_distance, ims_topk_worst(out)), ends, q->params.epsilon), &node)) {
		const kd_node *d = &s->tree.node[node];
		if (q->params.checks && part->report.rows_checked >= q->params.checks) {
			part->report.exact = false;
			break;
		}
		raw_bucket(s, q, query, d, out);
		part->report.rows_checked += d->to - d->from;
	}
	ims_kd_end(&w);
}

/* Blocks of the bucket's rows, at most CASCADE_STEP at once and not across chunks. */
static void coded_bucket(cascade *x, const kd_node *d)
{
	size_t chunk = (size_t)1 << x->c->level[0].col.shift, to = (d->to + IMS_BLOCK_ROWS - 1) / IMS_BLOCK_ROWS;
	for (size_t b = d->from / IMS_BLOCK_ROWS; b < to && !x->rc;) {
		size_t n = to - b < CASCADE_STEP ? to - b : CASCADE_STEP, room = chunk - b % chunk;
		n = n < room ? n : room;
		ims_cascade_blocks(x, b, n);
		b += n;
	}
}

static void ask_coded(const kdtree *s, cascade *x, const search_request *q, topk *out, struct part *part)
{
	const codes *c = s->c;
	uint32_t node, m = s->tree.coordinates;
	double head2 = 0, seen = 0, none[2] = { 0, 0 };
	const float *y = (const float *)x->memory + c->dim;
	for (uint32_t i = 0; i < m; i++)
		head2 += (double)y[i] * y[i];
	double own = ims_codes_slack(c, m, x->length), theirs = ims_codes_slack(c, m, c->radius);
	bool ip = c->metric == IMGSEARCH_METRIC_IP;
	kd_walk w = { .t = &s->tree, .metric = c->metric, .point = y, .error = ip ? own * c->radius + theirs * x->length : own + theirs };
	w.rest_error = ims_codes_rest(x->length, head2, own, &w.rest);
	for (uint32_t i = 0; ip && i < c->dim; i++)
		w.offset -= (double)x->query[i] * c->mean[i];
	part->rc = ims_kd_begin(&w, &part->err);
	while (!part->rc && !x->rc && ims_kd_next(&w, q->params.epsilon > 0 ? widened(x->limit, none, q->params.epsilon) : widened(x->limit, x->ends, 0), &node)) {
		if (q->params.checks && seen >= q->params.checks) {
			part->report.exact = false;
			break;
		}
		coded_bucket(x, &s->tree.node[node]);
		seen += s->tree.node[node].to - s->tree.node[node].from;
	}
	ims_kd_end(&w);
	if (!part->rc && !x->rc)
		part->scan = !ims_cascade_finish(x, 0, out, &part->report);
	if (!part->rc)
		part->rc = x->rc;
}

static void ask(void *arg, size_t i, unsigned worker)
{
	asking *a = arg;
	const kdtree *s = a->s;
	struct part *part = &a->part[i];
	(void)worker;
	part->report.exact = !(a->q->params.epsilon > 0);
	if (ims_cancelled(a->q->cancel)) {
		part->rc = ims_fail(&part->err, IMGSEARCH_ECANCELED, "the search was cancelled");
		return;
	}
	if (s->rows) {
		ask_raw(s, a->q, a->q->queries + i * s->base.rows->dim, &a->out[i], part);
		return;
	}
	cascade *x = ims_cascade_take((cascade_pool *)&s->pool);
	if (!x) {
		part->rc = ims_nomem(&part->err);
		return;
	}
	if (ims_cascade_begin(x, s->c, s->base.rows, a->q, i, NULL, &part->err))
		ask_coded(s, x, a->q, &a->out[i], part);
	else
		part->scan = !(part->rc = x->rc);
	ims_cascade_give((cascade_pool *)&s->pool, x);
}

static int kdtree_query(const searcher *base, const search_request *q, topk *out, search_report *report, imgsearch_error *err)
{
	const kdtree *s = (const kdtree *)base;
	if (!s->tree.nodes)
		return ims_search_scan_into(base->rows, q, out, report, err);
	asking a = { s, q, out, ims_zalloc(q->n, sizeof(*a.part)) };
	if (!a.part)
		return ims_nomem(err);
	ims_parallel(q->n > 1 ? q->pool : NULL, q->n, ask, &a);
	*report = (search_report){ true, s->rows ? "tree over coordinates" : "tree over components, codes", 0 };
	int rc = 0;
	for (size_t i = 0; !rc && i < q->n; i++) {
		rc = a.part[i].rc;
		if (rc && err)
			*err = a.part[i].err;
		if (!rc && a.part[i].scan) {
			search_request one = *q;
			one.queries += i * base->rows->dim;
			one.n = 1;
			ims_topk_clear(&out[i]);
			rc = ims_search_scan_into(base->rows, &one, &out[i], &a.part[i].report, err);
		}
		report->rows_checked += a.part[i].report.rows_checked;
		report->exact &= a.part[i].report.exact;
	}
	ims_free(a.part);
	return rc;
}

/* ------------------------------------------------------------------------------------------ save and load ---- */

static int kdtree_save(const searcher *base, const chunk_sink *sink, imgsearch_error *err)
{
	const kdtree *s = (const kdtree *)base;
	uint32_t number = 1;
	buf head = { 0 }, tree = { 0 };
	if (s->tree.nodes)
		ims_kd_save(&s->tree, &tree);
	ims_buf_put(&head, "IMSKDTR", 8);
	ims_buf_u32(&head, s->tree.nodes ? s->rows ? 1 : 2 : 0);
	ims_buf_u32(&head, s->tree.n);
	ims_buf_u64(&head, tree.len);
	ims_buf_f32(&head, (float)(s->longest * 1.000001));
	int rc = head.failed || tree.failed ? ims_nomem(err) : sink->put(sink->ctx, 0, head.data, head.len, err);
	if (!rc)
		rc = ims_codes_put_bytes(sink, &number, tree.data, tree.len, err);
	if (!rc && s->rows)
		rc = ims_codes_put_bytes(sink, &number, s->rows, (size_t)s->tree.n * base->rows->dim * sizeof(float), err);
	if (!rc && s->rows)
		rc = ims_codes_put_bytes(sink, &number, s->ids, s->tree.n * sizeof(int64_t), err);
	if (!rc && s->c)
		rc = ims_codes_save(s->c, sink, &number, err);
	ims_buf_free(&head);
	ims_buf_free(&tree);
	return rc;
}

/* What a header claims must be there in chunks before memory is asked for. */
static bool plausible(const chunk_source *source, uint64_t bytes)
{
	return bytes >> 20 <= source->chunks;
}

static int load_rows(kdtree *s, const chunk_source *source, uint32_t *number, imgsearch_error *err)
{
	size_t n = s->tree.n, dim = s->base.rows->dim;
	if (dim > RAW_DIM || !plausible(source, (uint64_t)n * (dim * sizeof(float) + sizeof(int64_t))))
		return ims_fail(err, IMGSEARCH_EFORMAT, "a tree of %zu rows in %u chunks", n, source->chunks);
	s->rows = ims_alloc_aligned(n * dim, sizeof(float));
	s->ids = ims_alloc(n, sizeof(int64_t));
	int rc = s->rows && s->ids ? ims_codes_get_bytes(source, number, s->rows, n * dim * sizeof(float), err) : ims_nomem(err);
	return rc ? rc : ims_codes_get_bytes(source, number, s->ids, n * sizeof(int64_t), err);
}

static int load_tree(kdtree *s, const chunk_source *source, imgsearch_error *err)
{
	uint32_t number = 1;
	buf head = { 0 };
	uint8_t *tree = NULL;
	int rc = source->get(source->ctx, 0, &head, err);
	reader r = { .data = head.data, .len = head.len };
	const void *magic = ims_read_bytes(&r, 8);
	uint32_t kind = ims_read_u32(&r), n = ims_read_u32(&r);
	uint64_t size = ims_read_u64(&r);
	s->longest = ims_read_f32(&r);
	if (!rc && (r.failed || memcmp(magic, "IMSKDTR", 8) || kind > 2 || !plausible(source, size) || !(s->longest >= 0 && s->longest < 1e16)))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "not the state of a kdtree searcher");
	if (rc || !kind)
		goto done;
	tree = ims_alloc(size, 1);
	rc = tree ? ims_codes_get_bytes(source, &number, tree, size, err) : ims_nomem(err);
	reader t = { .data = tree, .len = size };
	if (!rc)
		rc = ims_kd_load(&s->tree, &t, n, err);
	if (!rc)
		rc = kind == 1 ? load_rows(s, source, &number, err) : ims_codes_load(&s->c, s->base.rows, source, &number, err);
	if (!rc && (kind == 1 ? s->tree.coordinates != s->base.rows->dim : s->tree.coordinates > s->c->components || s->c->n != n))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "the tree does not fit its rows");
done:
	ims_buf_free(&head);
	ims_free(tree);
	return rc;
}

static int kdtree_load(searcher **out, const row_source *rows, const chunk_source *source, imgsearch_error *err)
{
	kdtree *s = kdtree_new(rows, err);
	int rc = s ? load_tree(s, source, err) : IMGSEARCH_ENOMEM;
	if (rc)
		kdtree_free(s ? &s->base : NULL);
	else
		*out = &s->base;
	return rc;
}

static uint64_t kdtree_memory(const searcher *base)
{
	const kdtree *s = (const kdtree *)base;
	uint64_t rows = s->rows ? (uint64_t)s->tree.n * (base->rows->dim * sizeof(float) + sizeof(int64_t)) : 0;
	return sizeof(*s) + rows + ims_codes_memory(s->c) + s->tree.nodes * (sizeof(kd_node) + 2 * s->tree.coordinates * sizeof(float));
}

const searcher_ops ims_search_kdtree = {
	.name = "kdtree",
	.version = 2,
	.build = kdtree_build,
	.save = kdtree_save,
	.load = kdtree_load,
	.query = kdtree_query,
	.memory = kdtree_memory,
	.free = kdtree_free,
};

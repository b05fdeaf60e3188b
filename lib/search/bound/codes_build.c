/* Building codes: scales from a sample, an order of slots, then one pass over the rows. */
#include "search/bound/codes_build.h"

#include "search/bound/kd_tree.h"

#include <string.h>

enum {
	SAMPLE = 2048, /* rows that scales are fitted on */
	ORDER = 16,    /* components by which rows are ordered */
	TASK = 32      /* rows that a worker encodes at once */
};

typedef struct encoding {
	codes *c;
	const int64_t *ids; /* of the block of rows at work */
	const float *rows;
	size_t n; /* rows of the block */
	size_t done, total;
	size_t stride;        /* of projected rows */
	float *points;        /* (total, ORDER): this pass only takes leading components; or NULL */
	const uint32_t *slot; /* of the i-th row; NULL: i */
	float *work;          /* for each worker TASK rows, centred and projected */
	size_t work_size;
	unsigned passes;
	job *job;
	imgsearch_error *err;
} encoding;

static int fit_stage_scales(code_stage *s, const codes *c, const float *centred,
	const float *components, size_t n, imgsearch_error *err)
{
	size_t stride = s->raw ? c->dim : ims_projection_stride(&c->axes);
	const float *values = s->raw ? centred : components + s->first;
	s->scale = ims_zalloc(s->count, sizeof(float));
	if (!s->scale)
		return ims_nomem(err);
	for (uint32_t i = 0; i < s->count; i++)
		s->scale[i] = ims_stage_fit_scale(values + i, stride, n);
	return 0;
}

static int fit_scales(codes *c, const row_source *rows, const job *job, imgsearch_error *err)
{
	size_t stride = ims_projection_stride(&c->axes), n = 0;
	float *components = ims_alloc_aligned(SAMPLE * stride + 1, sizeof(float));
	float *sample = ims_alloc_aligned(SAMPLE, c->dim * sizeof(float));
	int rc = components && sample ? 0 : ims_nomem(err);
	if (!rc)
		rc = ims_search_sample(rows, SAMPLE, sample, &n, job, err);
	for (size_t i = 0; !rc && i < n; i++)
		ims_codes_centre(c, sample + i * c->dim, sample + i * c->dim);
	if (!rc)
		ims_projection_apply(&c->axes, sample, n, components, stride);
	for (unsigned i = 0; !rc && i < c->stages; i++)
		rc = fit_stage_scales(&c->stage[i], c, sample, components, n, err);
	ims_free(sample);
	ims_free(components);
	return rc;
}

static void encode_task(void *arg, size_t task, unsigned worker)
{
	encoding *e = arg;
	codes *c = e->c;
	size_t from = task * TASK, n = e->n - from < TASK ? e->n - from : TASK, at = e->done + from;
	float *centred = e->work + worker * e->work_size, *components = centred + TASK * c->dim;
	for (size_t i = 0; i < n; i++)
		ims_codes_centre(c, e->rows + (from + i) * c->dim, centred + i * c->dim);
	if (e->points) {
		ims_kernels()->panel_f32(centred, n, c->dim, c->axes.panels, components, e->stride);
		for (size_t i = 0; i < n; i++)
			memcpy(e->points + (at + i) * ORDER, components + i * e->stride, ORDER * sizeof(float));
		return;
	}
	ims_projection_apply(&c->axes, centred, n, components, e->stride);
	for (size_t i = 0; i < n; i++)
		ims_codes_encode(c, e->ids[from + i], centred + i * c->dim, components + i * e->stride,
			e->slot ? e->slot[at + i] : at + i);
}

static int encoding_init(encoding *e, codes *c, pool *pool, imgsearch_error *err)
{
	e->c = c;
	e->err = err;
	e->stride = ims_projection_stride(&c->axes);
	e->work_size = (TASK * (c->dim + e->stride) + 15) / 16 * 16;
	e->work = ims_alloc_aligned(ims_pool_threads(pool) * e->work_size, sizeof(float));
	return e->work ? 0 : ims_nomem(err);
}

static int encode_block(void *user, const int64_t *ids, const float *rows, size_t n)
{
	encoding *e = user;
	if (e->done + n > e->total)
		n = e->total - e->done; /* the caller adds rows that came since */
	e->ids = ids;
	e->rows = rows;
	e->n = n;
	ims_parallel(e->job ? e->job->pool : NULL, (n + TASK - 1) / TASK, encode_task, e);
	e->done += n;
	uint64_t before = e->points ? 0 : e->passes - 1, total = e->total;
	return e->job
		? ims_job_step(e->job, "build", before * total + e->done, e->passes * total, e->err)
		: 0;
}

/* One pass over the rows. */
static int run_pass(encoding *e, const row_source *rows)
{
	e->done = 0;
	int rc = rows->scan(rows->ctx, encode_block, e, e->err);
	if (!rc && e->done != e->total)
		rc = ims_fail(e->err, IMGSEARCH_EBUSY, "rows changed while a searcher was built over them");
	return rc;
}

/*
 * Slots in the order of a k-d tree over the leading components, so that neighbours share blocks:
 * the rows that a stage does not exclude then lie in few blocks of the next stage.
 */
static int order_rows(encoding *e, const row_source *rows, uint32_t *slot)
{
	kd_tree tree;
	e->points = ims_alloc(e->total, ORDER * sizeof(float));
	int rc = e->points ? run_pass(e, rows) : ims_nomem(e->err);
	if (!rc)
		rc = ims_kd_build(&tree, e->points, NULL, (uint32_t)e->total, ORDER, IMS_BLOCK_ROWS,
			IMS_BLOCK_ROWS, slot, e->job, e->err);
	if (!rc)
		ims_kd_free(&tree);
	ims_free(e->points);
	e->points = NULL;
	e->slot = slot;
	return rc;
}

/* Codes with axes, stages and scales, and room for every row. */
static int prepare(codes **out, const row_source *rows, const rotation *axes, const job *job,
	imgsearch_error *err)
{
	codes *c = *out = ims_codes_new(err);
	if (!c)
		return IMGSEARCH_ENOMEM;
	c->dim = rows->dim;
	c->metric = rows->metric;
	c->mean = ims_alloc_aligned(c->dim, sizeof(float));
	if (!c->mean)
		return ims_nomem(err);
	memcpy(c->mean, axes->mean, c->dim * sizeof(float));
	c->stages = ims_stage_plan(c->stage, c->dim, axes->parts);
	for (unsigned i = 0; i < c->stages; i++)
		ims_stage_init(&c->stage[i], i, &c->lock);
	int rc = ims_projection_init(&c->axes, axes, job ? job->pool : NULL, err);
	if (!rc)
		rc = fit_scales(c, rows, job, err);
	return rc ? rc : ims_codes_reserve(c, rows->n, err);
}

int ims_codes_build(codes **out, const row_source *rows, const rotation *axes, const uint32_t *slot,
	job *job, imgsearch_error *err)
{
	pool *pool = job ? job->pool : NULL;
	encoding e = { .slot = slot, .total = rows->n, .passes = 1, .job = job };
	uint32_t *order = NULL;
	codes *c;
	*out = NULL;
	if (!ims_codes_suit(rows))
		return 0;
	int rc = prepare(&c, rows, axes, job, err);
	if (!rc)
		rc = encoding_init(&e, c, pool, err);
	if (!rc && !slot && c->axes.components >= ORDER) {
		e.passes = 2;
		order = ims_alloc(rows->n, sizeof *order);
		rc = order ? order_rows(&e, rows, order) : ims_nomem(err);
	}
	if (!rc)
		rc = run_pass(&e, rows);
	if (!rc) {
		c->n = c->live = e.done;
		*out = ims_codes_are_sound(c) ? c : NULL;
	}
	if (!*out)
		ims_codes_free(c);
	ims_free(order);
	ims_free(e.work);
	return rc;
}

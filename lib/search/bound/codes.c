/* Coding rows: sharing memory among the levels, scales from a sample, and the bounds that stand beside the codes. */
#include "search/bound/codes.h"

#include "kernels/kernels.h"
#include "search/bound/code_store.h"
#include "search/bound/kd.h"

#include <math.h>

enum {
	FEW = 256,      /* rows: fewer are scanned as fast */
	RAW_DIM = 96,   /* up to here one level of raw coordinates is all */
	FIRST = 64,     /* components of a level of blocks */
	SAMPLE = 2048,
	ORDER = 16,     /* components by which rows are ordered */
	TASK = 32       /* rows a worker takes at once */
};

static const double unit = 0x1p-24; /* of rounding, f32 */

/* Bytes for components: a third of the f32 row, less the raw level and what stands beside the codes. */
static uint32_t room(uint32_t dim)
{
	uint32_t all = dim + dim / 3, beside = 8 + 8 + 4 + 12; /* raw, id, order of ids, axes' share */
	return all > dim + beside ? all - dim - beside : 0;
}

enum { BLOCK_BESIDE = 13, ROW_BESIDE = 16 }; /* bytes a row */

static uint32_t first_count(uint32_t dim)
{
	uint32_t r = room(dim) < 16 + BLOCK_BESIDE ? 16 : (room(dim) - BLOCK_BESIDE) / 4 * 4;
	return r > FIRST ? FIRST : r;
}

uint32_t ims_codes_components(uint32_t dim)
{
	if (dim <= RAW_DIM)
		return 0;
	uint32_t m = first_count(dim), left = room(dim) < m + BLOCK_BESIDE ? 0 : room(dim) - m - BLOCK_BESIDE;
	for (; m < 3 * FIRST && left >= FIRST + BLOCK_BESIDE; left -= FIRST + BLOCK_BESIDE)
		m += FIRST;
	return left >= 32 + ROW_BESIDE ? m + (left - ROW_BESIDE < 256 ? (left - ROW_BESIDE) / 16 * 16 : 256) : m;
}

/* Up to three levels of blocks, one of records with the other components, the raw coordinates. */
static void plan(codes *c)
{
	uint32_t at = 0, next = first_count(c->dim);
	for (; at < c->components && c->levels < 3 && c->components - at >= 16; next = FIRST) {
		uint32_t count = c->components - at < next ? c->components - at : next;
		c->level[c->levels++] = (code_level){ .from = at, .count = count, .blocks = true };
		at += count;
	}
	if (at < c->components)
		c->level[c->levels++] = (code_level){ .from = at, .count = c->components - at };
	c->level[c->levels++] = (code_level){ .count = c->dim, .raw = true };
	c->level[0].blocks = true;
	for (unsigned l = 0; l < c->levels; l++)
		ims_codes_level_size(&c->level[l], l == 0);
}

/* -------------------------------------------------------------------------------------------- projection ---- */

void ims_codes_project(const codes *c, const float *centred, size_t n, float *y, size_t stride)
{
	for (uint32_t p = 0; p * IMS_PANEL < c->components; p++)
		ims_kernels()->panel_f32(centred, n, c->dim, c->panels + (size_t)p * c->dim * IMS_PANEL, y + p * IMS_PANEL, stride);
}

/* Higham, Accuracy and Stability, 3.1: a sum of n products errs by at most n units of what its terms' sizes add up to. */
double ims_codes_slack(const codes *c, uint32_t m, double length)
{
	double terms = IMS_PANEL_SUM + c->dim / IMS_PANEL_SUM + 6;
	return (1.1 * c->skew + 1.01 * terms * unit * sqrt(m) + 2 * unit) * length;
}

double ims_codes_rest(double length, double head2, double slack, double *r)
{
	double rest2 = length * length - head2, wrong = (2 * length + slack) * slack + 1e-14 * length * length;
	*r = rest2 > 0 ? sqrt(rest2) : 0;
	return *r * *r > wrong ? wrong / *r : sqrt(wrong);
}

static int pack_axes(codes *c, const rotation *axes, imgsearch_error *err)
{
	size_t panels = (c->components + IMS_PANEL - 1) / IMS_PANEL, size = (size_t)c->dim * IMS_PANEL;
	if (!panels)
		return 0;
	c->panels = ims_alloc_aligned(panels * size, sizeof(float));
	if (!c->panels)
		return ims_nomem(err);
	memset(c->panels, 0, panels * size * sizeof(float));
	for (size_t k = 0; k < c->components; k++)
		for (size_t i = 0; i < c->dim; i++)
			c->panels[k / IMS_PANEL * size + i * IMS_PANEL + k % IMS_PANEL] = axes->axes[k * c->dim + i];
	return 0;
}

typedef struct skewing {
	const rotation *axes;
	uint32_t count;
	double *row;
} skewing;

static void skew_row(void *arg, size_t i, unsigned worker)
{
	skewing *s = arg;
	size_t dim = s->axes->dim;
	(void)worker;
	s->row[i] = 0;
	for (size_t j = 0; j < s->count; j++) {
		const float *a = s->axes->axes + i * dim, *b = s->axes->axes + j * dim;
		double sum[4] = { i == j ? -1 : 0 };
		size_t k = 0;
		for (; k + 4 <= dim; k += 4)
			for (size_t t = 0; t < 4; t++)
				sum[t] += (double)a[k + t] * b[k + t];
		for (; k < dim; k++)
			sum[0] += (double)a[k] * b[k];
		s->row[i] += fabs(sum[0] + sum[1] + sum[2] + sum[3]);
	}
}

/* The largest sum of a row of |axes axes' - 1| bounds its norm. */
static int measure_skew(codes *c, const rotation *axes, pool *pool, imgsearch_error *err)
{
	skewing s = { axes, c->components, ims_alloc(c->components + 1, sizeof(double)) };
	if (!s.row)
		return ims_nomem(err);
	ims_parallel(pool, s.count, skew_row, &s);
	for (uint32_t i = 0; i < s.count; i++)
		c->skew = s.row[i] > c->skew ? s.row[i] : c->skew;
	ims_free(s.row);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ scales ---- */

static double coding_error(const float *v, size_t stride, size_t n, float scale)
{
	double sum = 0;
	float back = scale > 0 ? 1 / scale : 0;
	for (size_t i = 0; i < n; i++) {
		float z = v[i * stride] * back, d = v[i * stride] - scale * (float)ims_code_of(z);
		sum += (double)d * d;
	}
	return sum;
}

/* The step that codes the sample best: the largest value is worth little if it is rare. */
static float best_scale(const float *v, size_t stride, size_t n)
{
	float largest = 0, best = 0;
	double least = INFINITY;
	for (size_t i = 0; i < n; i++)
		largest = fmaxf(largest, fabsf(v[i * stride]));
	for (int eighths = 3; eighths <= 8; eighths++) {
		float scale = largest * (float)eighths / (8 * 127);
		double e = coding_error(v, stride, n, scale);
		if (e <= least) {
			least = e;
			best = scale;
		}
	}
	return best > 1e-30f ? best : 0;
}

static void centre(const codes *c, const float *row, float *v)
{
	for (size_t i = 0; i < c->dim; i++)
		v[i] = row[i] - c->mean[i];
}

static int choose_scales(codes *c, const row_source *rows, imgsearch_error *err)
{
	size_t stride = (c->components + IMS_PANEL - 1) / IMS_PANEL * IMS_PANEL;
	size_t n = 0;
	float *y = ims_alloc_aligned(SAMPLE * stride + 1, sizeof(float));
	float *sample = ims_alloc_aligned(SAMPLE, c->dim * sizeof(float));
	int rc = y && sample ? ims_search_sample(rows, SAMPLE, sample, &n, err) : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++)
		centre(c, sample + i * c->dim, sample + i * c->dim);
	if (!rc)
		ims_codes_project(c, sample, n, y, stride);
	for (unsigned l = 0; !rc && l < c->levels; l++) {
		code_level *v = &c->level[l];
		v->scale = ims_zalloc(v->count, sizeof(float));
		if (!v->scale)
			rc = ims_nomem(err);
		for (uint32_t i = 0; !rc && i < v->count; i++)
			v->scale[i] = v->raw ? best_scale(sample + i, c->dim, n) : best_scale(y + v->from + i, stride, n);
	}
	ims_free(sample);
	ims_free(y);
	return rc;
}

/* ---------------------------------------------------------------------------------------------- encoding ---- */

typedef struct coded {
	double N, error2;
	float longest;
} coded;

/* Values into codes, each four of which stand fours_apart bytes behind the four before (4: side by side). */
static coded code_values(const code_level *l, const float *v, uint8_t *out, size_t fours_apart)
{
	coded r = { 0, 0, 0 };
	int64_t length2 = 0;
	for (uint32_t i = 0; i < l->bytes; i++) {
		int k = 0;
		if (i < l->count) {
			float scale = l->scale[i];
			k = scale > 0 ? ims_code_of(v[i] / scale) : 0;
			double decoded = (double)scale * k, d = v[i] - decoded;
			r.N += decoded * decoded;
			r.error2 += d * d;
			length2 += k * k;
		}
		out[i / 4 * fours_apart + i % 4] = (uint8_t)(k + 128);
	}
	r.longest = (float)sqrt((double)length2) * 1.0001f;
	return r;
}

static float up(double v)
{
	return (float)(v * (1 + 4 * unit)) + 1e-37f;
}

/* What stands beside a row's codes: r before, N, r and e of one level. */
static void put_beside(codes *c, unsigned i, uint8_t *item, size_t lane, const float beside[4])
{
	code_level *l = &c->level[i];
	if (l->blocks) {
		float *f = (float *)(void *)(item + l->bytes * IMS_BLOCK_ROWS) + lane;
		double before2 = (double)beside[0] * beside[0], rest2 = (double)beside[2] * beside[2];
		f[0] = c->metric == IMGSEARCH_METRIC_IP ? 0 : (float)(beside[1] + rest2 - before2);
		f[IMS_BLOCK_ROWS] = beside[2];
		if (i)
			f[2 * IMS_BLOCK_ROWS] = beside[0];
	} else if (l->raw) {
		memcpy(item + l->bytes, beside + 1, sizeof(float));
		memcpy(item + l->bytes + 4, beside + 3, sizeof(float));
	} else {
		memcpy(item + l->bytes, beside, 4 * sizeof(float));
	}
}

static void raise_bounds(codes *c, unsigned i, size_t slot, double length, float longest, float e)
{
	code_level *l = &c->level[i];
	pthread_mutex_lock(&c->lock);
	l->longest = fmaxf(l->longest, longest);
	c->radius = length > c->radius ? length : c->radius;
	if (l->blocks)
		l->block_error[slot / IMS_BLOCK_ROWS] = fmaxf(l->block_error[slot / IMS_BLOCK_ROWS], e);
	pthread_mutex_unlock(&c->lock);
}

/* Into its slot; the slot's chunks are there. */
static void encode_row(codes *c, const float *v, const float *y, size_t slot, int64_t id)
{
	double length2 = 0, head2 = 0, error2 = 0;
	float before = 0;
	for (size_t i = 0; i < c->dim; i++)
		length2 += (double)v[i] * v[i];
	double length = sqrt(length2);
	memcpy(ims_codes_item(&c->ids, slot), &id, sizeof(id));
	for (unsigned i = 0; i < c->levels; i++) {
		code_level *l = &c->level[i];
		size_t lane = l->blocks ? slot % IMS_BLOCK_ROWS : 0;
		uint8_t *item = ims_codes_item(&l->col, l->blocks ? slot / IMS_BLOCK_ROWS : slot);
		coded k = code_values(l, l->raw ? v : y + l->from, item + lane * 4, l->blocks ? 64 : 4);
		double r = 0, e = sqrt(k.error2) + 2 * unit * length;
		if (!l->raw) {
			for (uint32_t j = 0; j < l->count; j++)
				head2 += (double)y[l->from + j] * y[l->from + j];
			error2 += k.error2;
			double slack = ims_codes_slack(c, l->from + l->count, length);
			e = sqrt(error2) + slack + ims_codes_rest(length, head2, slack, &r) + 4 * unit * r;
		}
		put_beside(c, i, item, lane, (float[]){ before, (float)k.N, (float)r, up(e) });
		raise_bounds(c, i, slot, length, k.longest, up(e));
		before = (float)r;
	}
}

typedef struct encoding {
	codes *c;
	const int64_t *ids;
	const float *rows;
	size_t n, done, total, stride;
	float *points;        /* a pass that only takes the first ORDER components of every row */
	const uint32_t *slot; /* of the i-th row */
	float *work;          /* for each worker TASK rows, centred and projected */
	size_t work_size;
	unsigned passes;
	job *job;
	imgsearch_error *err;
} encoding;

static void encode_task(void *arg, size_t task, unsigned worker)
{
	encoding *e = arg;
	codes *c = e->c;
	size_t from = task * TASK, n = e->n - from < TASK ? e->n - from : TASK;
	float *v = e->work + worker * e->work_size, *y = v + TASK * c->dim;
	size_t at = e->done + from;
	for (size_t i = 0; i < n; i++)
		centre(c, e->rows + (from + i) * c->dim, v + i * c->dim);
	if (e->points) {
		ims_kernels()->panel_f32(v, n, c->dim, c->panels, y, e->stride);
		for (size_t i = 0; i < n; i++)
			memcpy(e->points + (at + i) * ORDER, y + i * e->stride, ORDER * sizeof(float));
		return;
	}
	ims_codes_project(c, v, n, y, e->stride);
	for (size_t i = 0; i < n; i++)
		encode_row(c, v + i * c->dim, y + i * e->stride, e->slot ? e->slot[at + i] : at + i, e->ids[from + i]);
}

static int encoding_begin(encoding *e, codes *c, pool *pool, imgsearch_error *err)
{
	e->c = c;
	e->err = err;
	e->stride = (c->components + IMS_PANEL - 1) / IMS_PANEL * IMS_PANEL;
	e->work_size = (TASK * (c->dim + e->stride) + 15) / 16 * 16;
	e->work = ims_alloc_aligned(ims_pool_threads(pool) * e->work_size, sizeof(float));
	return e->work ? 0 : ims_nomem(err);
}

static int moved(imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_EBUSY, "rows changed while a searcher was built over them");
}

static int encode_block(void *user, const int64_t *ids, const float *rows, size_t n)
{
	encoding *e = user;
	if (e->done + n > e->total)
		n = e->total - e->done; /* rows that came since are the caller's to add */
	e->ids = ids;
	e->rows = rows;
	e->n = n;
	ims_parallel(e->job ? e->job->pool : NULL, (n + TASK - 1) / TASK, encode_task, e);
	e->done += n;
	uint64_t before = e->points ? 0 : e->passes - 1;
	return e->job ? ims_job_step(e->job, "build", before * e->total + e->done, e->passes * (uint64_t)e->total, e->err) : 0;
}

/*
 * Neighbours into the same blocks, by a k-d tree over the leading components: what a level does not exclude then lies in
 * few blocks of the next one.
 */
static int order_rows(encoding *e, const row_source *rows, uint32_t *slot)
{
	kd_tree tree;
	e->points = ims_alloc(e->total, ORDER * sizeof(float));
	int rc = e->points ? rows->scan(rows->ctx, encode_block, e, e->err) : ims_nomem(e->err);
	if (!rc && e->done != e->total)
		rc = moved(e->err);
	if (!rc) {
		rc = ims_kd_build(&tree, e->points, NULL, (uint32_t)e->total, ORDER, IMS_BLOCK_ROWS, IMS_BLOCK_ROWS, slot, e->err);
		ims_kd_free(&tree);
	}
	ims_free(e->points);
	e->points = NULL;
	e->done = 0;
	e->slot = slot;
	return rc;
}

void ims_codes_encode_at(codes *c, int64_t id, const float *row, size_t slot, float *work)
{
	float *y = work + c->dim;
	centre(c, row, work);
	ims_codes_project(c, work, 1, y, 0);
	encode_row(c, work, y, slot, id);
}

/* Bounds in f32 need numbers whose squares and products are neither infinite nor denormal. */
static bool usable(const codes *c)
{
	double mean2 = 0;
	for (size_t i = 0; i < c->dim; i++)
		mean2 += (double)c->mean[i] * c->mean[i];
	return c->radius > 1e-12 && c->radius < 1e15 && mean2 < 1e30 && c->skew < 0.01;
}

static codes *codes_new(const row_source *rows, const rotation *axes, imgsearch_error *err)
{
	codes *c = ims_zalloc(1, sizeof(*c));
	if (!c) {
		ims_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	c->dim = rows->dim;
	c->metric = rows->metric;
	c->components = axes->parts;
	c->mean = ims_alloc_aligned(c->dim, sizeof(float));
	if (!c->mean) {
		ims_codes_free(c);
		ims_nomem(err);
		return NULL;
	}
	memcpy(c->mean, axes->mean, c->dim * sizeof(float));
	plan(c);
	return c;
}

bool ims_codes_worth(const row_source *rows)
{
	return rows->n >= FEW && rows->n <= UINT32_MAX - 1024;
}

int ims_codes_build(codes **out, const row_source *rows, const rotation *axes, const uint32_t *slot, job *job, imgsearch_error *err)
{
	pool *pool = job ? job->pool : NULL;
	encoding e = { .slot = slot, .total = rows->n, .passes = 1, .job = job };
	uint32_t *order = NULL;
	*out = NULL;
	if (!ims_codes_worth(rows))
		return 0;
	codes *c = codes_new(rows, axes, err);
	int rc = c ? pack_axes(c, axes, err) : IMGSEARCH_ENOMEM;
	if (!rc)
		rc = measure_skew(c, axes, pool, err);
	if (!rc)
		rc = choose_scales(c, rows, err);
	if (!rc)
		rc = ims_codes_reserve(c, rows->n, err);
	if (!rc)
		rc = encoding_begin(&e, c, pool, err);
	if (!rc && !slot && c->components >= ORDER) {
		e.passes = 2;
		order = ims_alloc(rows->n, sizeof(*order));
		rc = order ? order_rows(&e, rows, order) : ims_nomem(err);
	}
	if (!rc)
		rc = rows->scan(rows->ctx, encode_block, &e, err);
	if (!rc && e.done != rows->n)
		rc = moved(err);
	if (!rc) {
		c->n = c->live = e.done;
		*out = usable(c) ? c : NULL;
	}
	if (!*out)
		ims_codes_free(c);
	ims_free(order);
	ims_free(e.work);
	return rc;
}

/*
 * Preparing a query: its digits for every stage, what they lose, and what rounding may do to final
 * distances. Every bound is rounded the safe way. Arithmetic on codes is exact in integers up to
 * one conversion; `slack` has what f32 and the 16 bits of the digits lose, `error` what quantising
 * and projecting lose.
 */
#include "search/bound/query.h"

#include <math.h>
#include <string.h>

enum { DIGIT_MAX = 32512 };

static const double unit = 0x1p-24; /* the unit roundoff of f32 */

bound_query *ims_bound_query_acquire(lease_pool *p)
{
	bound_query *q = ims_lease_acquire(p);
	return q ? q : ims_zalloc(1, sizeof *q);
}

void ims_bound_query_free(void *query)
{
	bound_query *q = query;
	ims_topk_free(&q->seed_upper);
	ims_topk_free(&q->upper);
	ims_free(q->candidate);
	ims_free(q->score);
	ims_free(q->scratch);
	ims_free(q);
}

void ims_bound_query_set_limit(bound_query *q, double limit)
{
	q->limit = limit;
	double most = limit * (1 + q->relative_error) + q->absolute_error;
	if (q->codes->metric == IMGSEARCH_METRIC_IP)
		q->limit_root = most;
	else
		q->limit_root = most > 0 ? sqrt(most) : -INFINITY;
}

/* ---------------------------------------------------------------------------------- stages ---- */

/*
 * Values times the stage's scales as 16-bit digits with one factor. Digits past the values are 0.
 */
static void make_digits(stage_query *sq, const code_stage *s, const float *values, int16_t *digit)
{
	size_t padded = ims_stage_padded(s);
	int8_t *high = (int8_t *)(digit + padded), *low = high + padded;
	double largest = 0, lost = 0;
	int64_t sum = 0, size = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		double t = fabs((double)values[i] * s->scale[i]);
		largest = t > largest ? t : largest;
	}
	sq->scale = largest / DIGIT_MAX;
	double inverse = sq->scale > 1e-300 ? (DIGIT_MAX - 0.5) / largest : 0;
	for (uint32_t i = 0; i < s->count; i++) {
		double t = (double)values[i] * s->scale[i];
		int d = (int)(t * inverse + (t < 0 ? -0.5 : 0.5)), h = (d + 128) >> 8;
		t -= sq->scale * d;
		lost += t * t;
		sum += d;
		size += d < 0 ? -d : d;
		digit[i] = (int16_t)d;
		high[i] = (int8_t)h;
		low[i] = (int8_t)(d - 256 * h);
	}
	memset(digit + s->count, 0, (padded - s->count) * sizeof *digit);
	memset(high + s->count, 0, padded - s->count);
	memset(low + s->count, 0, padded - s->count);
	sq->digits = (query_i16){ digit, high, low, 0, 0, 0 };
	sq->constant = sq->scale * 128 * (double)sum;
	sq->slack = 2 * sqrt(lost) * s->longest * (1 + 1e-9)
		+ 4 * unit * sq->scale * 255 * (double)size;
}

/*
 * A stage's part of the squared distance is constant + N - 2 * scale * sum, of minus the inner
 * product constant - scale * sum. The term of the residuals replaces that of the stage before.
 * head2 and before2: squared lengths of the query's components up to this stage, and before it.
 */
static void prepare_stage(bound_query *q, unsigned i, double head2, double before2)
{
	const codes *c = q->codes;
	const code_stage *s = &c->stage[i];
	stage_query *sq = &q->stage[i], *last = i ? sq - 1 : NULL;
	bool ip = c->metric == IMGSEARCH_METRIC_IP;
	double span = q->length + c->radius, factor = ip ? 1 : 2;
	sq->residual = 0;
	sq->error = ip ? 0 : 2 * unit * q->length;
	sq->constant = factor * sq->constant;
	if (!ip)
		sq->constant += s->raw ? q->length * q->length : head2 - before2;
	if (!s->raw) {
		double error = ims_projection_error(c->dim, c->axes.skew, s->first + s->count, q->length);
		sq->error = error + ims_projection_residual(q->length, head2, error, &sq->residual)
			+ 4 * unit * sq->residual;
	}
	sq->slack += 16 * unit * span * span * factor;
	if (last && !s->raw)
		sq->slack += last->slack;
	if (!s->blocks)
		return;
	sq->digits.scale = (float)(-factor * sq->scale);
	sq->digits.r_factor = (float)(-factor * sq->residual);
	sq->digits.s_factor = last ? (float)(factor * last->residual) : 0;
	sq->constant += (ip ? 0 : sq->residual * sq->residual)
		+ (last ? last->constant - (ip ? 0 : last->residual * last->residual) : 0);
}

static void prepare_stages(bound_query *q, const float *centred, int16_t *digit)
{
	const codes *c = q->codes;
	double head2 = 0, before2 = 0;
	for (unsigned i = 0; i < c->stages; i++) {
		const code_stage *s = &c->stage[i];
		const float *values = s->raw ? centred : q->components + s->first;
		for (uint32_t j = 0; !s->raw && j < s->count; j++)
			head2 += (double)values[j] * values[j];
		make_digits(&q->stage[i], s, values, digit);
		prepare_stage(q, i, head2, before2);
		if (i == 0 || s->raw)
			q->stage[i].constant += q->offset;
		before2 = head2;
		digit += ims_stage_padded(s) * 2; /* the digits, and their high and low bytes */
	}
}

/* ----------------------------------------------------------------------------------- begin ---- */

static int reserve_scratch(bound_query *q)
{
	const codes *c = q->codes;
	size_t size = (c->dim + c->axes.components + 2 * IMS_PANEL) * sizeof(float);
	for (unsigned i = 0; i < c->stages; i++)
		size += ims_stage_padded(&c->stage[i]) * 4 + 64;
	if (size <= q->scratch_size)
		return 0;
	ims_free(q->scratch);
	q->scratch_size = 0;
	q->scratch = ims_alloc_aligned(size, 1);
	if (!q->scratch)
		return ims_nomem(q->err);
	q->scratch_size = size;
	return 0;
}

static int begin_heap(topk *t, size_t k, imgsearch_error *err)
{
	if (t->item && t->k == k) {
		ims_topk_clear(t);
		return 0;
	}
	ims_topk_free(t);
	return ims_topk_init(t, k) ? ims_nomem(err) : 0;
}

/* The vector less the mean (inner product: as it is), its length, its offset. */
static void centre_query(bound_query *q, float *centred)
{
	const codes *c = q->codes;
	double length2 = 0, with_mean = 0;
	bool ip = c->metric == IMGSEARCH_METRIC_IP;
	for (uint32_t i = 0; i < c->dim; i++) {
		centred[i] = ip ? q->vector[i] : q->vector[i] - c->mean[i];
		length2 += (double)centred[i] * centred[i];
		with_mean += (double)q->vector[i] * c->mean[i];
	}
	q->length = sqrt(length2);
	q->offset = ip ? -with_mean : 0;
}

/* Final distances are sums in f32 of dim terms in 64 lanes. */
static void set_final_errors(bound_query *q)
{
	const codes *c = q->codes;
	double terms = (c->dim / 64.0 + 16) * unit, mean2 = 0;
	for (uint32_t i = 0; i < c->dim; i++)
		mean2 += (double)c->mean[i] * c->mean[i];
	bool ip = c->metric == IMGSEARCH_METRIC_IP;
	q->relative_error = ip ? 0 : 3 * terms;
	q->absolute_error = ip ? 2 * terms * q->length * (c->radius + sqrt(mean2)) + 1e-37 : 1e-37;
}

static int begin_heaps(bound_query *q)
{
	size_t k = q->request->k;
	q->keeps_upper = k <= q->codes->live / 64 + 8;
	if (!q->keeps_upper)
		return 0;
	int rc = begin_heap(&q->seed_upper, k, q->err);
	return rc ? rc : begin_heap(&q->upper, k, q->err);
}

bool ims_bound_query_begin(bound_query *q, const codes *c, const row_source *rows,
	const search_request *request, size_t i, const float *components, imgsearch_error *err)
{
	q->codes = c;
	q->request = request;
	q->rows = rows;
	q->vector = request->queries + i * c->dim;
	q->err = err;
	q->candidates = 0;
	q->rc = reserve_scratch(q);
	if (!q->rc)
		q->rc = begin_heaps(q);
	if (q->rc || (!q->keeps_upper && request->max_distance == INFINITY))
		return false;
	float *centred = q->scratch, *own = centred + c->dim;
	centre_query(q, centred);
	if (!(q->length < 1e15) || !(c->radius < 1e15))
		return false;
	if (components)
		memcpy(own, components, c->axes.components * sizeof(float));
	else
		ims_projection_apply(&c->axes, centred, 1, own, 0);
	q->components = own;
	uintptr_t end = (uintptr_t)(own + c->axes.components + IMS_PANEL);
	prepare_stages(q, centred, (int16_t *)((end + 63) & ~(uintptr_t)63));
	set_final_errors(q);
	ims_bound_query_set_limit(q, request->max_distance);
	return true;
}

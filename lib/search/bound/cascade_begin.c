/* A query made ready for the cascade: its digits of every level, what they lose, and what rounding may do to final distances. */
#include "search/bound/cascade.h"

#include <math.h>

enum { DIGIT = 32512 };

static const double unit = 0x1p-24;

/* Values times scales as 16-bit digits with one factor. Digits past count are 0. */
static void digits(level_query *l, const code_level *v, const float *values, size_t padded, int16_t *q, double longest)
{
	int8_t *high = (int8_t *)(q + padded), *low = high + padded;
	double largest = 0, lost = 0;
	int64_t sum = 0, size = 0;
	for (uint32_t i = 0; i < v->count; i++) {
		double t = fabs((double)values[i] * v->scale[i]);
		largest = t > largest ? t : largest;
	}
	l->scale = largest / DIGIT;
	double back = l->scale > 1e-300 ? (DIGIT - 0.5) / largest : 0;
	for (uint32_t i = 0; i < v->count; i++) {
		double t = (double)values[i] * v->scale[i];
		int k = (int)(t * back + (t < 0 ? -0.5 : 0.5)), c = (k + 128) >> 8;
		t -= l->scale * k;
		lost += t * t;
		sum += k;
		size += k < 0 ? -k : k;
		q[i] = (int16_t)k;
		high[i] = (int8_t)c;
		low[i] = (int8_t)(k - 256 * c);
	}
	memset(q + v->count, 0, (padded - v->count) * sizeof(*q));
	memset(high + v->count, 0, padded - v->count);
	memset(low + v->count, 0, padded - v->count);
	l->code = (query_i16){ q, high, low, 0, 0, 0 };
	l->constant = l->scale * 128 * (double)sum;
	l->slack = 2 * sqrt(lost) * longest * (1 + 1e-9) + 4 * unit * l->scale * 255 * (double)size;
}

/*
 * A level's part of the squared distance (inner product: of minus the product) is constant + N - 2 scale sum (- scale
 * sum), and the rest's replaces that of the level before.
 */
static void prepare_level(cascade *x, unsigned i, double head2, double before2)
{
	const codes *c = x->c;
	level_query *l = &x->level[i], *last = i ? l - 1 : NULL;
	const code_level *v = &c->level[i];
	bool ip = c->metric == IMGSEARCH_METRIC_IP;
	double span = x->length + c->radius, factor = ip ? 1 : 2;
	l->rest = 0;
	l->error = ip ? 0 : 2 * unit * x->length;
	l->constant = factor * l->constant;
	if (!ip)
		l->constant += v->raw ? x->length * x->length : head2 - before2;
	if (!v->raw) {
		double slack = ims_codes_slack(c, v->from + v->count, x->length);
		l->error = slack + ims_codes_rest(x->length, head2, slack, &l->rest) + 4 * unit * l->rest;
	}
	l->slack += 16 * unit * span * span * factor;
	if (last && !v->raw)
		l->slack += last->slack;
	if (!v->blocks)
		return;
	l->code.scale = (float)(-factor * l->scale);
	l->code.r_factor = (float)(-factor * l->rest);
	l->code.s_factor = last ? (float)(factor * last->rest) : 0;
	l->constant += (ip ? 0 : l->rest * l->rest) + (last ? last->constant - (ip ? 0 : last->rest * last->rest) : 0);
}

/* Digits of all levels and room for the row itself. */
static int make_room(cascade *x)
{
	const codes *c = x->c;
	size_t size = (c->dim + c->components + 2 * IMS_PANEL) * sizeof(float);
	for (unsigned i = 0; i < c->levels; i++)
		size += ims_code_padded(&c->level[i]) * 4 + 64;
	if (size <= x->memory_size)
		return 0;
	ims_free(x->memory);
	x->memory_size = 0;
	x->memory = ims_alloc_aligned(size, 1);
	if (!x->memory)
		return ims_nomem(x->err);
	x->memory_size = size;
	return 0;
}

static int heap(topk *t, size_t k, imgsearch_error *err)
{
	if (t->item && t->k == k) {
		ims_topk_clear(t);
		return 0;
	}
	ims_topk_free(t);
	return ims_topk_init(t, k) ? ims_nomem(err) : 0;
}

/* The query less the mean (inner product: as it is), its length, and minus its product with the mean. */
static double take_query(cascade *x, float *v)
{
	const codes *c = x->c;
	double length2 = 0, with_mean = 0;
	bool ip = c->metric == IMGSEARCH_METRIC_IP;
	for (uint32_t i = 0; i < c->dim; i++) {
		v[i] = ip ? x->query[i] : x->query[i] - c->mean[i];
		length2 += (double)v[i] * v[i];
		with_mean += (double)x->query[i] * c->mean[i];
	}
	x->length = sqrt(length2);
	return ip ? -with_mean : 0;
}

/* Final distances are sums in f32 of dim terms in 64 lanes. */
static void final_errors(cascade *x)
{
	const codes *c = x->c;
	double terms = (c->dim / 64.0 + 16) * unit, mean2 = 0;
	for (uint32_t i = 0; i < c->dim; i++)
		mean2 += (double)c->mean[i] * c->mean[i];
	bool ip = c->metric == IMGSEARCH_METRIC_IP;
	x->ends[0] = ip ? 0 : 3 * terms;
	x->ends[1] = ip ? 2 * terms * x->length * (c->radius + sqrt(mean2)) + 1e-37 : 1e-37;
}

bool ims_cascade_begin(cascade *x, const codes *c, const row_source *rows, const search_request *q, size_t query, const float *components, imgsearch_error *err)
{
	x->c = c;
	x->q = q;
	x->rows = rows;
	x->query = q->queries + query * c->dim;
	x->err = err;
	x->n_found = 0;
	x->rc = make_room(x);
	x->bounded = q->k <= c->live / 64 + 8;
	if (!x->rc && x->bounded)
		x->rc = heap(&x->seed, q->k, err);
	if (!x->rc && x->bounded)
		x->rc = heap(&x->high, q->k, err);
	if (x->rc || (!x->bounded && q->max_distance == INFINITY))
		return false;
	float *v = x->memory, *y = v + c->dim;
	double offset = take_query(x, v), head2 = 0, before2 = 0;
	if (!(x->length < 1e15) || !(c->radius < 1e15))
		return false;
	if (components)
		memcpy(y, components, c->components * sizeof(float));
	else
		ims_codes_project(c, v, 1, y, 0);
	int16_t *at = (int16_t *)(void *)(((uintptr_t)(y + c->components + IMS_PANEL) + 63) & ~(uintptr_t)63);
	for (unsigned i = 0; i < c->levels; i++) {
		const code_level *l = &c->level[i];
		for (uint32_t j = 0; !l->raw && j < l->count; j++)
			head2 += (double)y[l->from + j] * y[l->from + j];
		digits(&x->level[i], l, l->raw ? v : y + l->from, ims_code_padded(l), at, l->longest);
		prepare_level(x, i, head2, before2);
		if (i == 0 || l->raw)
			x->level[i].constant += offset;
		before2 = head2;
		at += ims_code_padded(l) * 2;
	}
	final_errors(x);
	ims_cascade_limit(x, q->max_distance);
	return true;
}

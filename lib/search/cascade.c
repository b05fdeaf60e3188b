/*
 * The search of cascade.h. Every bound is rounded the safe way: arithmetic on the codes is exact in integers up to one
 * conversion, what f32 and the query's 16 bits lose is in `slack`, what coding and projecting lose is in e and `error`.
 */
#include "search/cascade.h"

#include "search/internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { SEEDS = 48, FETCH = 64, DIGIT = 32512 };

static const double unit = 0x1p-24;

/* --------------------------------------------------------------------------------------------- the query ---- */

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
	l->code = (code_query){ q, high, low, 0, 0, 0 };
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
	bool ip = c->metric == IMGSEARCH_IP;
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
	l->code.tail = (float)(-factor * l->rest);
	l->code.tail_before = last ? (float)(factor * last->rest) : 0;
	l->constant += (ip ? 0 : l->rest * l->rest) + (last ? last->constant - (ip ? 0 : last->rest * last->rest) : 0);
}

static size_t padded(const code_level *v)
{
	return ((size_t)v->count + 63) / 64 * 64;
}

/* Digits of all levels and room for the row itself. */
static int make_room(cascade *x)
{
	const codes *c = x->c;
	size_t size = (c->dim + c->components + 2 * IMS_PANEL) * sizeof(float);
	for (unsigned i = 0; i < c->levels; i++)
		size += padded(&c->level[i]) * 4 + 64;
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
	bool ip = c->metric == IMGSEARCH_IP;
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
	bool ip = c->metric == IMGSEARCH_IP;
	x->ends[0] = ip ? 0 : 3 * terms;
	x->ends[1] = ip ? 2 * terms * x->length * (c->radius + sqrt(mean2)) + 1e-37 : 1e-37;
}

static void set_limit(cascade *x, double limit)
{
	x->limit = limit;
	double most = limit * (1 + x->ends[0]) + x->ends[1];
	x->root = x->c->metric == IMGSEARCH_IP ? most : most > 0 ? sqrt(most) : -INFINITY;
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
	x->bounded = q->k <= c->live / 8;
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
		digits(&x->level[i], l, l->raw ? v : y + l->from, padded(l), at, l->longest);
		prepare_level(x, i, head2, before2);
		if (i == 0 || l->raw)
			x->level[i].constant += offset;
		before2 = head2;
		at += padded(l) * 2;
	}
	final_errors(x);
	set_limit(x, q->max_distance);
	return true;
}

/* ---------------------------------------------------------------------------------------------- the bounds ---- */

/* The largest score that a row with error e may have if its computed distance is at most the limit. */
static inline double reach(const cascade *x, const level_query *l, double e)
{
	if (x->c->metric == IMGSEARCH_IP)
		return x->root + x->length * e + l->error * (x->c->radius + e) + l->slack;
	double root = x->root + e + l->error;
	return root < 0 ? -1 : root * root * (1 + 1e-12) + l->slack;
}

static double low_bound(const cascade *x, const level_query *l, double score, double e)
{
	if (x->c->metric == IMGSEARCH_IP)
		return score - l->slack - x->length * e - l->error * (x->c->radius + e) - x->ends[1];
	double root = sqrt(fmax(score - l->slack, 0)) - e - l->error;
	return root > 0 ? (root * root - x->ends[1]) * (1 - x->ends[0]) : 0;
}

/* As f32, upwards: what the computed distance surely does not exceed. */
static float high_bound(const cascade *x, const level_query *l, double score, double e)
{
	if (x->c->metric == IMGSEARCH_IP) {
		score += l->slack + x->length * e + l->error * (x->c->radius + e) + x->ends[1];
		return (float)(score + fabs(score) * 2 * unit);
	}
	double root = sqrt(fmax(score + l->slack, 0)) + e + l->error;
	return (float)((root * root * (1 + x->ends[0]) + x->ends[1]) * (1 + 2 * unit));
}

static float get_float(const uint8_t *at)
{
	float v;
	memcpy(&v, at, sizeof(v));
	return v;
}

/* Takes a score from one level to the next; false where that excludes the row. *e: its error there. */
static bool next_level(const cascade *x, unsigned i, const uint8_t *at, double *score, double *e)
{
	const code_level *v = &x->c->level[i];
	const level_query *l = &x->level[i];
	bool ip = x->c->metric == IMGSEARCH_IP;
	double sum = l->scale * (double)ims_kernels()->code_dot(at, &l->code, padded(v));
	const uint8_t *beside = at + v->bytes;
	if (v->raw) {
		*score = l->constant + (ip ? -sum : get_float(beside) - 2 * sum);
		*e = get_float(beside + 4);
	} else {
		double r0 = get_float(beside), r1 = get_float(beside + 8), q0 = x->level[i - 1].rest, q1 = l->rest;
		*score += l->constant + (ip ? q0 * r0 - q1 * r1 - sum
			: get_float(beside + 4) - 2 * sum - (q0 - r0) * (q0 - r0) + (q1 - r1) * (q1 - r1));
		*e = get_float(beside + 12);
	}
	return *score <= reach(x, l, *e);
}

static int failed(cascade *x)
{
	return x->rc = x->err && x->err->code ? x->err->code : IMGSEARCH_EFORMAT;
}

/* Row `at`, which came to level i with such a score and error, through the rest of them. True: its bounds are these. */
static bool through(cascade *x, size_t at, unsigned i, double score, double e, double *low, float *high)
{
	const codes *c = x->c;
	for (; i < c->levels; i++) {
		const uint8_t *item = ims_codes_at(c, &c->level[i].col, at, x->err);
		if (!item)
			return failed(x), false;
		if (!next_level(x, i, item, &score, &e))
			return false;
	}
	*low = low_bound(x, &x->level[i - 1], score, e);
	*high = high_bound(x, &x->level[i - 1], score, e);
	return *low == *low && *high == *high;
}

/* ------------------------------------------------------------------------------------------------ the pass ---- */

static void keep(cascade *x, double low, int64_t id)
{
	if (x->n_found == x->cap_found) {
		size_t cap = x->cap_found ? x->cap_found * 2 : 256;
		candidate *found = ims_realloc(x->found, cap, sizeof(*found));
		if (!found) {
			x->rc = ims_nomem(x->err);
			return;
		}
		x->found = found;
		x->cap_found = cap;
	}
	x->found[x->n_found++] = (candidate){ low, id };
}

static bool id_of(cascade *x, size_t at, int64_t *id)
{
	const uint8_t *item = ims_codes_at(x->c, &x->c->ids, at, x->err);
	if (!item)
		return failed(x), false;
	memcpy(id, item, sizeof(*id));
	return true;
}

static void prefetch(const column *col, const uint32_t *picked, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *chunk = atomic_load_explicit(&col->chunk[picked[i] >> col->shift], memory_order_relaxed);
		size_t at = (picked[i] & (((size_t)1 << col->shift) - 1)) * col->stride;
		for (size_t b = 0; chunk && b < col->stride && b < 256; b += 64)
			__builtin_prefetch(chunk + at + b);
	}
}

/* Rows of the step's blocks that level i does not exclude, as positions within the step. Blocks not taken are passed over. */
static size_t pick(cascade *x, unsigned i, size_t first, size_t n, const uint8_t *taken, const float *score)
{
	float limit[CASCADE_STEP];
	const level_query *l = &x->level[i];
	const float *e = x->c->level[i].block_error + first;
	for (size_t b = 0; b < n; b++) {
		double most = reach(x, l, e[b]) - l->constant;
		most = most < FLT_MAX ? most : FLT_MAX;
		limit[b] = taken && !taken[b] ? -INFINITY : (float)(most + fabs(most) * 2 * unit);
		limit[b] = limit[b] > FLT_MAX ? FLT_MAX : limit[b];
	}
	return ims_kernels()->code_select(score, limit, n, 0, x->picked);
}

/* Scores level i on those of the step's blocks that have rows picked, on top of the scores so far. */
static void score_picked(cascade *x, unsigned i, size_t first, size_t picked, uint8_t taken[CASCADE_STEP], const float *before)
{
	const code_level *v = &x->c->level[i];
	memset(taken, 0, CASCADE_STEP);
	for (size_t p = 0; p < picked && !x->rc; p++) {
		size_t b = x->picked[p] / IMS_CODE_BLOCK;
		if (taken[b])
			continue;
		taken[b] = 1;
		const uint8_t *block = ims_codes_at(x->c, &v->col, first + b, x->err);
		if (!block)
			failed(x);
		else
			ims_kernels()->code_scan(block, v->col.stride, 1, v->bytes / 4, &x->level[i].code, before + b * IMS_CODE_BLOCK, x->step + b * IMS_CODE_BLOCK);
	}
}

/* Row `at`, which the levels of blocks did not exclude, through the others and onto the list. */
static void see_row(cascade *x, size_t at, unsigned level, double score, double e)
{
	int64_t id;
	double low;
	float high;
	bool filtered = x->q->filter || x->q->subset;
	if (filtered && (!id_of(x, at, &id) || !ims_search_passes(x->q, id)))
		return;
	if (!through(x, at, level, score, e, &low, &high) || (!filtered && !id_of(x, at, &id)))
		return;
	keep(x, low, id);
	if (!x->bounded)
		return;
	ims_topk_push(&x->high, high, id);
	if (ims_topk_worst(&x->high) < x->limit)
		set_limit(x, ims_topk_worst(&x->high));
}

/* Blocks that level 0 scored, through all levels. score may be x->step. */
static void see_through(cascade *x, size_t first, size_t n, const float *score)
{
	const codes *c = x->c;
	uint8_t taken[CASCADE_STEP];
	size_t picked = pick(x, 0, first, n, NULL, score);
	unsigned i = 1;
	for (; i < c->levels && c->level[i].blocks && picked && !x->rc; i++) {
		score_picked(x, i, first, picked, taken, score);
		score = x->step;
		picked = x->rc ? 0 : pick(x, i, first, n, taken, score);
	}
	for (size_t p = 0; p < picked; p++)
		x->picked[p] += (uint32_t)(first * IMS_CODE_BLOCK);
	if (i < c->levels)
		prefetch(&c->level[i].col, x->picked, picked);
	for (size_t p = 0; p < picked && !x->rc; p++) {
		size_t at = x->picked[p];
		see_row(x, at, i, x->level[i - 1].constant + score[at - first * IMS_CODE_BLOCK], c->level[i - 1].block_error[at / IMS_CODE_BLOCK]);
	}
}

static size_t blocks_of(const codes *c)
{
	return (c->n + IMS_CODE_BLOCK - 1) / IMS_CODE_BLOCK;
}

static void score_blocks(cascade *x, size_t first, size_t n, float *out)
{
	const code_level *v = &x->c->level[0];
	const uint8_t *block = ims_codes_at(x->c, &v->col, first, x->err);
	if (!block)
		failed(x);
	else
		ims_kernels()->code_scan(block, v->col.stride, n, v->bytes / 4, &x->level[0].code, NULL, out);
}

void ims_cascade_blocks(cascade *x, size_t first, size_t n)
{
	score_blocks(x, first, n, x->step);
	if (!x->rc)
		see_through(x, first, n, x->step);
}

/* The best rows by score alone, to have a first bound of the k-th distance. */
static void seed(cascade *x)
{
	const codes *c = x->c;
	size_t want = x->q->k + SEEDS, blocks = blocks_of(c);
	topk best = { 0 };
	if (!x->bounded || want > c->n / 4 || ims_topk_init(&best, want))
		return; /* the pass finds its bound by itself */
	for (size_t b = 0; b < blocks && !x->rc; b += CASCADE_STEP) {
		size_t n = blocks - b < CASCADE_STEP ? blocks - b : CASCADE_STEP;
		float limit[CASCADE_STEP], worst = fminf(ims_topk_worst(&best), FLT_MAX);
		for (size_t i = 0; i < n; i++)
			limit[i] = worst;
		const float *score = x->score + b * IMS_CODE_BLOCK;
		size_t picked = ims_kernels()->code_select(score, limit, n, (uint32_t)(b * IMS_CODE_BLOCK), x->picked);
		for (size_t i = 0; i < picked; i++) {
			size_t at = x->picked[i];
			int64_t id;
			if (!(x->score[at] < ims_topk_worst(&best)) || !id_of(x, at, &id))
				continue;
			if ((x->q->filter || x->q->subset) && !ims_search_passes(x->q, id))
				continue;
			ims_topk_push(&best, x->score[at], (int64_t)at);
		}
	}
	for (size_t i = 0; i < best.n && !x->rc; i++) {
		double low;
		float high;
		unsigned last = c->levels - 1; /* the raw coordinates alone bound best */
		if (through(x, (size_t)best.item[i].id, last ? last : 1, x->level[0].constant + best.item[i].distance,
			    c->level[0].block_error[best.item[i].id / IMS_CODE_BLOCK], &low, &high))
			ims_topk_push(&x->seed, high, best.item[i].id);
	}
	if (ims_topk_worst(&x->seed) < x->limit)
		set_limit(x, ims_topk_worst(&x->seed));
	ims_topk_free(&best);
}

static int room_for_scores(cascade *x)
{
	size_t n = (blocks_of(x->c) + CASCADE_STEP) * IMS_CODE_BLOCK;
	if (n <= x->score_cap)
		return 0;
	ims_free(x->score);
	x->score_cap = 0;
	x->score = ims_alloc_aligned(n, sizeof(float));
	if (!x->score)
		return ims_nomem(x->err);
	x->score_cap = n;
	return 0;
}

void ims_cascade_pass(cascade *const *x, size_t n)
{
	const codes *c = x[0]->c;
	size_t blocks = blocks_of(c), chunk = (size_t)1 << c->level[0].col.shift;
	size_t step = chunk < CASCADE_STEP ? chunk : CASCADE_STEP;
	for (size_t i = 0; i < n; i++)
		if (!x[i]->rc)
			x[i]->rc = room_for_scores(x[i]);
	for (size_t b = 0; b < blocks; b += step)
		for (size_t i = 0; i < n; i++)
			if (!x[i]->rc)
				score_blocks(x[i], b, blocks - b < step ? blocks - b : step, x[i]->score + b * IMS_CODE_BLOCK);
	for (size_t i = 0; i < n; i++)
		if (!x[i]->rc)
			seed(x[i]);
	for (size_t b = 0; b < blocks; b += step)
		for (size_t i = 0; i < n; i++)
			if (!x[i]->rc)
				see_through(x[i], b, blocks - b < step ? blocks - b : step, x[i]->score + b * IMS_CODE_BLOCK);
}

/* ------------------------------------------------------------------------------------------- the full rows ---- */

static int nearer(const void *a, const void *b)
{
	const candidate *x = a, *y = b;
	return x->low < y->low ? -1 : x->low > y->low ? 1 : x->id < y->id ? -1 : x->id > y->id;
}

/* Full rows of n candidates into out. 1: one is gone. */
static int fetch(cascade *x, const candidate *from, size_t n, float *rows, topk *out)
{
	int64_t ids[FETCH];
	uint8_t there[FETCH];
	for (size_t i = 0; i < n; i++)
		ids[i] = from[i].id;
	int rc = x->rows->fetch(x->rows->ctx, ids, n, rows, there, x->err);
	for (size_t i = 0; !rc && i < n; i++) {
		if (!there[i])
			return 1;
		float d = ims_search_distance(x->c->metric, x->query, rows + i * x->c->dim, x->c->dim);
		if (d <= x->q->max_distance)
			ims_topk_push(out, d, ids[i]);
	}
	return rc;
}

bool ims_cascade_finish(cascade *x, size_t checks, topk *out, search_report *report)
{
	size_t kept = 0, done = 0;
	for (size_t i = 0; i < x->n_found; i++)
		if (x->found[i].low <= x->limit)
			x->found[kept++] = x->found[i];
	x->n_found = kept;
	if (kept > x->c->live / 8 + FETCH && (!checks || checks > x->c->live / 8))
		return false;
	if (kept)
		qsort(x->found, kept, sizeof(*x->found), nearer);
	if (checks && checks < kept) {
		kept = checks;
		report->exact = false;
	}
	size_t room = kept < FETCH ? kept : FETCH;
	float *rows = kept ? ims_alloc_aligned(room * x->c->dim, sizeof(float)) : NULL;
	if (kept && !rows)
		x->rc = ims_nomem(x->err);
	while (!x->rc && done < kept && !(x->found[done].low > ims_topk_worst(out))) {
		size_t n = kept - done < room ? kept - done : room;
		x->rc = fetch(x, x->found + done, n, rows, out);
		done += n;
	}
	ims_free(rows);
	report->rows_checked += done;
	if (x->rc <= 0)
		return !x->rc;
	x->rc = 0; /* a row is gone: the codes are behind the rows */
	ims_topk_clear(out);
	return false;
}

/*
 * The search of cascade.h. Every bound is rounded the safe way: arithmetic on the codes is exact in integers up to one
 * conversion, what f32 and the query's 16 bits lose is in `slack`, what coding and projecting lose is in e and `error`.
 */
#include "search/cascade.h"

#include "search/internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { SEEDS = 48, FETCH = 64 };

static const double unit = 0x1p-24;

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
	double sum = l->scale * (double)ims_kernels()->code_dot(at, &l->code, ims_code_padded(v));
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
		ims_cascade_limit(x, ims_topk_worst(&x->high));
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

/* Of n rows, evenly spread, are more than an eighth not excluded by the second nearest of them? */
static bool sample_crowded(cascade *x, size_t n)
{
	const codes *c = x->c;
	unsigned from = c->levels > 1 ? c->levels - 1 : 1;
	double nearest = INFINITY, second = INFINITY;
	size_t seen = 0, near = 0;
	for (size_t i = 0; i < n; i++)
		x->picked[i] = (uint32_t)(c->n * (2 * i + 1) / (2 * n));
	prefetch(&c->level[c->levels - 1].col, x->picked, c->levels > 1 ? n : 0);
	for (size_t i = 0; i < n && !x->rc; i++) {
		size_t at = x->picked[i], block = at / IMS_CODE_BLOCK;
		float score[IMS_CODE_BLOCK] = { 0 }, high;
		double low;
		if (c->levels == 1)
			score_blocks(x, block, 1, score);
		if (x->rc || !through(x, at, from, x->level[0].constant + score[at % IMS_CODE_BLOCK], c->level[0].block_error[block], &low, &high))
			continue;
		x->step[seen++] = (float)low;
		second = high < nearest ? nearest : fmin(second, high);
		nearest = fmin(nearest, high);
	}
	for (size_t i = 0; i < seen; i++)
		near += !x->bounded || x->step[i] <= second;
	return near > n / 8 + 2;
}

bool ims_cascade_crowded(cascade *x)
{
	enum { FEW = 64, MANY = CASCADE_STEP * IMS_CODE_BLOCK };
	size_t most = x->c->n / (x->q->k + 56), many = most < MANY ? most : MANY; /* in more, the second nearest may be among the k nearest of all */
	if (x->q->filter || x->q->subset || x->q->params.checks)
		return false;
	return sample_crowded(x, FEW) && !x->rc && (many <= FEW || sample_crowded(x, many));
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
		ims_cascade_limit(x, ims_topk_worst(&x->seed));
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

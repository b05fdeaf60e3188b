/*
 * The search of cascade.h. Every bound is rounded the safe way: arithmetic on the codes is exact in integers up to one
 * conversion, what f32 and the query's 16 bits lose is in `slack`, what coding and projecting lose is in e and `error`.
 */
#include "search/bound/cascade.h"

#include "search/internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { SEEDS = 48, FETCH = 64, PREFETCHED = 512 /* bytes of a record: the CPU goes on by itself */ };

static const double unit = 0x1p-24;

/* ---------------------------------------------------------------------------------------------- the bounds ---- */

/* The largest score that a row with error e may have if its computed distance is at most the limit. */
static inline double reach(const cascade *x, const level_query *l, double e)
{
	if (x->c->metric == IMGSEARCH_METRIC_IP)
		return x->root + x->length * e + l->error * (x->c->radius + e) + l->slack;
	double root = x->root + e + l->error;
	return root < 0 ? -1 : root * root * (1 + 1e-12) + l->slack;
}

static double low_bound(const cascade *x, const level_query *l, double score, double e)
{
	if (x->c->metric == IMGSEARCH_METRIC_IP)
		return score - l->slack - x->length * e - l->error * (x->c->radius + e) - x->ends[1];
	double root = sqrt(fmax(score - l->slack, 0)) - e - l->error;
	return root > 0 ? (root * root - x->ends[1]) * (1 - x->ends[0]) : 0;
}

/* As f32, upwards: what the computed distance surely does not exceed. */
static float high_bound(const cascade *x, const level_query *l, double score, double e)
{
	if (x->c->metric == IMGSEARCH_METRIC_IP) {
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
	bool ip = x->c->metric == IMGSEARCH_METRIC_IP;
	double sum = l->scale * (double)ims_kernels()->dot_u8_i16(at, &l->code, ims_code_padded(v));
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

static void prefetch(const column *col, const coded_row *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *chunk = atomic_load_explicit(&col->chunk[row[i].at >> col->shift], memory_order_relaxed);
		size_t at = (row[i].at & (((size_t)1 << col->shift) - 1)) * col->stride;
		for (size_t b = 0; chunk && b < col->stride && b < PREFETCHED; b += 64)
			__builtin_prefetch(chunk + at + b);
	}
}

/* n of x->row, from level i through the others; returns how many are left. */
static size_t deepen(cascade *x, unsigned i, size_t n)
{
	const codes *c = x->c;
	for (; i < c->levels && n; i++) {
		size_t left = 0;
		prefetch(&c->level[i].col, x->row, n);
		for (size_t r = 0; r < n; r++) {
			coded_row row = x->row[r];
			const uint8_t *item = ims_codes_at(c, &c->level[i].col, row.at, x->err);
			if (!item)
				return failed(x), 0;
			x->row[left] = row;
			left += next_level(x, i, item, &x->row[left].score, &x->row[left].e);
		}
		n = left;
	}
	return n;
}

/* Of a row that came through all levels; false where they are no numbers. */
static bool final_bounds(const cascade *x, const coded_row *row, double *low, float *high)
{
	const level_query *l = &x->level[x->c->levels - 1];
	*low = low_bound(x, l, row->score, row->e);
	*high = high_bound(x, l, row->score, row->e);
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

/* Leaves those of the step's n listed blocks in which level i does not exclude every row; mask: the rows that it does not. */
static size_t pick(cascade *x, unsigned i, size_t first, uint32_t *list, size_t n, const float *score, uint16_t *mask)
{
	float limit[CASCADE_STEP];
	const level_query *l = &x->level[i];
	const float *e = x->c->level[i].block_error + first;
	for (size_t j = 0; j < n; j++) {
		double most = reach(x, l, e[list[j]]) - l->constant;
		most = most < FLT_MAX ? most : FLT_MAX;
		limit[j] = (float)(most + fabs(most) * 2 * unit);
		limit[j] = limit[j] > FLT_MAX ? FLT_MAX : limit[j];
	}
	ims_kernels()->below_f32(score, list, limit, n, mask);
	size_t left = 0;
	for (size_t j = 0; j < n; j++) {
		list[left] = list[j];
		mask[left] = mask[j];
		left += mask[j] != 0;
	}
	return left;
}

/* Scores level i on listed blocks of the step, on top of the scores so far. */
static void score_listed(cascade *x, unsigned i, size_t first, const uint32_t *list, size_t n, const float *before)
{
	const code_level *v = &x->c->level[i];
	const uint8_t *block[CASCADE_STEP];
	for (size_t j = 0; j < n; j++) {
		block[j] = ims_codes_at(x->c, &v->col, first + list[j], x->err);
		if (!block[j]) {
			failed(x);
			return;
		}
		for (size_t b = 0; b < v->col.stride; b += 64)
			__builtin_prefetch(block[j] + b);
	}
	for (size_t j = 0; j < n; j++) {
		size_t at = list[j] * IMS_BLOCK_ROWS;
		ims_kernels()->scan_u8_i16(block[j], v->col.stride, 1, v->bytes / 4, &x->level[i].code, before + at, x->step + at);
	}
}

static size_t filtered(cascade *x, size_t n)
{
	size_t left = 0;
	for (size_t r = 0; r < n; r++) {
		int64_t id;
		if (!id_of(x, x->row[r].at, &id))
			return 0;
		x->row[left] = x->row[r];
		left += ims_search_passes(x->q, id);
	}
	return left;
}

/* n of x->row, which the levels of blocks did not exclude, through the others and onto the list. */
static void see_rows(cascade *x, unsigned level, size_t n)
{
	if (x->q->filter || x->q->subset)
		n = filtered(x, n);
	n = deepen(x, level, n);
	for (size_t r = 0; r < n; r++) {
		int64_t id;
		double low;
		float high;
		if (!final_bounds(x, &x->row[r], &low, &high) || !id_of(x, x->row[r].at, &id))
			continue;
		keep(x, low, id);
		if (!x->bounded)
			continue;
		ims_topk_push(&x->high, high, id);
		if (ims_topk_worst(&x->high) < x->limit)
			ims_cascade_limit(x, ims_topk_worst(&x->high));
	}
}

/* Blocks that level 0 scored, through all levels. score may be x->step. */
static void see_through(cascade *x, size_t first, size_t n, const float *score)
{
	const codes *c = x->c;
	uint32_t list[CASCADE_STEP];
	uint16_t mask[CASCADE_STEP];
	for (size_t b = 0; b < n; b++)
		list[b] = (uint32_t)b;
	n = pick(x, 0, first, list, n, score, mask);
	unsigned i = 1;
	for (; i < c->levels && c->level[i].blocks && n && !x->rc; i++) {
		score_listed(x, i, first, list, n, score);
		score = x->step;
		n = x->rc ? 0 : pick(x, i, first, list, n, score, mask);
	}
	size_t rows = 0;
	for (size_t j = 0; j < n; j++)
		for (unsigned left = mask[j]; left; left &= left - 1) {
			size_t at = list[j] * IMS_BLOCK_ROWS + (size_t)__builtin_ctz(left);
			x->row[rows++] = (coded_row){ first * IMS_BLOCK_ROWS + at, x->level[i - 1].constant + score[at], c->level[i - 1].block_error[first + list[j]] };
		}
	see_rows(x, i, rows);
}

static size_t blocks_of(const codes *c)
{
	return (c->n + IMS_BLOCK_ROWS - 1) / IMS_BLOCK_ROWS;
}

static void score_blocks(cascade *x, size_t first, size_t n, float *out)
{
	const code_level *v = &x->c->level[0];
	const uint8_t *block = ims_codes_at(x->c, &v->col, first, x->err);
	if (!block)
		failed(x);
	else
		ims_kernels()->scan_u8_i16(block, v->col.stride, n, v->bytes / 4, &x->level[0].code, NULL, out);
}

/* Of n rows, evenly spread, are more than an eighth not excluded by the second nearest of them? */
static bool sample_crowded(cascade *x, size_t n)
{
	const codes *c = x->c;
	unsigned from = c->levels > 1 ? c->levels - 1 : 1;
	double nearest = INFINITY, second = INFINITY;
	for (size_t i = 0; i < n && !x->rc; i++) {
		size_t at = c->n * (2 * i + 1) / (2 * n), block = at / IMS_BLOCK_ROWS;
		float score[IMS_BLOCK_ROWS] = { 0 };
		if (c->levels == 1)
			score_blocks(x, block, 1, score);
		x->row[i] = (coded_row){ at, x->level[0].constant + score[at % IMS_BLOCK_ROWS], c->level[0].block_error[block] };
	}
	size_t left = x->rc ? 0 : deepen(x, from, n), seen = 0, near = 0;
	for (size_t i = 0; i < left; i++) {
		double low;
		float high;
		if (!final_bounds(x, &x->row[i], &low, &high))
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
	enum { FEW = 64, MANY = CASCADE_STEP * IMS_BLOCK_ROWS };
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

static void seed_row(cascade *x, size_t at, topk *best)
{
	int64_t id;
	if (!(x->score[at] < ims_topk_worst(best)))
		return;
	if ((x->q->filter || x->q->subset) && (!id_of(x, at, &id) || !ims_search_passes(x->q, id)))
		return;
	ims_topk_push(best, x->score[at], (int64_t)at);
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
		uint32_t list[CASCADE_STEP];
		uint16_t mask[CASCADE_STEP];
		for (size_t i = 0; i < n; i++) {
			list[i] = (uint32_t)(b + i);
			limit[i] = worst;
		}
		ims_kernels()->below_f32(x->score, list, limit, n, mask);
		for (size_t i = 0; i < n; i++)
			for (unsigned left = mask[i]; left; left &= left - 1)
				seed_row(x, list[i] * IMS_BLOCK_ROWS + (size_t)__builtin_ctz(left), &best);
	}
	unsigned last = c->levels - 1; /* the raw coordinates alone bound best */
	for (size_t from = 0; from < best.n && !x->rc; from += CASCADE_STEP) {
		size_t n = best.n - from < CASCADE_STEP ? best.n - from : CASCADE_STEP;
		for (size_t i = 0; i < n; i++) {
			size_t at = (size_t)best.item[from + i].id;
			x->row[i] = (coded_row){ at, x->level[0].constant + best.item[from + i].distance, c->level[0].block_error[at / IMS_BLOCK_ROWS] };
		}
		n = deepen(x, last ? last : 1, n);
		for (size_t i = 0; i < n; i++) {
			double low;
			float high;
			if (final_bounds(x, &x->row[i], &low, &high))
				ims_topk_push(&x->seed, high, (int64_t)x->row[i].at);
		}
	}
	if (ims_topk_worst(&x->seed) < x->limit)
		ims_cascade_limit(x, ims_topk_worst(&x->seed));
	ims_topk_free(&best);
}

static int room_for_scores(cascade *x)
{
	size_t n = (blocks_of(x->c) + CASCADE_STEP) * IMS_BLOCK_ROWS;
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
				score_blocks(x[i], b, blocks - b < step ? blocks - b : step, x[i]->score + b * IMS_BLOCK_ROWS);
	for (size_t i = 0; i < n; i++)
		if (!x[i]->rc)
			seed(x[i]);
	for (size_t b = 0; b < blocks; b += step)
		for (size_t i = 0; i < n; i++)
			if (!x[i]->rc)
				see_through(x[i], b, blocks - b < step ? blocks - b : step, x[i]->score + b * IMS_BLOCK_ROWS);
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
	if (!n)
		return 0;
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

/*
 * The filter step: bounds, stages of rows, candidates, stages of blocks, the check for ties, and
 * the pass over all rows with its limit from seed rows.
 */
#include "search/bound/filter.h"

#include "search/internal.h"

#include <float.h>
#include <math.h>

enum {
	SEEDS = 48,        /* rows beyond k that give the first limit */
	PREFETCH_MAX = 512 /* bytes of an item; the CPU fetches the others by itself */
};

static const double unit = 0x1p-24; /* the unit roundoff of f32 */

/* ---------------------------------------------------------------------------------- bounds ---- */

/* The largest score of a row with this error whose computed distance is at most the limit. */
static inline double score_limit(const bound_query *q, const stage_query *sq, double error)
{
	if (q->codes->metric == IMGSEARCH_METRIC_IP)
		return q->limit_root + q->length * error + sq->error * (q->codes->radius + error)
			+ sq->slack;
	double root = q->limit_root + error + sq->error;
	return root < 0 ? -1 : root * root * (1 + 1e-12) + sq->slack;
}

/* The computed distance is at least this. */
static double lower_bound(const bound_query *q, const stage_query *sq, double score, double error)
{
	if (q->codes->metric == IMGSEARCH_METRIC_IP)
		return score - sq->slack - q->length * error - sq->error * (q->codes->radius + error)
			- q->absolute_error;
	double root = sqrt(fmax(score - sq->slack, 0)) - error - sq->error;
	return root > 0 ? (root * root - q->absolute_error) * (1 - q->relative_error) : 0;
}

/* The computed distance is at most this. Rounded up to f32. */
static float upper_bound(const bound_query *q, const stage_query *sq, double score, double error)
{
	if (q->codes->metric == IMGSEARCH_METRIC_IP) {
		score += sq->slack + q->length * error + sq->error * (q->codes->radius + error)
			+ q->absolute_error;
		return (float)(score + fabs(score) * 2 * unit);
	}
	double root = sqrt(fmax(score + sq->slack, 0)) + error + sq->error;
	double bound = root * root * (1 + q->relative_error) + q->absolute_error;
	return (float)(bound * (1 + 2 * unit));
}

/* Bounds of a row that passed all stages. False where they are no numbers. */
static bool final_bounds(const bound_query *q, const staged_row *row, double *lower, float *upper)
{
	const stage_query *sq = &q->stage[q->codes->stages - 1];
	*lower = lower_bound(q, sq, row->score, row->error);
	*upper = upper_bound(q, sq, row->score, row->error);
	return *lower == *lower && *upper == *upper;
}

/* -------------------------------------------------------------------------- stages of rows ---- */

static int set_failed(bound_query *q)
{
	return q->rc = q->err && q->err->code ? q->err->code : IMGSEARCH_EFORMAT;
}

/*
 * Score and error of a row at stage i, from its score at the stage before. False: excluded. With
 * the residuals q0 and r0 of query and row before this stage, q1 and r1 after it, the score of
 * components is
 *	L2  before + constant + N - 2 * sum - (q0 - r0)^2 + (q1 - r1)^2
 *	IP  before + constant - sum + q0 * r0 - q1 * r1
 * and that of raw coordinates starts anew, without residuals.
 */
static bool filter_row(const bound_query *q, unsigned i, const uint8_t *item, staged_row *row)
{
	const code_stage *s = &q->codes->stage[i];
	const stage_query *sq = &q->stage[i];
	stage_terms t = ims_stage_terms(s, item);
	bool ip = q->codes->metric == IMGSEARCH_METRIC_IP;
	double sum = sq->scale
		* (double)ims_kernels()->dot_u8_i16(item, &sq->digits, ims_stage_padded(s));
	if (s->raw) {
		row->score = sq->constant + (ip ? -sum : t.N - 2 * sum);
	} else {
		double r0 = t.residual_before, r1 = t.residual;
		double q0 = q->stage[i - 1].residual, q1 = sq->residual;
		row->score += sq->constant
			+ (ip ? q0 * r0 - q1 * r1 - sum
				  : t.N - 2 * sum - (q0 - r0) * (q0 - r0) + (q1 - r1) * (q1 - r1));
	}
	row->error = t.error;
	return row->score <= score_limit(q, sq, row->error);
}

/* Takes n of q->row through stage i and the stages after it. Returns how many pass. */
static size_t filter_rows(bound_query *q, unsigned i, size_t n)
{
	const codes *c = q->codes;
	for (; i < c->stages && n; i++) {
		const column *items = &c->stage[i].column;
		size_t passed = 0;
		for (size_t r = 0; r < n; r++)
			ims_column_prefetch(items, q->row[r].slot, PREFETCH_MAX);
		for (size_t r = 0; r < n; r++) {
			staged_row row = q->row[r];
			const uint8_t *item = ims_column_at(items, row.slot, q->err);
			if (!item)
				return set_failed(q), 0;
			q->row[passed] = row;
			passed += filter_row(q, i, item, &q->row[passed]);
		}
		n = passed;
	}
	return n;
}

/* ------------------------------------------------------------------------------ candidates ---- */

static bool id_of(bound_query *q, size_t slot, int64_t *id)
{
	const uint8_t *item = ims_column_at(&q->codes->ids, slot, q->err);
	if (!item)
		return set_failed(q), false;
	memcpy(id, item, sizeof *id);
	return true;
}

static bool is_filtered(const bound_query *q)
{
	return q->request->filter || q->request->subset;
}

/* Keeps those of n of q->row that the filter of the request lets through. */
static size_t drop_unwanted(bound_query *q, size_t n)
{
	size_t kept = 0;
	for (size_t r = 0; r < n; r++) {
		int64_t id;
		if (!id_of(q, q->row[r].slot, &id))
			return 0;
		q->row[kept] = q->row[r];
		kept += ims_search_passes(q->request, id);
	}
	return kept;
}

static void add_candidate(bound_query *q, double lower, int64_t id)
{
	if (q->candidates == q->candidate_cap) {
		size_t cap = q->candidate_cap ? q->candidate_cap * 2 : 256;
		candidate *list = ims_realloc(q->candidate, cap, sizeof *list);
		if (!list) {
			q->rc = ims_nomem(q->err);
			return;
		}
		q->candidate = list;
		q->candidate_cap = cap;
	}
	q->candidate[q->candidates++] = (candidate){ lower, id };
}

/* Takes n of q->row through stage i and those after it; the rows that pass become candidates. */
static void add_candidates(bound_query *q, unsigned i, size_t n)
{
	if (is_filtered(q))
		n = drop_unwanted(q, n);
	n = filter_rows(q, i, n);
	for (size_t r = 0; r < n; r++) {
		int64_t id;
		double lower;
		float upper;
		/* No answer is lost: of sound codes (ims_codes_are_sound) all bounds are numbers. */
		if (!final_bounds(q, &q->row[r], &lower, &upper) || !id_of(q, q->row[r].slot, &id))
			continue;
		add_candidate(q, lower, id);
		if (!q->keeps_upper)
			continue;
		ims_topk_push(&q->upper, upper, id);
		if (ims_topk_worst(&q->upper) < q->limit)
			ims_bound_query_set_limit(q, ims_topk_worst(&q->upper));
	}
}

/* ------------------------------------------------------------------------ stages of blocks ---- */

/*
 * Keeps those of n listed blocks that have a row which stage i does not exclude. list: blocks,
 * counted from `first`. mask: the rows of each block that are not excluded.
 */
static size_t filter_listed(const bound_query *q, unsigned i, size_t first, uint32_t *list,
	size_t n, const float *score, uint16_t *mask)
{
	float limit[FILTER_BLOCKS];
	const stage_query *sq = &q->stage[i];
	const float *error = q->codes->stage[i].block_error + first;
	for (size_t j = 0; j < n; j++) {
		/* finite also where the limit is not: so removed rows, of score infinity, stay out */
		double most = score_limit(q, sq, error[list[j]]) - sq->constant;
		most = most < FLT_MAX ? most : FLT_MAX;
		limit[j] = (float)(most + fabs(most) * 2 * unit);
		limit[j] = limit[j] > FLT_MAX ? FLT_MAX : limit[j];
	}
	ims_kernels()->below_f32(score, list, limit, n, mask);
	size_t kept = 0;
	for (size_t j = 0; j < n; j++) {
		list[kept] = list[j];
		mask[kept] = mask[j];
		kept += mask[j] != 0;
	}
	return kept;
}

/* Scores stage i of n listed blocks into q->block_score, on top of the scores before. */
static void score_listed(bound_query *q, unsigned i, size_t first, const uint32_t *list, size_t n,
	const float *before)
{
	const code_stage *s = &q->codes->stage[i];
	const uint8_t *block[FILTER_BLOCKS];
	size_t stride = s->column.stride;
	for (size_t j = 0; j < n; j++) {
		block[j] = ims_column_at(&s->column, first + list[j], q->err);
		if (!block[j]) {
			set_failed(q);
			return;
		}
		for (size_t b = 0; b < stride; b += 64)
			__builtin_prefetch(block[j] + b);
	}
	for (size_t j = 0; j < n; j++) {
		size_t at = list[j] * IMS_BLOCK_ROWS;
		ims_kernels()->scan_u8_i16(block[j], stride, 1, s->bytes / 4, &q->stage[i].digits,
			before + at, q->block_score + at);
	}
}

/* The rows of n listed blocks that stage i did not exclude, into q->row. */
static size_t list_rows(bound_query *q, unsigned i, size_t first, const uint32_t *list,
	const uint16_t *mask, size_t n, const float *score)
{
	size_t rows = 0;
	for (size_t j = 0; j < n; j++)
		for (unsigned left = mask[j]; left; left &= left - 1) {
			size_t at = list[j] * IMS_BLOCK_ROWS + (size_t)__builtin_ctz(left);
			q->row[rows] = (staged_row){
				first * IMS_BLOCK_ROWS + at,
				q->stage[i].constant + score[at],
				q->codes->stage[i].block_error[first + list[j]],
			};
			rows += q->row[rows].slot < q->codes->n; /* in a damaged state others can pass */
		}
	return rows;
}

/*
 * Takes blocks with scores of the first stage through the stages of blocks. score may be
 * q->block_score. The rows that pass come into q->row; *next is the stage that comes after.
 */
static size_t filter_block_stages(bound_query *q, size_t first, size_t n, const float *score,
	unsigned *next)
{
	const codes *c = q->codes;
	uint32_t list[FILTER_BLOCKS];
	uint16_t mask[FILTER_BLOCKS];
	for (size_t b = 0; b < n; b++)
		list[b] = (uint32_t)b;
	n = filter_listed(q, 0, first, list, n, score, mask);
	unsigned i = 1;
	for (; i < c->stages && c->stage[i].blocks && n && !q->rc; i++) {
		score_listed(q, i, first, list, n, score);
		score = q->block_score;
		n = q->rc ? 0 : filter_listed(q, i, first, list, n, score, mask);
	}
	*next = i;
	return list_rows(q, i - 1, first, list, mask, n, score);
}

/* Takes blocks with scores of the first stage through all stages. */
static void filter_scored(bound_query *q, size_t first, size_t n, const float *score)
{
	unsigned next;
	size_t rows = filter_block_stages(q, first, n, score, &next);
	add_candidates(q, next, rows);
}

static void score_blocks(bound_query *q, size_t first, size_t n, float *out)
{
	const code_stage *s = &q->codes->stage[0];
	const uint8_t *block = ims_column_at(&s->column, first, q->err);
	if (!block)
		set_failed(q);
	else
		ims_kernels()->scan_u8_i16(block, s->column.stride, n, s->bytes / 4, &q->stage[0].digits,
			NULL, out);
}

void ims_filter_blocks(bound_query *q, size_t first, size_t n)
{
	score_blocks(q, first, n, q->block_score);
	if (!q->rc)
		filter_scored(q, first, n, q->block_score);
}

/* ------------------------------------------------------------------------------------ ties ---- */

/*
 * Takes n of q->row, scored by the first stage, through the last stage alone. A first stage that is
 * also the last one is done already. Returns how many pass.
 */
static size_t filter_by_last_stage(bound_query *q, size_t n)
{
	unsigned last = q->codes->stages - 1;
	return filter_rows(q, last ? last : 1, n);
}

/* Puts n evenly spread rows into q->row, as after the first stage. */
static void sample_rows(bound_query *q, size_t n)
{
	const codes *c = q->codes;
	for (size_t i = 0; i < n && !q->rc; i++) {
		size_t slot = c->n * (2 * i + 1) / (2 * n), block = slot / IMS_BLOCK_ROWS;
		float score[IMS_BLOCK_ROWS] = { 0 };
		if (c->stages == 1) /* no later stage replaces the score */
			score_blocks(q, block, 1, score);
		q->row[i] = (staged_row){
			slot,
			q->stage[0].constant + score[slot % IMS_BLOCK_ROWS],
			c->stage[0].block_error[block],
		};
	}
}

/* Whether the second nearest of n sampled rows leaves more than an eighth of them. */
static bool sample_has_ties(bound_query *q, size_t n)
{
	double nearest = INFINITY, second = INFINITY;
	sample_rows(q, n);
	size_t passed = q->rc ? 0 : filter_by_last_stage(q, n), bounded = 0, near = 0;
	for (size_t i = 0; i < passed; i++) {
		double lower;
		float upper;
		if (!final_bounds(q, &q->row[i], &lower, &upper))
			continue;
		q->block_score[bounded++] = (float)lower; /* reused for lower bounds */
		second = upper < nearest ? nearest : fmin(second, upper);
		nearest = fmin(nearest, upper);
	}
	for (size_t i = 0; i < bounded; i++)
		near += !q->keeps_upper || q->block_score[i] <= second;
	return near > n / 8 + 2;
}

bool ims_filter_has_ties(bound_query *q)
{
	enum { FEW = 64, MANY = FILTER_BLOCKS * IMS_BLOCK_ROWS, SHARE = 56 };
	/*
	 * In a larger sample the second nearest may be among the k nearest of all rows. With few
	 * neighbours a sample still has no more than one of SHARE rows, or it costs as much as a scan.
	 */
	size_t most = q->codes->n / (q->request->k + SHARE), many = most < MANY ? most : MANY;
	if (is_filtered(q) || q->request->params.checks)
		return false;
	if (!sample_has_ties(q, FEW) || q->rc)
		return false;
	return many <= FEW || sample_has_ties(q, many);
}

/* ---------------------------------------------------------------------- pass over all rows ---- */

/* The ids in the heap of seeds are slots. */
static void push_seed(bound_query *q, size_t slot, topk *best)
{
	int64_t id;
	if (!(q->score[slot] < ims_topk_worst(best)) || slot >= q->codes->n)
		return;
	if (is_filtered(q) && (!id_of(q, slot, &id) || !ims_search_passes(q->request, id)))
		return;
	ims_topk_push(best, q->score[slot], (int64_t)slot);
}

/* The rows with the least scores of the first stage. */
static void find_seeds(bound_query *q, topk *best)
{
	size_t blocks = ims_codes_blocks(q->codes->n);
	for (size_t b = 0; b < blocks && !q->rc; b += FILTER_BLOCKS) {
		size_t n = blocks - b < FILTER_BLOCKS ? blocks - b : FILTER_BLOCKS;
		/* finite, so that removed rows, of score infinity, stay out */
		float limit[FILTER_BLOCKS], worst = fminf(ims_topk_worst(best), FLT_MAX);
		uint32_t list[FILTER_BLOCKS];
		uint16_t mask[FILTER_BLOCKS];
		for (size_t i = 0; i < n; i++) {
			list[i] = (uint32_t)(b + i);
			limit[i] = worst;
		}
		ims_kernels()->below_f32(q->score, list, limit, n, mask);
		for (size_t i = 0; i < n; i++)
			for (unsigned left = mask[i]; left; left &= left - 1) {
				size_t lane = (size_t)__builtin_ctz(left);
				push_seed(q, list[i] * IMS_BLOCK_ROWS + lane, best);
			}
	}
}

/* Upper bounds of the seeds, by the last stage alone: the raw coordinates bound best. */
static void bound_seeds(bound_query *q, const topk *best)
{
	const codes *c = q->codes;
	for (size_t from = 0; from < best->n && !q->rc; from += FILTER_BLOCKS) {
		size_t n = best->n - from < FILTER_BLOCKS ? best->n - from : FILTER_BLOCKS;
		for (size_t i = 0; i < n; i++) {
			size_t slot = (size_t)best->item[from + i].id; /* see push_seed */
			q->row[i] = (staged_row){
				slot,
				q->stage[0].constant + best->item[from + i].distance,
				c->stage[0].block_error[slot / IMS_BLOCK_ROWS],
			};
		}
		n = filter_by_last_stage(q, n);
		for (size_t i = 0; i < n; i++) {
			double lower;
			float upper;
			if (final_bounds(q, &q->row[i], &lower, &upper))
				ims_topk_push(&q->seed_upper, upper, (int64_t)q->row[i].slot);
		}
	}
}

/* A first limit, from rows that are near by their first stage. Without memory there is none. */
static void seed_limit(bound_query *q)
{
	size_t want = q->request->k + SEEDS;
	topk best = { 0 };
	if (!q->keeps_upper || want > q->codes->n / 4 || ims_topk_init(&best, want))
		return;
	find_seeds(q, &best);
	bound_seeds(q, &best);
	if (ims_topk_worst(&q->seed_upper) < q->limit)
		ims_bound_query_set_limit(q, ims_topk_worst(&q->seed_upper));
	ims_topk_free(&best);
}

static int reserve_scores(bound_query *q)
{
	size_t n = (ims_codes_blocks(q->codes->n) + FILTER_BLOCKS) * IMS_BLOCK_ROWS;
	if (n <= q->score_cap)
		return 0;
	ims_free(q->score);
	q->score_cap = 0;
	q->score = ims_alloc_aligned(n, sizeof(float));
	if (!q->score)
		return ims_nomem(q->err);
	q->score_cap = n;
	return 0;
}

/* Whether the call was stopped; then every query has its status. */
static bool stop_all(bound_query *const *queries, size_t n)
{
	const stop_token *stop = queries[0]->request->stop;
	if (!ims_stopped(stop))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!queries[i]->rc)
			queries[i]->rc = ims_stop_check(stop, queries[i]->err);
	return true;
}

/* Scores of the first stage for all blocks, and the first limit of each query. */
static void score_all(bound_query *const *queries, size_t n, size_t step)
{
	size_t blocks = ims_codes_blocks(queries[0]->codes->n);
	for (size_t i = 0; i < n; i++)
		if (!queries[i]->rc)
			queries[i]->rc = reserve_scores(queries[i]);
	for (size_t b = 0; b < blocks && !stop_all(queries, n); b += step)
		for (size_t i = 0; i < n; i++) {
			bound_query *q = queries[i];
			if (!q->rc)
				score_blocks(q, b, blocks - b < step ? blocks - b : step,
					q->score + b * IMS_BLOCK_ROWS);
		}
	for (size_t i = 0; i < n; i++)
		if (!queries[i]->rc)
			seed_limit(queries[i]);
}

static size_t step_of(const codes *c)
{
	size_t run = ims_column_run_items(&c->stage[0].column);
	return run < FILTER_BLOCKS ? run : FILTER_BLOCKS;
}

double ims_filter_share(bound_query *q)
{
	enum { SAMPLE = 8 /* one in so many steps */ };
	size_t blocks = ims_codes_blocks(q->codes->n), step = step_of(q->codes), rows = 0, passed = 0;
	unsigned next;
	score_all(&q, 1, step);
	for (size_t b = 0; b < blocks && !q->rc; b += SAMPLE * step) {
		size_t n = blocks - b < step ? blocks - b : step;
		rows += n * IMS_BLOCK_ROWS;
		passed += filter_block_stages(q, b, n, q->score + b * IMS_BLOCK_ROWS, &next);
	}
	return rows ? (double)passed / (double)rows : 0;
}

void ims_filter_all(bound_query *const *queries, size_t n)
{
	const codes *c = queries[0]->codes;
	size_t blocks = ims_codes_blocks(c->n), step = step_of(c);
	score_all(queries, n, step);
	for (size_t b = 0; b < blocks && !stop_all(queries, n); b += step)
		for (size_t i = 0; i < n; i++) {
			bound_query *q = queries[i];
			if (!q->rc)
				filter_scored(q, b, blocks - b < step ? blocks - b : step,
					q->score + b * IMS_BLOCK_ROWS);
		}
}

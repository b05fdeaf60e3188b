/*
 * Stages: how memory is shared among them, scales, and the quantisation of one row. The scalar
 * quantiser on principal components is that of the VA+-file (Ferhatosmanoglu et al. 2000). The cut
 * into stages and the terms beside the numbers are our own.
 */
#include "search/bound/stage.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
	RAW_DIM = 96,     /* rows of at most so many dimensions have the raw stage alone */
	BLOCK_COUNT = 64, /* components of a stage of blocks */
	BLOCK_TERMS = 13, /* bytes a row beside the numbers of a stage of blocks */
	ROW_TERMS = 16    /* the same where there are no blocks */
};

/* ------------------------------------------------------------------------------------ plan ---- */

/* Bytes a row for components: a third of the f32 row, less the raw stage and its companions. */
static uint32_t component_bytes(uint32_t dim)
{
	uint32_t all = dim + dim / 3;
	uint32_t other = 8 + 8 + 4 + 12; /* raw terms, id, order of ids, share of the axes */
	return all > dim + other ? all - dim - other : 0;
}

static uint32_t first_count(uint32_t dim)
{
	uint32_t bytes = component_bytes(dim);
	uint32_t count = bytes < 16 + BLOCK_TERMS ? 16 : (bytes - BLOCK_TERMS) / 4 * 4;
	return count > BLOCK_COUNT ? BLOCK_COUNT : count;
}

uint32_t ims_stage_components(uint32_t dim)
{
	if (dim <= RAW_DIM)
		return 0;
	uint32_t bytes = component_bytes(dim), m = first_count(dim), more;
	uint32_t left = bytes < m + BLOCK_TERMS ? 0 : bytes - m - BLOCK_TERMS;
	for (; m < 3 * BLOCK_COUNT && left >= BLOCK_COUNT + BLOCK_TERMS; m += BLOCK_COUNT)
		left -= BLOCK_COUNT + BLOCK_TERMS;
	if (left < 32 + ROW_TERMS)
		return m;
	more = left - ROW_TERMS;
	return m + (more < 256 ? more / 16 * 16 : 256);
}

unsigned ims_stage_plan(code_stage *stage, uint32_t dim, uint32_t components)
{
	enum { BLOCK_STAGES = 3, LEAST = 16 /* components that a stage of blocks pays for */ };
	unsigned n = 0;
	uint32_t at = 0, next = first_count(dim);
	for (; at < components && n < BLOCK_STAGES && components - at >= LEAST; next = BLOCK_COUNT) {
		uint32_t count = components - at < next ? components - at : next;
		stage[n++] = (code_stage){ .first = at, .count = count, .blocks = true };
		at += count;
	}
	if (at < components)
		stage[n++] = (code_stage){ .first = at, .count = components - at };
	stage[n++] = (code_stage){ .count = dim, .raw = true };
	stage[0].blocks = true;
	return n;
}

void ims_stage_init(code_stage *stage, unsigned index, pthread_mutex_t *lock)
{
	size_t terms = stage->blocks ? (index ? 3 : 2) : stage->raw ? 2 : 4;
	size_t rows = stage->blocks ? IMS_BLOCK_ROWS : 1;
	stage->bytes = (stage->count + 3) / 4 * 4;
	ims_column_init(&stage->column, rows * (stage->bytes + terms * sizeof(float)), lock);
}

void ims_stage_free(code_stage *stage)
{
	ims_column_free(&stage->column);
	ims_free(stage->scale);
	ims_free(stage->block_error);
}

/* ------------------------------------------------------------------------------ quantising ---- */

/* The nearest number of steps, -127..127. */
static inline int quantise(float steps)
{
	return steps >= 127 ? 127 : steps <= -127 ? -127 : (int)(steps + (steps < 0 ? -0.5f : 0.5f));
}

static double squared_error(const float *values, size_t stride, size_t n, float scale)
{
	double sum = 0;
	float inverse = scale > 1 / FLT_MAX ? 1 / scale : 0;
	for (size_t i = 0; i < n; i++) {
		float v = values[i * stride], d = v - scale * (float)quantise(v * inverse);
		sum += (double)d * d;
	}
	return sum;
}

/* Tries ranges below the largest value too: a rare large value does not justify coarse steps. */
float ims_stage_fit_scale(const float *values, size_t stride, size_t n)
{
	float largest = 0, best = 0;
	double least = INFINITY;
	for (size_t i = 0; i < n; i++)
		largest = fmaxf(largest, fabsf(values[i * stride]));
	for (int eighths = 3; eighths <= 8; eighths++) {
		float scale = largest * (float)eighths / (8 * 127);
		double e = squared_error(values, stride, n, scale);
		if (e <= least) {
			least = e;
			best = scale;
		}
	}
	return best > 1e-30f ? best : 0;
}

quantised ims_stage_quantise(const code_stage *stage, const float *values, uint8_t *item,
	size_t lane)
{
	quantised q = { 0, 0, 0 };
	size_t four = stage->blocks ? 4 * IMS_BLOCK_ROWS : 4; /* bytes from four numbers to the next */
	uint8_t *out = item + lane * 4;
	int64_t norm2 = 0;
	for (uint32_t i = 0; i < stage->bytes; i++) {
		int steps = 0;
		if (i < stage->count) {
			float scale = stage->scale[i];
			steps = scale > 0 ? quantise(values[i] / scale) : 0;
			double decoded = (double)scale * steps, d = values[i] - decoded;
			q.N += decoded * decoded;
			q.error2 += d * d;
			norm2 += steps * steps;
		}
		out[i / 4 * four + i % 4] = (uint8_t)(steps + 128);
	}
	q.norm = (float)sqrt((double)norm2) * 1.0001f;
	return q;
}

static void put_block_terms(const code_stage *stage, bool later, uint8_t *item, size_t lane,
	bool inner_product, const stage_terms *t)
{
	float *f = (float *)(void *)(item + stage->bytes * IMS_BLOCK_ROWS) + lane;
	double before2 = (double)t->residual_before * t->residual_before;
	double residual2 = (double)t->residual * t->residual;
	f[0] = inner_product ? 0 : (float)(t->N + residual2 - before2);
	f[IMS_BLOCK_ROWS] = t->residual;
	if (later)
		f[2 * IMS_BLOCK_ROWS] = t->residual_before;
}

void ims_stage_put_terms(const code_stage *stage, unsigned index, uint8_t *item, size_t lane,
	bool inner_product, const stage_terms *terms)
{
	uint8_t *beside = item + stage->bytes;
	if (stage->blocks) {
		put_block_terms(stage, index > 0, item, lane, inner_product, terms);
	} else if (stage->raw) {
		memcpy(beside, &terms->N, sizeof(float));
		memcpy(beside + sizeof(float), &terms->error, sizeof(float));
	} else {
		memcpy(beside, terms, sizeof *terms);
	}
}

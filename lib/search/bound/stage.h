/*
 * A stage of the filter step: the part of every row's code that one stage compares. A code is
 * scalar quantised, 8 bits a number, each number with a scale of its own. The first stages hold
 * leading principal components in blocks, interleaved by 16 rows for the kernels. A further stage
 * holds the other components, row by row. The last stage holds the row's own coordinates.
 */
#ifndef IMS_SEARCH_BOUND_STAGE_H
#define IMS_SEARCH_BOUND_STAGE_H

#include "kernels/kernels.h"
#include "search/bound/column.h"

#include <string.h>

enum { CODE_STAGES = 6 /* at most */ };

typedef struct code_stage {
	uint32_t first, count; /* its components; raw: 0 and dim */
	bool raw;              /* coordinates of the centred row, not components */
	bool blocks;           /* interleaved by 16 rows */
	uint32_t bytes;        /* of a row's numbers: count rounded up to 4 */
	float *scale;          /* of each number: what a step of the code stands for */
	float longest;         /* the largest norm of a row's numbers, in steps */
	/*
	 * An item is a block as kernels->scan_u8_i16 takes it, or a row: its numbers, then the residual
	 * of the stage before, N, the residual and the error (raw: N and the error). See codes.h.
	 */
	column column;
	float *block_error; /* blocks: the largest error of the 16 rows */
} code_stage;

/* What stands beside a row's numbers. codes.h defines it. */
typedef struct stage_terms {
	float residual_before, N, residual, error;
} stage_terms;

/* How many components rows of this dimension have by default: a third of the f32 row in all. */
uint32_t ims_stage_components(uint32_t dim);

/*
 * Fills first, count, raw and blocks of the stages of rows with so many components. Returns how
 * many.
 */
unsigned ims_stage_plan(code_stage *stage, uint32_t dim, uint32_t components);

/* Fills in bytes and begins the column. index: 0 for the first stage. */
void ims_stage_init(code_stage *stage, unsigned index, pthread_mutex_t *lock);
void ims_stage_free(code_stage *stage);

/* The scale with the least squared error for n sampled values, `stride` floats apart. */
float ims_stage_fit_scale(const float *values, size_t stride, size_t n);

typedef struct quantised {
	double N, error2; /* squared length of the decoded numbers; squared error of the numbers */
	float norm;       /* of the numbers, in steps, rounded up */
} quantised;

/* Quantises the stage's values of row `lane` of item; lane is 0 where the stage has no blocks. */
quantised ims_stage_quantise(const code_stage *stage, const float *values, uint8_t *item,
	size_t lane);

/* Writes the terms beside the numbers. inner_product: blocks need no N then. */
void ims_stage_put_terms(const code_stage *stage, unsigned index, uint8_t *item, size_t lane,
	bool inner_product, const stage_terms *terms);

/* The terms that ims_stage_put_terms wrote; not of a stage with blocks. raw: N and error alone. */
static inline stage_terms ims_stage_terms(const code_stage *stage, const uint8_t *item)
{
	stage_terms t = { 0 };
	if (stage->raw) {
		memcpy(&t.N, item + stage->bytes, sizeof(float));
		memcpy(&t.error, item + stage->bytes + sizeof(float), sizeof(float));
	} else {
		memcpy(&t, item + stage->bytes, sizeof t);
	}
	return t;
}

/* The item that has the row of this slot. */
static inline size_t ims_stage_item(const code_stage *stage, size_t slot)
{
	return stage->blocks ? slot / IMS_BLOCK_ROWS : slot;
}

/* Items of so many rows. */
static inline size_t ims_stage_items(const code_stage *stage, size_t rows)
{
	return stage->blocks ? (rows + IMS_BLOCK_ROWS - 1) / IMS_BLOCK_ROWS : rows;
}

/* The numbers of a row, rounded up to what kernels->dot_u8_i16 takes. */
static inline size_t ims_stage_padded(const code_stage *stage)
{
	return ((size_t)stage->count + 63) / 64 * 64;
}

#endif

/* Inside codes: where items lie, and coding one row. */
#ifndef IMS_SEARCH_CODE_STORE_H
#define IMS_SEARCH_CODE_STORE_H

#include "kernels/kernels.h"
#include "search/bound/codes.h"

/* The nearest code, -127..127. */
static inline int ims_code_of(float z)
{
	return z >= 127 ? 127 : z <= -127 ? -127 : (int)(z + (z < 0 ? -0.5f : 0.5f));
}

/* Fills in bytes and the column's stride and shift from raw, from and count. */
void ims_codes_level_size(code_level *l, bool first);

/* Room for n rows in every column; new slots are dead. */
int ims_codes_reserve(codes *c, size_t n, imgsearch_error *err);

/* An item in memory, to write to. */
static inline uint8_t *ims_codes_item(column *col, size_t i)
{
	uint8_t *chunk = atomic_load_explicit(&col->chunk[i >> col->shift], memory_order_relaxed);
	return chunk + (i & (((size_t)1 << col->shift) - 1)) * col->stride;
}

/* A row's m of level 0; infinity: the row is gone. */
static inline float *ims_codes_m(codes *c, size_t slot)
{
	code_level *l = &c->level[0];
	uint8_t *block = ims_codes_item(&l->col, slot / IMS_BLOCK_ROWS);
	return (float *)(void *)(block + l->bytes * IMS_BLOCK_ROWS) + slot % IMS_BLOCK_ROWS;
}

/* Codes a row into a slot that has room; work: dim + components rounded up to 32 floats. */
void ims_codes_encode_at(codes *c, int64_t id, const float *row, size_t slot, float *work);

#endif

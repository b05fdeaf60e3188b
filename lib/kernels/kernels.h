/*
 * The inner loops of searching, in one table for each level of the CPU. A name says what a kernel
 * computes and the types of its operands: dot_u8_i8 multiplies unsigned bytes by signed ones.
 *
 * The kernels l2_f32, dot_f32, squares_f32 and near_f32 give the same bits at every level: their
 * sums have one fixed order. So an index gives the same answer on every machine. The integer
 * kernels are exact; scan_u8_i16 and below_f32 are the same bits too. panel_f32 may differ between
 * levels by rounding.
 *
 * $IMGSEARCH_KERNELS=scalar|avx2|avx512|neon lowers the level. It never raises the level above what
 * the CPU has.
 */
#ifndef IMS_KERNELS_H
#define IMS_KERNELS_H

#include "base/base.h"

enum {
	IMS_BLOCK_ROWS = 16, /* rows that scan_u8_i16, scan_u4_i8, below_f32, near_f32 take together */
	IMS_NEAR_MAX = 32,   /* floats a row that near_f32 takes, at most */
	IMS_SCAN_MAX = 256,  /* bytes a row that scan_u8_i16 takes, at most: their sum fits 31 bits */
	IMS_PANEL = 32,      /* columns of a panel */
	IMS_PANEL_SUM = 128  /* terms of a partial sum of panel_f32 */
};

/*
 * A query of 16-bit digits, |digit| <= 32512, for rows of unsigned bytes. The same digits again as
 * two signed bytes each, digit = 256 * high + low, for CPUs that multiply bytes by bytes.
 */
typedef struct query_i16 {
	const int16_t *digit;
	const int8_t *high, *low;
	float scale, r_factor, s_factor; /* for scan_u8_i16 */
} query_i16;

typedef struct kernels {
	const char *name;

	/* The squared L2 distance of two rows of n floats. */
	float (*l2_f32)(const float *a, const float *b, size_t n);

	/* The dot product of two rows of n floats. */
	float (*dot_f32)(const float *a, const float *b, size_t n);

	/*
	 * The sum of the squares of n floats, or of the differences a - b where b is not NULL, added up
	 * in double.
	 */
	double (*squares_f32)(const float *a, const float *b, size_t n);

	/*
	 * Dot products of n rows with one query. Row i is at rows + list[i] * size, or at rows + i *
	 * size where list is NULL. size is a multiple of 64 and at most 65536. rows and query are
	 * 64-byte aligned.
	 */
	void (*dot_u8_i8)(const uint8_t *rows, size_t size, const uint32_t *list, size_t n,
		const int8_t *query, int32_t *out);

	/*
	 * The product of a matrix and a panel: y[r][c] = sum of x[r][i] * panel[i][c] over i < n, for c
	 * < IMS_PANEL. Rows of x are n floats apart, rows of y y_stride floats. Partial sums have
	 * IMS_PANEL_SUM terms.
	 */
	void (*panel_f32)(const float *x, size_t rows, size_t n, const float *panel, float *y,
		size_t y_stride);

	/*
	 * Scores of blocks of 16 rows, `stride` bytes apart. A block has 64 bytes for each four
	 * components: four of row 0, four of row 1 and so on; then 16 floats m and 16 floats r; then,
	 * where before is not NULL, 16 floats s.
	 *
	 *	out[16 * block + row] = m + r_factor * r + scale * (sum of digit * byte)
	 *
	 * and where before is not NULL, + before[16 * block + row] + s_factor * s. before may be out.
	 * At most IMS_SCAN_MAX / 4 fours.
	 */
	void (*scan_u8_i16)(const uint8_t *block, size_t stride, size_t blocks, size_t fours,
		const query_i16 *q, const float *before, float *out);

	/* The dot product of n bytes with the digits. n is a multiple of 64. */
	int64_t (*dot_u8_i16)(const uint8_t *row, const query_i16 *q, size_t n);

	/* Bit r of mask[i] is set where e[16 * list[i] + r] <= limit[i]. A NaN sets none. */
	void (*below_f32)(const float *e, const uint32_t *list, const float *limit, size_t n,
		uint16_t *mask);

	/*
	 * Distances of blocks of 16 short rows from a query of n <= IMS_NEAR_MAX floats: l2_f32, or
	 * minus dot_f32, the same bits. Float i of row r of block b is blocks[16 * (n * b + i) + r].
	 * out[16 * b + r]; bit r of mask[b] is set where it is <= limit. A NaN sets none.
	 */
	void (*near_f32)(const float *blocks, size_t count, const float *query, size_t n, bool dot,
		float limit, float *out, uint16_t *mask);

	/*
	 * As dot_u8_i8, for rows of 2-bit numbers 0..3. A row is `blocks` blocks of 64 bytes; rows are
	 * `stride` bytes apart. Byte j of block b holds four numbers, the first in its lowest bits.
	 * They are multiplied by query[256 * b + j], query[256 * b + 64 + j], query[256 * b + 128 + j]
	 * and query[256 * b + 192 + j]. query is 64-byte aligned.
	 */
	void (*dot_u2_i8)(const uint8_t *rows, size_t stride, size_t blocks, const uint32_t *list,
		size_t n, const int8_t *query, int32_t *out);

	/*
	 * Dot products of blocks of 16 rows of 4-bit numbers 0..15 with one query. A block has 64 bytes
	 * for each eight components: byte 4 * row + c holds component c of the eight in its low bits,
	 * component 4 + c in the others. query has 8 * eights bytes, at most 65536. out[16 * block +
	 * row].
	 */
	void (*scan_u4_i8)(const uint8_t *block, size_t blocks, size_t eights, const int8_t *query,
		int32_t *out);
} kernels;

/* The table in use. Never NULL. Any thread. */
const kernels *ims_kernels(void);

/* For tests: the i-th level that this CPU runs, the best first, scalar last. NULL past the last. */
const kernels *ims_kernels_level(size_t i);

#endif

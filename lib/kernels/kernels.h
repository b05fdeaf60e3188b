/*
 * The inner loops: distances of f32 rows and of 8-bit codes, chosen once for the CPU. The f32 results are the same
 * bits at every level (one fixed order of summation), so that an index gives the same answer on every machine.
 * $IMGSEARCH_KERNELS=scalar|avx2|avx512|neon lowers the level, never raises it above the CPU.
 */
#ifndef IMS_KERNELS_H
#define IMS_KERNELS_H

#include "base/base.h"

/*
 * Codes are rows of 8-bit numbers 0..255. A query against them is 16-bit, |digit| <= 32512, given also as two signed
 * bytes, q = 256 * high + low: so one sum is exact at every level. Sums of at most 256 codes fit 31 bits (scan_u8_i16).
 */
typedef struct query_i16 {
	const int16_t *digit;
	const int8_t *high, *low;
	float scale, r_factor, s_factor; /* of scan_u8_i16's result */
} query_i16;

enum { IMS_BLOCK_ROWS = 16, IMS_SCAN_MAX = 256, IMS_PANEL = 32, IMS_PANEL_SUM = 128 };

typedef struct kernels {
	const char *name;
	/* Sum of squared differences, and dot product, of n floats. */
	float (*l2_f32)(const float *a, const float *b, size_t n);
	float (*dot_f32)(const float *a, const float *b, size_t n);
	/*
	 * Dot products of rows of unsigned bytes with a query of signed ones: out[i] is that of rows + list[i] * size, of
	 * rows + i * size where list is NULL. size: a multiple of 64, at most 65536; rows and query 64-byte aligned.
	 */
	void (*dot_u8_i8)(const uint8_t *rows, size_t size, const uint32_t *list, size_t n, const int8_t *query, int32_t *out);
	/* y[r][c] = sum of x[r][i] * panel[i][c], i < n, c < IMS_PANEL, in partial sums of IMS_PANEL_SUM terms. Not the same bits everywhere. */
	void (*panel_f32)(const float *x, size_t rows, size_t n, const float *panel, float *y, size_t y_stride);
	/*
	 * Blocks of 16 rows: for each four components 64 bytes, four of row 0, four of row 1 ...; then 16 floats m, 16
	 * floats r, and with `before` 16 floats s. out[16 * block + row] = m + r_factor * r + scale * (sum of q * code), and with
	 * before, which may be out, + before[16 * block + row] + s_factor * s. Blocks are `stride` bytes apart.
	 */
	void (*scan_u8_i16)(const uint8_t *block, size_t stride, size_t blocks, size_t fours, const query_i16 *q, const float *before, float *out);
	/* Sum of q * code over n codes, n a multiple of 64. */
	int64_t (*dot_u8_i16)(const uint8_t *code, const query_i16 *q, size_t n);
	/* Bit r of mask[i]: is e[16 * list[i] + r] <= limit[i]? */
	void (*below_f32)(const float *e, const uint32_t *list, const float *limit, size_t n, uint16_t *mask);
	/*
	 * As dot_u8_i8, for rows of 2-bit numbers 0..3: byte j of the b-th 64 bytes of rows + list[i] * stride holds, lowest bits
	 * first, those that meet query[256 * b + j], [.. + 64 + j], [.. + 128 + j], [.. + 192 + j]. query 64-byte aligned.
	 */
	void (*dot_u2_i8)(const uint8_t *rows, size_t stride, size_t blocks, const uint32_t *list, size_t n, const int8_t *query, int32_t *out);
} kernels;

/* Never NULL; the scalar ones where nothing better runs. */
const kernels *ims_kernels(void);

/* Tests: the i-th level that this CPU runs, best first, scalar last; NULL past it. */
const kernels *ims_kernels_level(size_t i);

#endif

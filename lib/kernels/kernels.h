/*
 * The inner loops: distances of f32 rows and of 8-bit codes, chosen once for the CPU. The f32 results are the same
 * bits at every level (one fixed order of summation), so that an index gives the same answer on every machine.
 * $IMGSEARCH_KERNELS=scalar|avx2|avx512|neon lowers the level, never raises it above the CPU.
 */
#ifndef IMS_KERNELS_H
#define IMS_KERNELS_H

#include "base/base.h"

typedef struct kernels {
	const char *name;
	/* Sum of squared differences, and dot product, of n floats. */
	float (*l2)(const float *a, const float *b, size_t n);
	float (*dot)(const float *a, const float *b, size_t n);
	/*
	 * Dot products of rows of unsigned bytes with a query of signed ones: out[i] is that of rows + list[i] * size, of
	 * rows + i * size where list is NULL. size: a multiple of 64, at most 65536; rows and query 64-byte aligned.
	 */
	void (*code_dots)(const uint8_t *rows, size_t size, const uint32_t *list, size_t n, const int8_t *query, int32_t *out);
} kernels;

/* Never NULL; the scalar ones where nothing better runs. */
const kernels *ims_kernels(void);

/* Tests: the i-th level that this CPU runs, best first, scalar last; NULL past it. */
const kernels *ims_kernels_level(size_t i);

#endif

/*
 * The table of each level of the CPU, and whether this CPU runs it. A level has a source file of
 * its name.
 */
#ifndef IMS_LEVELS_H
#define IMS_LEVELS_H

#include "kernels/kernels.h"

/* Partial sums of l2_f32 and dot_f32: lane j adds up the terms j, j + 64, j + 128 and so on. */
enum { IMS_LANES = 64 };
/* Those of squares_f32 likewise. */
enum { IMS_SQUARE_LANES = 32 };

extern const kernels ims_kernels_scalar;
#if defined(__x86_64__)
extern const kernels ims_kernels_avx2, ims_kernels_avx512;
bool ims_kernels_has_avx2(void);
bool ims_kernels_has_avx512(void);
#elif defined(__aarch64__)
extern const kernels ims_kernels_neon;
#endif

/* The scalar below_f32, which other levels use as it is. */
void ims_kernels_below_f32(const float *e, const uint32_t *list, const float *limit, size_t n,
	uint16_t *mask);

#endif

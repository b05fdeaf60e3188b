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

/*
 * Defines name(block, query, n, l) of vectors V: the sum of term(block, query, i) over i = l < n <=
 * IMS_NEAR_MAX in the order of l2_f32's lanes, whose halves are added to each other. A lane past n
 * is zero there, and is left out here.
 */
#define IMS_NEAR_HALF(attribute, V, name, half, step, add) \
	attribute static inline V name(const float *block, const float *query, size_t n, size_t l) \
	{ \
		V sum = half(block, query, n, l); \
		return l + (step) < n ? add(sum, half(block, query, n, l + (step))) : sum; \
	}
#define IMS_NEAR_SUM(attribute, V, name, term, add) \
	IMS_NEAR_HALF(attribute, V, name##_16, term, 16, add) \
	IMS_NEAR_HALF(attribute, V, name##_8, name##_16, 8, add) \
	IMS_NEAR_HALF(attribute, V, name##_4, name##_8, 4, add) \
	IMS_NEAR_HALF(attribute, V, name##_2, name##_4, 2, add) \
	IMS_NEAR_HALF(attribute, V, name, name##_2, 1, add)

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

/* The tables of kernels.c's levels, one file each. */
#ifndef IMS_LEVELS_H
#define IMS_LEVELS_H

#include "kernels/kernels.h"

enum { IMS_LANES = 64 }; /* of every f32 sum: lane j adds up the products j, j + 64, j + 128 ... */

extern const kernels ims_kernels_scalar;
void ims_kernels_below_f32(const float *e, const uint32_t *list, const float *limit, size_t n, uint16_t *mask);
#if defined(__x86_64__)
extern const kernels ims_kernels_avx2, ims_kernels_avx512;
bool ims_kernels_has_avx2(void);
bool ims_kernels_has_avx512(void);
#elif defined(__aarch64__)
extern const kernels ims_kernels_neon;
#endif

#endif

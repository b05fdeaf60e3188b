/* Rows of floats. */
#ifndef IMS_BASE_FLOATS_H
#define IMS_BASE_FLOATS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether none of n values is infinite or NaN. */
bool ims_all_finite(const float *v, size_t n);

/* Whether all of n values are zero: denormal ones are not, also where the program has them so. */
bool ims_all_zeros(const float *v, size_t n);

/* The value, also of a denormal float where the program takes those for zero (x86: DAZ). */
double ims_widen(float v);

/*
 * Whether n values can be the feature of a picture: finite, and not all zeros. Zeros have no
 * direction, and tell nothing of the picture.
 */
bool ims_is_feature(const float *v, size_t n);

/* Scales n values to length 1; zeros stay. out may be row. */
void ims_floats_normalise(float *out, const float *row, size_t n);

/* The largest magnitude of n values; 0 of none. NaN counts as larger than infinity. */
float ims_floats_largest(const float *v, size_t n);

/* Orders floats for qsort. None may be NaN. */
int ims_float_compare(const void *a, const void *b);

#endif

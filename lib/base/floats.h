/* Rows of floats. */
#ifndef IMS_BASE_FLOATS_H
#define IMS_BASE_FLOATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* The bits of a float as an integer that sorts alike, and back. NaN sorts at one of the ends. */
static inline int32_t ims_float_sortable(float value)
{
	int32_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits ^ (int32_t)((uint32_t)(bits >> 31) >> 1);
}
static inline float ims_float_unsortable(int32_t bits)
{
	float value;
	bits ^= (int32_t)((uint32_t)(bits >> 31) >> 1);
	memcpy(&value, &bits, sizeof value);
	return value;
}

/* Orders floats for qsort. None may be NaN. */
int ims_float_compare(const void *a, const void *b);

#endif

/* Rows of floats. */
#include "base/floats.h"

#include <math.h>

/* The bits of the largest magnitude: those of floats sort as integers, infinity and NaN last. */
static uint32_t largest_bits(const float *v, size_t n)
{
	uint32_t most = 0, bits;
	for (size_t i = 0; i < n; i++) {
		memcpy(&bits, &v[i], sizeof bits);
		bits &= INT32_MAX;
		most = bits > most ? bits : most;
	}
	return most;
}

bool ims_all_finite(const float *v, size_t n)
{
	return largest_bits(v, n) < 0x7f800000;
}

float ims_floats_largest(const float *v, size_t n)
{
	uint32_t bits = largest_bits(v, n);
	float largest;
	memcpy(&largest, &bits, sizeof largest);
	return largest;
}

bool ims_all_zeros(const float *v, size_t n)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < n && !(bits << 1); i++)
		memcpy(&bits, &v[i], sizeof bits);
	return !(bits << 1); /* but for the sign */
}

double ims_widen(float v)
{
	uint32_t bits;
	memcpy(&bits, &v, sizeof bits);
	if (bits & 0x7f800000)
		return (double)v;
	double size = (double)(bits & 0x7fffff) * 0x1p-149;
	return bits >> 31 ? -size : size;
}

bool ims_is_feature(const float *v, size_t n)
{
	return !ims_all_zeros(v, n) && ims_all_finite(v, n);
}

int ims_float_compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

void ims_floats_normalise(float *out, const float *row, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)row[i] * (double)row[i];
	float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
	for (size_t i = 0; i < n; i++)
		out[i] = row[i] * scale;
}

/* Rows of floats. */
#include "base/floats.h"

#include <stdint.h>
#include <string.h>

bool ims_all_finite(const float *v, size_t n)
{
	uint32_t most = 0, bits;
	for (size_t i = 0; i < n; i++) {
		memcpy(&bits, &v[i], sizeof bits);
		bits &= INT32_MAX; /* sizes of floats sort as integers, infinity and NaN last */
		most = bits > most ? bits : most;
	}
	return most < 0x7f800000;
}

bool ims_is_feature(const float *v, size_t n)
{
	size_t zeros = 0;
	while (zeros < n && v[zeros] == 0)
		zeros++;
	return zeros < n && ims_all_finite(v, n);
}

int ims_float_compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

enum { DIGITS = 4, VALUES = 256 }; /* of a float's bits as a number of base 256 */

/* The bits as an unsigned number that sorts like the float. */
static uint32_t sortable(float f)
{
	uint32_t bits;
	memcpy(&bits, &f, sizeof bits);
	return bits ^ (bits >> 31 ? UINT32_MAX : 1u << 31);
}

static unsigned digit(float f, int which)
{
	return sortable(f) >> 8 * which & (VALUES - 1);
}

/* Radix sort, from the lowest digit up. A digit that all have in common needs no pass. */
void ims_float_sort(float *v, float *scratch, size_t n)
{
	uint32_t count[DIGITS][VALUES] = { 0 };
	float *from = v, *to = scratch;
	for (size_t i = 0; i < n; i++)
		for (int d = 0; d < DIGITS; d++)
			count[d][digit(v[i], d)]++;
	for (int d = 0; d < DIGITS && n; d++) {
		if (count[d][digit(*v, d)] == n)
			continue;
		uint32_t first = 0, same;
		for (int i = 0; i < VALUES; i++, first += same) {
			same = count[d][i];
			count[d][i] = first;
		}
		for (size_t i = 0; i < n; i++)
			to[count[d][digit(from[i], d)]++] = from[i];
		float *sorted = to;
		to = from;
		from = sorted;
	}
	if (from != v)
		memcpy(v, from, n * sizeof *v);
}

/* The reference that every other level equals bit for bit, in plain C. */
#include "kernels/levels.h"

#include <math.h>
#include <string.h>

/* Halves onto halves: 64 lanes, 32, 16 ... 1. */
static float fold(float lane[IMS_LANES])
{
	for (size_t half = IMS_LANES / 2; half; half /= 2)
		for (size_t j = 0; j < half; j++)
			lane[j] = lane[j] + lane[j + half];
	return lane[0];
}

static float l2(const float *a, const float *b, size_t n)
{
	float lane[IMS_LANES] = { 0 };
	for (size_t i = 0; i < n; i += IMS_LANES)
		for (size_t j = 0; j < IMS_LANES; j++) {
			float d = i + j < n ? a[i + j] - b[i + j] : 0;
			lane[j] = fmaf(d, d, lane[j]);
		}
	return fold(lane);
}

static float dot(const float *a, const float *b, size_t n)
{
	float lane[IMS_LANES] = { 0 };
	for (size_t i = 0; i < n; i += IMS_LANES)
		for (size_t j = 0; j < IMS_LANES; j++)
			lane[j] = i + j < n ? fmaf(a[i + j], b[i + j], lane[j]) : fmaf(0, 0, lane[j]);
	return fold(lane);
}

static void code_dots(const uint8_t *rows, size_t size, const uint32_t *list, size_t n, const int8_t *query, int32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *row = rows + (list ? list[i] : i) * size;
		int32_t sum = 0;
		for (size_t j = 0; j < size; j++)
			sum += row[j] * query[j];
		out[i] = sum;
	}
}

const kernels ims_kernels_scalar = { "scalar", l2, dot, code_dots };

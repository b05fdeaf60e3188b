/*
 * The scalar level in plain C. It is the reference: every other level gives the same bits, except
 * for panel_f32.
 */
#include "kernels/levels.h"

#include <math.h>
#include <string.h>

/* Adds the upper half of the lanes to the lower half, until one lane is left. */
static float fold(float lane[IMS_LANES])
{
	for (size_t half = IMS_LANES / 2; half; half /= 2)
		for (size_t j = 0; j < half; j++)
			lane[j] = lane[j] + lane[j + half];
	return lane[0];
}

static float l2_f32(const float *a, const float *b, size_t n)
{
	float lane[IMS_LANES] = { 0 };
	for (size_t i = 0; i < n; i += IMS_LANES)
		for (size_t j = 0; j < IMS_LANES; j++) {
			float d = i + j < n ? a[i + j] - b[i + j] : 0;
			lane[j] = fmaf(d, d, lane[j]);
		}
	return fold(lane);
}

static float dot_f32(const float *a, const float *b, size_t n)
{
	float lane[IMS_LANES] = { 0 };
	for (size_t i = 0; i < n; i += IMS_LANES)
		for (size_t j = 0; j < IMS_LANES; j++)
			lane[j] = i + j < n ? fmaf(a[i + j], b[i + j], lane[j]) : fmaf(0, 0, lane[j]);
	return fold(lane);
}

static double squares_f32(const float *a, const float *b, size_t n)
{
	double lane[IMS_SQUARE_LANES] = { 0 };
	for (size_t i = 0; i < n; i++) {
		float v = b ? a[i] - b[i] : a[i];
		lane[i % IMS_SQUARE_LANES] += (double)v * (double)v; /* the product is exact */
	}
	for (size_t half = IMS_SQUARE_LANES / 2; half; half /= 2)
		for (size_t j = 0; j < half; j++)
			lane[j] += lane[j + half];
	return lane[0];
}

static void dot_u8_i8(const uint8_t *rows, size_t size, const uint32_t *list, size_t n,
	const int8_t *query, int32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *row = rows + (list ? list[i] : i) * size;
		int32_t sum = 0;
		for (size_t j = 0; j < size; j++)
			sum += row[j] * query[j];
		out[i] = sum;
	}
}

static void panel_f32(const float *x, size_t rows, size_t n, const float *w, float *y,
	size_t y_stride)
{
	for (size_t r = 0; r < rows; r++, x += n, y += y_stride) {
		memset(y, 0, IMS_PANEL * sizeof(float));
		for (size_t from = 0; from < n; from += IMS_PANEL_SUM) {
			size_t to = n - from < IMS_PANEL_SUM ? n : from + IMS_PANEL_SUM;
			float sum[IMS_PANEL] = { 0 };
			for (size_t i = from; i < to; i++)
				for (size_t c = 0; c < IMS_PANEL; c++)
					sum[c] += x[i] * w[i * IMS_PANEL + c];
			for (size_t c = 0; c < IMS_PANEL; c++)
				y[c] += sum[c];
		}
	}
}

static void scan_u8_i16(const uint8_t *block, size_t stride, size_t blocks, size_t fours,
	const query_i16 *q, const float *before, float *out)
{
	for (size_t b = 0; b < blocks; b++, block += stride, out += IMS_BLOCK_ROWS)
		for (size_t row = 0; row < IMS_BLOCK_ROWS; row++) {
			int32_t sum = 0;
			float m, r, s;
			for (size_t i = 0; i < fours * 4; i++)
				sum += q->digit[i] * block[i / 4 * 64 + row * 4 + i % 4];
			memcpy(&m, block + fours * 64 + row * 4, 4);
			memcpy(&r, block + fours * 64 + 64 + row * 4, 4);
			if (before) {
				memcpy(&s, block + fours * 64 + 128 + row * 4, 4);
				m += fmaf(q->s_factor, s, before[b * IMS_BLOCK_ROWS + row]);
			}
			out[row] = fmaf(q->scale, (float)sum, fmaf(q->r_factor, r, m));
		}
}

static int64_t dot_u8_i16(const uint8_t *row, const query_i16 *q, size_t n)
{
	int64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += q->digit[i] * row[i];
	return sum;
}

static float l2_term(const float *block, const float *query, size_t n, size_t i)
{
	float d = query[i] - block[i * IMS_BLOCK_ROWS];
	(void)n;
	return d * d;
}

static float dot_term(const float *block, const float *query, size_t n, size_t i)
{
	(void)n;
	return query[i] * block[i * IMS_BLOCK_ROWS];
}

static float plus(float a, float b)
{
	return a + b;
}

IMS_NEAR_SUM(, float, l2_sum, l2_term, plus)
IMS_NEAR_SUM(, float, dot_sum, dot_term, plus)

static void near_f32(const float *blocks, size_t count, const float *query, size_t n, bool dot,
	float limit, float *out, uint16_t *mask)
{
	for (size_t b = 0; b < count; b++, blocks += IMS_BLOCK_ROWS * n, out += IMS_BLOCK_ROWS) {
		unsigned bits = 0;
		for (size_t r = 0; r < IMS_BLOCK_ROWS; r++) {
			/* + 0: the lanes past n make a zero of -0 */
			out[r] = dot ? -(dot_sum(blocks + r, query, n, 0) + 0.0f)
						 : l2_sum(blocks + r, query, n, 0);
			bits |= (unsigned)(out[r] <= limit) << r;
		}
		mask[b] = (uint16_t)bits;
	}
}

void ims_kernels_below_f32(const float *e, const uint32_t *list, const float *limit, size_t n,
	uint16_t *mask)
{
	for (size_t i = 0; i < n; i++) {
		unsigned bits = 0;
		for (size_t r = 0; r < IMS_BLOCK_ROWS; r++)
			bits |= (unsigned)(e[IMS_BLOCK_ROWS * list[i] + r] <= limit[i]) << r;
		mask[i] = (uint16_t)bits;
	}
}

static void dot_u2_i8(const uint8_t *rows, size_t stride, size_t blocks, const uint32_t *list,
	size_t n, const int8_t *query, int32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *row = rows + list[i] * stride;
		int32_t sum = 0;
		for (size_t b = 0; b < blocks; b++)
			for (size_t j = 0; j < 256; j++)
				sum += (row[64 * b + j % 64] >> (j / 64 * 2) & 3) * query[256 * b + j];
		out[i] = sum;
	}
}

static void scan_u4_i8(const uint8_t *block, size_t blocks, size_t eights, const int8_t *query,
	int32_t *out)
{
	memset(out, 0, blocks * IMS_BLOCK_ROWS * sizeof *out);
	for (; blocks; blocks--, out += IMS_BLOCK_ROWS)
		for (size_t g = 0; g < eights; g++, block += 64)
			for (size_t j = 0; j < 64; j++)
				out[j / 4] += (block[j] & 15) * query[8 * g + j % 4]
					+ (block[j] >> 4) * query[8 * g + 4 + j % 4];
}

const kernels ims_kernels_scalar = {
	"scalar",
	l2_f32,
	dot_f32,
	squares_f32,
	dot_u8_i8,
	panel_f32,
	scan_u8_i16,
	dot_u8_i16,
	ims_kernels_below_f32,
	near_f32,
	dot_u2_i8,
	scan_u4_i8,
};

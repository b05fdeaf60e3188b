/* NEON on 64-bit Arm. The 64 lanes of f32 sums are sixteen registers of four. */
#include "kernels/levels.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <string.h>

static float fold(float32x4_t r[16])
{
	for (int half = 8; half; half /= 2)
		for (int j = 0; j < half; j++)
			r[j] = vaddq_f32(r[j], r[j + half]);
	float32x2_t s = vadd_f32(vget_low_f32(r[0]), vget_high_f32(r[0]));
	return vget_lane_f32(s, 0) + vget_lane_f32(s, 1);
}

static inline void l2_step(float32x4_t r[16], const float *a, const float *b)
{
	for (int j = 0; j < 16; j++) {
		float32x4_t d = vsubq_f32(vld1q_f32(a + 4 * j), vld1q_f32(b + 4 * j));
		r[j] = vfmaq_f32(r[j], d, d);
	}
}

static inline void dot_step(float32x4_t r[16], const float *a, const float *b)
{
	for (int j = 0; j < 16; j++)
		r[j] = vfmaq_f32(r[j], vld1q_f32(a + 4 * j), vld1q_f32(b + 4 * j));
}

#define SUM(step) \
	float32x4_t r[16]; \
	for (int j = 0; j < 16; j++) \
		r[j] = vdupq_n_f32(0); \
	size_t i = 0; \
	for (; i + IMS_LANES <= n; i += IMS_LANES) \
		step(r, a + i, b + i); \
	if (i < n) { \
		float ta[IMS_LANES] = { 0 }, tb[IMS_LANES] = { 0 }; \
		memcpy(ta, a + i, (n - i) * sizeof(float)); \
		memcpy(tb, b + i, (n - i) * sizeof(float)); \
		step(r, ta, tb); \
	} \
	return fold(r)

static float l2_f32(const float *a, const float *b, size_t n)
{
	SUM(l2_step);
}

static float dot_f32(const float *a, const float *b, size_t n)
{
	SUM(dot_step);
}

static inline void squares_step(float64x2_t r[16], const float *a, const float *b)
{
	for (int j = 0; j < 16; j++) {
		float32x2_t f = vld1_f32(a + 2 * j);
		float64x2_t v = vcvt_f64_f32(b ? vsub_f32(f, vld1_f32(b + 2 * j)) : f);
		r[j] = vfmaq_f64(r[j], v, v);
	}
}

static double squares_f32(const float *a, const float *b, size_t n)
{
	float64x2_t r[16];
	size_t i = 0;
	for (int j = 0; j < 16; j++)
		r[j] = vdupq_n_f64(0);
	for (; i + IMS_SQUARE_LANES <= n; i += IMS_SQUARE_LANES)
		squares_step(r, a + i, b ? b + i : NULL);
	if (i < n) {
		float ta[IMS_SQUARE_LANES] = { 0 }, tb[IMS_SQUARE_LANES] = { 0 };
		memcpy(ta, a + i, (n - i) * sizeof(float));
		if (b)
			memcpy(tb, b + i, (n - i) * sizeof(float));
		squares_step(r, ta, tb);
	}
	for (int half = 8; half; half /= 2)
		for (int j = 0; j < half; j++)
			r[j] = vaddq_f64(r[j], r[j + half]);
	return vgetq_lane_f64(r[0], 0) + vgetq_lane_f64(r[0], 1);
}

static void panel_f32(const float *x, size_t rows, size_t n, const float *w, float *y,
	size_t y_stride)
{
	for (size_t r = 0; r < rows; r++, x += n, y += y_stride)
		for (size_t from = 0; from < n; from += IMS_PANEL_SUM) {
			size_t to = n - from < IMS_PANEL_SUM ? n : from + IMS_PANEL_SUM;
			float32x4_t s[IMS_PANEL / 4];
			for (int c = 0; c < IMS_PANEL / 4; c++)
				s[c] = vdupq_n_f32(0);
			for (size_t i = from; i < to; i++)
				for (int c = 0; c < IMS_PANEL / 4; c++)
					s[c] = vfmaq_n_f32(s[c], vld1q_f32(w + i * IMS_PANEL + 4 * c), x[i]);
			for (int c = 0; c < IMS_PANEL / 4; c++)
				vst1q_f32(y + 4 * c, from ? vaddq_f32(vld1q_f32(y + 4 * c), s[c]) : s[c]);
		}
}

/* Sums of the products of four bytes with four digits, for each of four rows. */
static inline int32x4_t fours(uint8x16_t bytes, int16x4_t q)
{
	int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes)));
	int16x8_t high = vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(bytes)));
	int32x4_t r01 = vpaddq_s32(vmull_s16(vget_low_s16(low), q), vmull_s16(vget_high_s16(low), q));
	int32x4_t r23 = vpaddq_s32(vmull_s16(vget_low_s16(high), q), vmull_s16(vget_high_s16(high), q));
	return vpaddq_s32(r01, r23);
}

static void scan_u8_i16(const uint8_t *block, size_t stride, size_t blocks, size_t n_fours,
	const query_i16 *q, const float *before, float *out)
{
	for (size_t b = 0; b < blocks; b++, block += stride, out += IMS_BLOCK_ROWS) {
		int32x4_t sum[4] = { vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0) };
		for (size_t g = 0; g < n_fours; g++)
			for (int j = 0; j < 4; j++)
				sum[j] = vaddq_s32(sum[j],
					fours(vld1q_u8(block + 64 * g + 16 * j), vld1_s16(q->digit + 4 * g)));
		for (int j = 0; j < 4; j++) {
			float32x4_t m = vreinterpretq_f32_u8(vld1q_u8(block + 64 * n_fours + 16 * j));
			float32x4_t r = vreinterpretq_f32_u8(vld1q_u8(block + 64 * n_fours + 64 + 16 * j));
			if (before) {
				float32x4_t s = vreinterpretq_f32_u8(vld1q_u8(block + 64 * n_fours + 128 + 16 * j));
				m = vaddq_f32(m,
					vfmaq_n_f32(vld1q_f32(before + IMS_BLOCK_ROWS * b + 4 * j), s, q->s_factor));
			}
			m = vfmaq_n_f32(m, r, q->r_factor);
			vst1q_f32(out + 4 * j, vfmaq_n_f32(m, vcvtq_f32_s32(sum[j]), q->scale));
		}
	}
}

static int64_t dot_u8_i16(const uint8_t *row, const query_i16 *q, size_t n)
{
	int64x2_t total = vdupq_n_s64(0);
	for (size_t i = 0; i < n; i += 8) {
		int16x8_t c = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(row + i))),
				  k = vld1q_s16(q->digit + i);
		int32x4_t s = vmull_s16(vget_low_s16(c), vget_low_s16(k));
		total = vpadalq_s32(total, vmlal_s16(s, vget_high_s16(c), vget_high_s16(k)));
	}
	return vaddvq_s64(total);
}

static void dot_u8_i8(const uint8_t *rows, size_t size, const uint32_t *list, size_t n,
	const int8_t *query, int32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *row = rows + (list ? list[i] : i) * size;
		int32x4_t sum = vdupq_n_s32(0);
		for (size_t j = 0; j < size; j += 8) {
			int16x8_t c = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(row + j))),
					  k = vmovl_s8(vld1_s8(query + j));
			sum = vmlal_s16(vmlal_s16(sum, vget_low_s16(c), vget_low_s16(k)), vget_high_s16(c),
				vget_high_s16(k));
		}
		out[i] = vaddvq_s32(sum);
	}
}

static void dot_u2_i8(const uint8_t *rows, size_t stride, size_t blocks, const uint32_t *list,
	size_t n, const int8_t *query, int32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *row = rows + list[i] * stride;
		int32x4_t sum = vdupq_n_s32(0);
		for (size_t j = 0; j < 64 * blocks; j += 8) {
			const int8_t *q = query + j / 64 * 256 + j % 64;
			uint8x8_t v = vld1_u8(row + j);
			int16x8_t four = vdupq_n_s16(0); /* sums of four products, each at most 3 * 128 */
			for (int p = 0; p < 4; p++, v = vshr_n_u8(v, 2))
				four = vmlal_s8(four, vreinterpret_s8_u8(vand_u8(v, vdup_n_u8(3))),
					vld1_s8(q + 64 * p));
			sum = vpadalq_s16(sum, four);
		}
		out[i] = vaddvq_s32(sum);
	}
}

/* Four bytes of a query, twice. */
static inline int8x8_t four_of(const int8_t *query)
{
	int32_t four;
	memcpy(&four, query, sizeof four);
	return vreinterpret_s8_s32(vdup_n_s32(four));
}

/* Two rows at a time. A lane of `some` gets two products, each at most 15 * 128, for each eight. */
static void scan_u4_i8(const uint8_t *block, size_t blocks, size_t eights, const int8_t *query,
	int32_t *out)
{
	enum { STEP = 8 };
	for (; blocks; blocks--, block += 64 * eights, out += IMS_BLOCK_ROWS)
		for (size_t two = 0; two < IMS_BLOCK_ROWS / 2; two++) {
			int32x4_t sum = vdupq_n_s32(0);
			for (size_t from = 0; from < eights; from += STEP) {
				int16x8_t some = vdupq_n_s16(0);
				for (size_t g = from; g < eights && g < from + STEP; g++) {
					uint8x8_t v = vld1_u8(block + 64 * g + 8 * two);
					some = vmlal_s8(some, vreinterpret_s8_u8(vand_u8(v, vdup_n_u8(15))),
						four_of(query + 8 * g));
					some = vmlal_s8(some, vreinterpret_s8_u8(vshr_n_u8(v, 4)),
						four_of(query + 8 * g + 4));
				}
				sum = vpadalq_s16(sum, some);
			}
			vst1_s32(out + 2 * two, vpadd_s32(vget_low_s32(sum), vget_high_s32(sum)));
		}
}

static inline float32x4_t l2_term(const float *block, const float *query, size_t n, size_t i)
{
	float32x4_t d = vsubq_f32(vdupq_n_f32(query[i]), vld1q_f32(block + 16 * i));
	(void)n;
	return vmulq_f32(d, d);
}

static inline float32x4_t dot_term(const float *block, const float *query, size_t n, size_t i)
{
	(void)n;
	return vmulq_f32(vdupq_n_f32(query[i]), vld1q_f32(block + 16 * i));
}

IMS_NEAR_SUM(, float32x4_t, l2_sum, l2_term, vaddq_f32)
IMS_NEAR_SUM(, float32x4_t, dot_sum, dot_term, vaddq_f32)

static void near_f32(const float *blocks, size_t count, const float *query, size_t n, bool dot,
	float limit, float *out, uint16_t *mask)
{
	const uint32x4_t bit = { 1, 2, 4, 8 };
	for (size_t b = 0; b < count; b++, blocks += IMS_BLOCK_ROWS * n, out += IMS_BLOCK_ROWS) {
		unsigned bits = 0;
		for (size_t r = 0; r < IMS_BLOCK_ROWS; r += 4) {
			float32x4_t d = dot
				? vnegq_f32(vaddq_f32(dot_sum(blocks + r, query, n, 0), vdupq_n_f32(0)))
				: l2_sum(blocks + r, query, n, 0);
			vst1q_f32(out + r, d);
			bits |= vaddvq_u32(vandq_u32(vcleq_f32(d, vdupq_n_f32(limit)), bit)) << r;
		}
		mask[b] = (uint16_t)bits;
	}
}

const kernels ims_kernels_neon = {
	"neon",
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
#endif

/* AVX-512 with VNNI. The 64 lanes of f32 sums are four registers of sixteen. */
#include "kernels/levels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")))

bool ims_kernels_has_avx512(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
		&& __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
		&& __builtin_cpu_supports("avx512vnni");
}

AVX512 static float fold(__m512 r0, __m512 r1, __m512 r2, __m512 r3)
{
	__m512 s16 = _mm512_add_ps(_mm512_add_ps(r0, r2), _mm512_add_ps(r1, r3));
	__m256 s8 = _mm256_add_ps(_mm512_castps512_ps256(s16), _mm512_extractf32x8_ps(s16, 1));
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

/* The lanes of register j that `left` floats fill. */
static inline __mmask16 lanes(size_t left, size_t j)
{
	return left >= 16 * j + 16 ? 0xffff
		: left <= 16 * j       ? 0
							   : (__mmask16)((1u << (left - 16 * j)) - 1);
}

AVX512 static inline __m512 l2_add(__m512 r, __m512 a, __m512 b)
{
	__m512 d = _mm512_sub_ps(a, b);
	return _mm512_fmadd_ps(d, d, r);
}

AVX512 static inline __m512 dot_add(__m512 r, __m512 a, __m512 b)
{
	return _mm512_fmadd_ps(a, b, r);
}

#define SUM(add) \
	__m512 r0 = _mm512_setzero_ps(), r1 = r0, r2 = r0, r3 = r0; \
	size_t i = 0; \
	for (; i + IMS_LANES <= n; i += IMS_LANES) { \
		r0 = add(r0, _mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i)); \
		r1 = add(r1, _mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16)); \
		r2 = add(r2, _mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32)); \
		r3 = add(r3, _mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48)); \
	} \
	if (i < n) { \
		__mmask16 m0 = lanes(n - i, 0), m1 = lanes(n - i, 1), m2 = lanes(n - i, 2), \
				  m3 = lanes(n - i, 3); \
		r0 = add(r0, _mm512_maskz_loadu_ps(m0, a + i), _mm512_maskz_loadu_ps(m0, b + i)); \
		r1 = add(r1, _mm512_maskz_loadu_ps(m1, a + i + 16), \
			_mm512_maskz_loadu_ps(m1, b + i + 16)); \
		r2 = add(r2, _mm512_maskz_loadu_ps(m2, a + i + 32), \
			_mm512_maskz_loadu_ps(m2, b + i + 32)); \
		r3 = add(r3, _mm512_maskz_loadu_ps(m3, a + i + 48), \
			_mm512_maskz_loadu_ps(m3, b + i + 48)); \
	} \
	return fold(r0, r1, r2, r3)

AVX512 static float l2_f32(const float *a, const float *b, size_t n)
{
	SUM(l2_add);
}

AVX512 static float dot_f32(const float *a, const float *b, size_t n)
{
	SUM(dot_add);
}

AVX512 static inline void squares_step(__m512d r[4], const float *a, const float *b)
{
	for (int j = 0; j < 4; j++) {
		__m256 f = _mm256_loadu_ps(a + 8 * j);
		__m512d v = _mm512_cvtps_pd(b ? _mm256_sub_ps(f, _mm256_loadu_ps(b + 8 * j)) : f);
		r[j] = _mm512_fmadd_pd(v, v, r[j]);
	}
}

AVX512 static double squares_f32(const float *a, const float *b, size_t n)
{
	__m512d r[4];
	size_t i = 0;
	for (int j = 0; j < 4; j++)
		r[j] = _mm512_setzero_pd();
	for (; i + IMS_SQUARE_LANES <= n; i += IMS_SQUARE_LANES)
		squares_step(r, a + i, b ? b + i : NULL);
	if (i < n) {
		float ta[IMS_SQUARE_LANES] = { 0 }, tb[IMS_SQUARE_LANES] = { 0 };
		memcpy(ta, a + i, (n - i) * sizeof(float));
		if (b)
			memcpy(tb, b + i, (n - i) * sizeof(float));
		squares_step(r, ta, tb);
	}
	__m512d s8 = _mm512_add_pd(_mm512_add_pd(r[0], r[2]), _mm512_add_pd(r[1], r[3]));
	__m256d s4 = _mm256_add_pd(_mm512_castpd512_pd256(s8), _mm512_extractf64x4_pd(s8, 1));
	__m128d s = _mm_add_pd(_mm256_castpd256_pd128(s4), _mm256_extractf128_pd(s4, 1));
	return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}

/* Sums the sixteen lanes of each of four registers, into four lanes. */
AVX512 static inline __m128i fold4(__m512i a, __m512i b, __m512i c, __m512i d)
{
	__m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
	__m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
	__m512i s = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
	__m256i h = _mm256_add_epi32(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
	return _mm_add_epi32(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1));
}

/* Takes four rows at a time. Places past the last row repeat it, and are not stored. */
AVX512 static void dot_u8_i8(const uint8_t *rows, size_t size, const uint32_t *list, size_t n,
	const int8_t *query, int32_t *out)
{
	for (size_t i = 0; i < n; i += 4) {
		const uint8_t *row[4];
		for (size_t j = 0; j < 4; j++) {
			size_t at = i + j < n ? i + j : n - 1;
			row[j] = rows + (list ? list[at] : at) * size;
		}
		__m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
		for (size_t j = 0; j < size; j += 64) {
			__m512i q = _mm512_load_si512(query + j);
			s0 = _mm512_dpbusd_epi32(s0, _mm512_load_si512(row[0] + j), q);
			s1 = _mm512_dpbusd_epi32(s1, _mm512_load_si512(row[1] + j), q);
			s2 = _mm512_dpbusd_epi32(s2, _mm512_load_si512(row[2] + j), q);
			s3 = _mm512_dpbusd_epi32(s3, _mm512_load_si512(row[3] + j), q);
		}
		_mm_mask_storeu_epi32(out + i, (__mmask8)(n - i < 4 ? (1u << (n - i)) - 1 : 15),
			fold4(s0, s1, s2, s3));
	}
}

#define PANEL(ROWS) \
	for (size_t from = 0; from < n; from += IMS_PANEL_SUM) { \
		size_t to = n - from < IMS_PANEL_SUM ? n : from + IMS_PANEL_SUM; \
		__m512 s0[ROWS], s1[ROWS]; \
		for (int r = 0; r < ROWS; r++) \
			s0[r] = s1[r] = _mm512_setzero_ps(); \
		for (size_t i = from; i < to; i++) { \
			__m512 w0 = _mm512_loadu_ps(w + i * IMS_PANEL), \
				   w1 = _mm512_loadu_ps(w + i * IMS_PANEL + 16); \
			for (int r = 0; r < ROWS; r++) { \
				__m512 v = _mm512_set1_ps(x[(size_t)r * n + i]); \
				s0[r] = _mm512_fmadd_ps(v, w0, s0[r]); \
				s1[r] = _mm512_fmadd_ps(v, w1, s1[r]); \
			} \
		} \
		for (int r = 0; r < ROWS; r++) { \
			float *at = y + (size_t)r * y_stride; \
			_mm512_storeu_ps(at, from ? _mm512_add_ps(_mm512_loadu_ps(at), s0[r]) : s0[r]); \
			_mm512_storeu_ps(at + 16, \
				from ? _mm512_add_ps(_mm512_loadu_ps(at + 16), s1[r]) : s1[r]); \
		} \
	}

AVX512 static void panel_8(const float *x, size_t n, const float *w, float *y, size_t y_stride)
{
	PANEL(8);
}

AVX512 static void panel_1(const float *x, size_t n, const float *w, float *y, size_t y_stride)
{
	PANEL(1);
}

AVX512 static void panel_f32(const float *x, size_t rows, size_t n, const float *w, float *y,
	size_t y_stride)
{
	size_t r = 0;
	for (; r + 8 <= rows; r += 8)
		panel_8(x + r * n, n, w, y + r * y_stride, y_stride);
	for (; r < rows; r++)
		panel_1(x + r * n, n, w, y + r * y_stride, y_stride);
}

AVX512 static inline __m512i repeat_four(const int8_t *digits)
{
	int32_t bytes;
	memcpy(&bytes, digits, 4);
	return _mm512_set1_epi32(bytes);
}

AVX512 static void scan_u8_i16(const uint8_t *block, size_t stride, size_t blocks, size_t fours,
	const query_i16 *q, const float *before, float *out)
{
	__m512 scale = _mm512_set1_ps(q->scale), r_factor = _mm512_set1_ps(q->r_factor),
		   s_factor = _mm512_set1_ps(q->s_factor);
	for (size_t b = 0; b < blocks; b++, block += stride, out += IMS_BLOCK_ROWS) {
		__m512i h0 = _mm512_setzero_si512(), h1 = h0, l0 = h0, l1 = h0;
		size_t g = 0;
		for (; g + 2 <= fours; g += 2) {
			__m512i c0 = _mm512_loadu_si512(block + 64 * g),
					c1 = _mm512_loadu_si512(block + 64 * g + 64);
			h0 = _mm512_dpbusd_epi32(h0, c0, repeat_four(q->high + 4 * g));
			l0 = _mm512_dpbusd_epi32(l0, c0, repeat_four(q->low + 4 * g));
			h1 = _mm512_dpbusd_epi32(h1, c1, repeat_four(q->high + 4 * g + 4));
			l1 = _mm512_dpbusd_epi32(l1, c1, repeat_four(q->low + 4 * g + 4));
		}
		if (g < fours) {
			__m512i c0 = _mm512_loadu_si512(block + 64 * g);
			h0 = _mm512_dpbusd_epi32(h0, c0, repeat_four(q->high + 4 * g));
			l0 = _mm512_dpbusd_epi32(l0, c0, repeat_four(q->low + 4 * g));
		}
		__m512i sum = _mm512_add_epi32(_mm512_slli_epi32(_mm512_add_epi32(h0, h1), 8),
			_mm512_add_epi32(l0, l1));
		__m512 m = _mm512_loadu_ps(block + 64 * fours),
			   r = _mm512_loadu_ps(block + 64 * fours + 64);
		if (before)
			m = _mm512_add_ps(m,
				_mm512_fmadd_ps(s_factor, _mm512_loadu_ps(block + 64 * fours + 128),
					_mm512_loadu_ps(before + IMS_BLOCK_ROWS * b)));
		_mm512_storeu_ps(out,
			_mm512_fmadd_ps(scale, _mm512_cvtepi32_ps(sum), _mm512_fmadd_ps(r_factor, r, m)));
	}
}

AVX512 static int64_t dot_u8_i16(const uint8_t *row, const query_i16 *q, size_t n)
{
	int64_t total = 0;
	for (size_t from = 0; from < n; from += 32768) { /* a lane's sum fits 31 bits */
		size_t to = n - from < 32768 ? n : from + 32768;
		__m512i h = _mm512_setzero_si512(), l = h;
		for (size_t i = from; i < to; i += 64) {
			__m512i c = _mm512_loadu_si512(row + i);
			h = _mm512_dpbusd_epi32(h, c, _mm512_loadu_si512(q->high + i));
			l = _mm512_dpbusd_epi32(l, c, _mm512_loadu_si512(q->low + i));
		}
		total += (int64_t)_mm512_reduce_add_epi32(h) * 256 + _mm512_reduce_add_epi32(l);
	}
	return total;
}

AVX512 static void below_f32(const float *e, const uint32_t *list, const float *limit, size_t n,
	uint16_t *mask)
{
	for (size_t i = 0; i < n; i++)
		mask[i] = (uint16_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(e + IMS_BLOCK_ROWS * list[i]),
			_mm512_set1_ps(limit[i]), _CMP_LE_OQ);
}

AVX512 static void dot_u2_i8(const uint8_t *rows, size_t stride, size_t blocks,
	const uint32_t *list, size_t n, const int8_t *query, int32_t *out)
{
	const __m512i three = _mm512_set1_epi8(3);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *row = rows + list[i] * stride;
		__m512i s0 = _mm512_setzero_si512(), s1 = s0;
		for (size_t b = 0; b < blocks; b++) {
			const int8_t *q = query + 256 * b;
			__m512i v = _mm512_loadu_si512(row + 64 * b);
			s0 = _mm512_dpbusd_epi32(s0, _mm512_and_si512(v, three), _mm512_load_si512(q));
			s1 = _mm512_dpbusd_epi32(s1, _mm512_and_si512(_mm512_srli_epi16(v, 2), three),
				_mm512_load_si512(q + 64));
			s0 = _mm512_dpbusd_epi32(s0, _mm512_and_si512(_mm512_srli_epi16(v, 4), three),
				_mm512_load_si512(q + 128));
			s1 = _mm512_dpbusd_epi32(s1, _mm512_and_si512(_mm512_srli_epi16(v, 6), three),
				_mm512_load_si512(q + 192));
		}
		out[i] = _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
	}
}

/* Four bytes of a query in each 32-bit lane. */
AVX512 static inline __m512i four_of(const int8_t *query)
{
	int32_t four;
	memcpy(&four, query, sizeof four);
	return _mm512_set1_epi32(four);
}

AVX512 static void scan_u4_i8(const uint8_t *block, size_t blocks, size_t eights,
	const int8_t *query, int32_t *out)
{
	const __m512i low = _mm512_set1_epi8(15);
	for (; blocks; blocks--, out += IMS_BLOCK_ROWS) {
		__m512i s0 = _mm512_setzero_si512(), s1 = s0;
		for (size_t g = 0; g < eights; g++, block += 64) {
			__m512i v = _mm512_loadu_si512(block);
			s0 = _mm512_dpbusd_epi32(s0, _mm512_and_si512(v, low), four_of(query + 8 * g));
			v = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
			s1 = _mm512_dpbusd_epi32(s1, v, four_of(query + 8 * g + 4));
		}
		_mm512_storeu_si512(out, _mm512_add_epi32(s0, s1));
	}
}

AVX512 static inline __m512 l2_term(const float *block, const float *query, size_t n, size_t i)
{
	__m512 d = _mm512_sub_ps(_mm512_set1_ps(query[i]), _mm512_loadu_ps(block + 16 * i));
	(void)n;
	return _mm512_mul_ps(d, d);
}

AVX512 static inline __m512 dot_term(const float *block, const float *query, size_t n, size_t i)
{
	(void)n;
	return _mm512_mul_ps(_mm512_set1_ps(query[i]), _mm512_loadu_ps(block + 16 * i));
}

IMS_NEAR_SUM(AVX512, __m512, l2_sum, l2_term, _mm512_add_ps)
IMS_NEAR_SUM(AVX512, __m512, dot_sum, dot_term, _mm512_add_ps)

AVX512 static void near_f32(const float *blocks, size_t count, const float *query, size_t n,
	bool dot, float limit, float *out, uint16_t *mask)
{
	const __m512 zero = _mm512_setzero_ps(), most = _mm512_set1_ps(limit);
	for (size_t b = 0; b < count; b++, blocks += IMS_BLOCK_ROWS * n) {
		__m512 d = dot ? _mm512_add_ps(dot_sum(blocks, query, n, 0), zero)
					   : l2_sum(blocks, query, n, 0);
		if (dot)
			d = _mm512_xor_ps(d, _mm512_set1_ps(-0.0f));
		_mm512_storeu_ps(out + IMS_BLOCK_ROWS * b, d);
		mask[b] = _mm512_cmp_ps_mask(d, most, _CMP_LE_OQ);
	}
}

const kernels ims_kernels_avx512 = {
	"avx512",
	l2_f32,
	dot_f32,
	squares_f32,
	dot_u8_i8,
	panel_f32,
	scan_u8_i16,
	dot_u8_i16,
	below_f32,
	near_f32,
	dot_u2_i8,
	scan_u4_i8,
};
#endif

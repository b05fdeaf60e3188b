/* AVX2 with FMA. The 64 lanes of f32 sums are eight registers of eight. */
#include "kernels/levels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2,fma")))

bool ims_kernels_has_avx2(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

AVX2 static float fold(const __m256 r[8])
{
	__m256 s0 = _mm256_add_ps(_mm256_add_ps(r[0], r[4]), _mm256_add_ps(r[2], r[6]));
	__m256 s1 = _mm256_add_ps(_mm256_add_ps(r[1], r[5]), _mm256_add_ps(r[3], r[7]));
	s0 = _mm256_add_ps(s0, s1);
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(s0), _mm256_extractf128_ps(s0, 1));
	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

AVX2 static inline void l2_step(__m256 r[8], const float *a, const float *b)
{
	for (int j = 0; j < 8; j++) {
		__m256 d = _mm256_sub_ps(_mm256_loadu_ps(a + 8 * j), _mm256_loadu_ps(b + 8 * j));
		r[j] = _mm256_fmadd_ps(d, d, r[j]);
	}
}

AVX2 static inline void dot_step(__m256 r[8], const float *a, const float *b)
{
	for (int j = 0; j < 8; j++)
		r[j] = _mm256_fmadd_ps(_mm256_loadu_ps(a + 8 * j), _mm256_loadu_ps(b + 8 * j), r[j]);
}

#define SUM(step) \
	__m256 r[8]; \
	for (int j = 0; j < 8; j++) \
		r[j] = _mm256_setzero_ps(); \
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

AVX2 static float l2_f32(const float *a, const float *b, size_t n)
{
	SUM(l2_step);
}

AVX2 static float dot_f32(const float *a, const float *b, size_t n)
{
	SUM(dot_step);
}

AVX2 static inline void squares_step(__m256d r[8], const float *a, const float *b)
{
	for (int j = 0; j < 8; j++) {
		__m128 f = _mm_loadu_ps(a + 4 * j);
		__m256d v = _mm256_cvtps_pd(b ? _mm_sub_ps(f, _mm_loadu_ps(b + 4 * j)) : f);
		r[j] = _mm256_fmadd_pd(v, v, r[j]);
	}
}

AVX2 static double squares_f32(const float *a, const float *b, size_t n)
{
	__m256d r[8];
	size_t i = 0;
	for (int j = 0; j < 8; j++)
		r[j] = _mm256_setzero_pd();
	for (; i + IMS_SQUARE_LANES <= n; i += IMS_SQUARE_LANES)
		squares_step(r, a + i, b ? b + i : NULL);
	if (i < n) {
		float ta[IMS_SQUARE_LANES] = { 0 }, tb[IMS_SQUARE_LANES] = { 0 };
		memcpy(ta, a + i, (n - i) * sizeof(float));
		if (b)
			memcpy(tb, b + i, (n - i) * sizeof(float));
		squares_step(r, ta, tb);
	}
	for (int half = 4; half; half /= 2)
		for (int j = 0; j < half; j++)
			r[j] = _mm256_add_pd(r[j], r[j + half]);
	__m128d s = _mm_add_pd(_mm256_castpd256_pd128(r[0]), _mm256_extractf128_pd(r[0], 1));
	return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}

/* Multiplies 16 bits by 16 bits, as the sums of maddubs would saturate. */
AVX2 static void dot_u8_i8(const uint8_t *rows, size_t size, const uint32_t *list, size_t n,
	const int8_t *query, int32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *row = rows + (list ? list[i] : i) * size;
		__m256i s0 = _mm256_setzero_si256(), s1 = s0;
		for (size_t j = 0; j < size; j += 32) {
			__m256i r0 = _mm256_cvtepu8_epi16(_mm_load_si128((const __m128i *)(row + j)));
			__m256i r1 = _mm256_cvtepu8_epi16(_mm_load_si128((const __m128i *)(row + j + 16)));
			s0 = _mm256_add_epi32(s0,
				_mm256_madd_epi16(r0,
					_mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(query + j)))));
			s1 = _mm256_add_epi32(s1,
				_mm256_madd_epi16(r1,
					_mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(query + j + 16)))));
		}
		s0 = _mm256_add_epi32(s0, s1);
		__m128i s = _mm_add_epi32(_mm256_castsi256_si128(s0), _mm256_extracti128_si256(s0, 1));
		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
		out[i] = _mm_cvtsi128_si32(s);
	}
}

/* ROWS rows against half a panel. */
#define HALF_PANEL(ROWS) \
	for (size_t from = 0; from < n; from += IMS_PANEL_SUM) { \
		size_t to = n - from < IMS_PANEL_SUM ? n : from + IMS_PANEL_SUM; \
		__m256 s0[ROWS], s1[ROWS]; \
		for (int r = 0; r < ROWS; r++) \
			s0[r] = s1[r] = _mm256_setzero_ps(); \
		for (size_t i = from; i < to; i++) { \
			__m256 w0 = _mm256_loadu_ps(w + i * IMS_PANEL), \
				   w1 = _mm256_loadu_ps(w + i * IMS_PANEL + 8); \
			for (int r = 0; r < ROWS; r++) { \
				__m256 v = _mm256_broadcast_ss(x + (size_t)r * n + i); \
				s0[r] = _mm256_fmadd_ps(v, w0, s0[r]); \
				s1[r] = _mm256_fmadd_ps(v, w1, s1[r]); \
			} \
		} \
		for (int r = 0; r < ROWS; r++) { \
			float *at = y + (size_t)r * y_stride; \
			_mm256_storeu_ps(at, from ? _mm256_add_ps(_mm256_loadu_ps(at), s0[r]) : s0[r]); \
			_mm256_storeu_ps(at + 8, \
				from ? _mm256_add_ps(_mm256_loadu_ps(at + 8), s1[r]) : s1[r]); \
		} \
	}

AVX2 static void half_panel_4(const float *x, size_t n, const float *w, float *y, size_t y_stride)
{
	HALF_PANEL(4);
}

AVX2 static void half_panel_1(const float *x, size_t n, const float *w, float *y, size_t y_stride)
{
	HALF_PANEL(1);
}

AVX2 static void panel_f32(const float *x, size_t rows, size_t n, const float *w, float *y,
	size_t y_stride)
{
	size_t r = 0;
	for (; r + 4 <= rows; r += 4)
		for (size_t half = 0; half < IMS_PANEL; half += 16)
			half_panel_4(x + r * n, n, w + half, y + r * y_stride + half, y_stride);
	for (; r < rows; r++)
		for (size_t half = 0; half < IMS_PANEL; half += 16)
			half_panel_1(x + r * n, n, w + half, y + r * y_stride + half, y_stride);
}

/* Adds the products of four bytes a lane: bytes 0 and 2 with even, bytes 1 and 3 with odd. */
AVX2 static inline __m256i fours_add(__m256i sum, __m256i bytes, __m256i even, __m256i odd)
{
	sum = _mm256_add_epi32(sum,
		_mm256_madd_epi16(_mm256_and_si256(bytes, _mm256_set1_epi16(255)), even));
	return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_srli_epi16(bytes, 8), odd));
}

AVX2 static inline void scan_half(const uint8_t *floats, __m256i sum, const query_i16 *q,
	const float *before, float *out)
{
	__m256 m = _mm256_loadu_ps((const float *)(const void *)floats),
		   r = _mm256_loadu_ps((const float *)(const void *)(floats + 64));
	if (before) {
		__m256 s = _mm256_loadu_ps((const float *)(const void *)(floats + 128));
		m = _mm256_add_ps(m,
			_mm256_fmadd_ps(_mm256_set1_ps(q->s_factor), s, _mm256_loadu_ps(before)));
	}
	m = _mm256_fmadd_ps(_mm256_set1_ps(q->r_factor), r, m);
	_mm256_storeu_ps(out, _mm256_fmadd_ps(_mm256_set1_ps(q->scale), _mm256_cvtepi32_ps(sum), m));
}

AVX2 static void scan_u8_i16(const uint8_t *block, size_t stride, size_t blocks, size_t fours,
	const query_i16 *q, const float *before, float *out)
{
	for (size_t b = 0; b < blocks; b++, block += stride, out += IMS_BLOCK_ROWS) {
		__m256i s0 = _mm256_setzero_si256(), s1 = s0;
		for (size_t g = 0; g < fours; g++) {
			int64_t four;
			memcpy(&four, q->digit + 4 * g, 8);
			__m256i digits = _mm256_set1_epi64x(four);
			__m256i even = _mm256_shufflelo_epi16(_mm256_shufflehi_epi16(digits, 0x88), 0x88);
			__m256i odd = _mm256_shufflelo_epi16(_mm256_shufflehi_epi16(digits, 0xdd), 0xdd);
			s0 = fours_add(s0, _mm256_loadu_si256((const void *)(block + 64 * g)), even, odd);
			s1 = fours_add(s1, _mm256_loadu_si256((const void *)(block + 64 * g + 32)), even, odd);
		}
		scan_half(block + 64 * fours, s0, q, before ? before + IMS_BLOCK_ROWS * b : NULL, out);
		scan_half(block + 64 * fours + 32, s1, q, before ? before + IMS_BLOCK_ROWS * b + 8 : NULL,
			out + 8);
	}
}

AVX2 static int64_t dot_u8_i16(const uint8_t *row, const query_i16 *q, size_t n)
{
	int64_t total = 0;
	for (size_t from = 0; from < n; from += 2048) { /* a lane's sum of 256 products fits 31 bits */
		size_t to = n - from < 2048 ? n : from + 2048;
		__m256i sum = _mm256_setzero_si256();
		for (size_t i = from; i < to; i += 16) {
			__m256i c = _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(row + i)));
			sum = _mm256_add_epi32(sum,
				_mm256_madd_epi16(c, _mm256_loadu_si256((const void *)(q->digit + i))));
		}
		int32_t lane[8];
		_mm256_storeu_si256((void *)lane, sum);
		for (int j = 0; j < 8; j++)
			total += lane[j];
	}
	return total;
}

/* maddubs is exact here: sums of two products stay below 2^15. */
AVX2 static void dot_u2_i8(const uint8_t *rows, size_t stride, size_t blocks, const uint32_t *list,
	size_t n, const int8_t *query, int32_t *out)
{
	const __m256i three = _mm256_set1_epi8(3), one = _mm256_set1_epi16(1);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *row = rows + list[i] * stride;
		__m256i sum = _mm256_setzero_si256();
		for (size_t half = 0; half < 2 * blocks; half++) {
			const int8_t *q = query + half / 2 * 256 + half % 2 * 32;
			__m256i v = _mm256_loadu_si256((const __m256i *)(row + 32 * half)),
					four = _mm256_setzero_si256();
			for (int p = 0; p < 4; p++) {
				__m256i product = _mm256_maddubs_epi16(_mm256_and_si256(v, three),
					_mm256_load_si256((const __m256i *)(q + 64 * p)));
				four = _mm256_add_epi16(four, product);
				v = _mm256_srli_epi16(v, 2);
			}
			sum = _mm256_add_epi32(sum, _mm256_madd_epi16(four, one));
		}
		__m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
		out[i] = _mm_cvtsi128_si32(s);
	}
}

/* Four bytes of a query in each 32-bit lane. */
AVX2 static inline __m256i four_of(const int8_t *query)
{
	int32_t four;
	memcpy(&four, query, sizeof four);
	return _mm256_set1_epi32(four);
}

/* maddubs is exact here: sums of two products are at most 3840, and eight of them fit 16 bits. */
AVX2 static void scan_u4_i8(const uint8_t *block, size_t blocks, size_t eights, const int8_t *query,
	int32_t *out)
{
	const __m256i low = _mm256_set1_epi8(15), one = _mm256_set1_epi16(1);
	for (; blocks; blocks--, block += 64 * eights, out += IMS_BLOCK_ROWS)
		for (size_t half = 0; half < 2; half++) {
			__m256i sum = _mm256_setzero_si256();
			for (size_t from = 0; from < eights; from += 4) {
				__m256i some = _mm256_setzero_si256();
				for (size_t g = from; g < eights && g < from + 4; g++) {
					__m256i v = _mm256_loadu_si256((const __m256i *)(block + 64 * g + 32 * half));
					some = _mm256_add_epi16(some,
						_mm256_maddubs_epi16(_mm256_and_si256(v, low), four_of(query + 8 * g)));
					v = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
					some = _mm256_add_epi16(some,
						_mm256_maddubs_epi16(v, four_of(query + 8 * g + 4)));
				}
				sum = _mm256_add_epi32(sum, _mm256_madd_epi16(some, one));
			}
			_mm256_storeu_si256((__m256i *)(out + 8 * half), sum);
		}
}

AVX2 static inline __m256 l2_term(const float *block, const float *query, size_t n, size_t i)
{
	__m256 d = _mm256_sub_ps(_mm256_set1_ps(query[i]), _mm256_loadu_ps(block + 16 * i));
	(void)n;
	return _mm256_mul_ps(d, d);
}

AVX2 static inline __m256 dot_term(const float *block, const float *query, size_t n, size_t i)
{
	(void)n;
	return _mm256_mul_ps(_mm256_set1_ps(query[i]), _mm256_loadu_ps(block + 16 * i));
}

IMS_NEAR_SUM(AVX2, __m256, l2_sum, l2_term, _mm256_add_ps)
IMS_NEAR_SUM(AVX2, __m256, dot_sum, dot_term, _mm256_add_ps)

AVX2 static void near_f32(const float *blocks, size_t count, const float *query, size_t n, bool dot,
	float limit, float *out, uint16_t *mask)
{
	const __m256 zero = _mm256_setzero_ps(), most = _mm256_set1_ps(limit);
	for (size_t b = 0; b < count; b++, blocks += IMS_BLOCK_ROWS * n, out += IMS_BLOCK_ROWS) {
		unsigned bits = 0;
		for (size_t r = 0; r < IMS_BLOCK_ROWS; r += 8) {
			__m256 d = dot ? _mm256_add_ps(dot_sum(blocks + r, query, n, 0), zero)
						   : l2_sum(blocks + r, query, n, 0);
			if (dot)
				d = _mm256_xor_ps(d, _mm256_set1_ps(-0.0f));
			_mm256_storeu_ps(out + r, d);
			bits |= (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(d, most, _CMP_LE_OQ)) << r;
		}
		mask[b] = (uint16_t)bits;
	}
}

const kernels ims_kernels_avx2 = {
	"avx2",
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

/* AVX-512 with VNNI: four registers of sixteen lanes. */
#if defined(__x86_64__)
#include "kernels/levels.h"

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")))

bool ims_kernels_has_avx512(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

AVX512 static float fold(__m512 r0, __m512 r1, __m512 r2, __m512 r3)
{
	__m512 s16 = _mm512_add_ps(_mm512_add_ps(r0, r2), _mm512_add_ps(r1, r3));
	__m256 s8 = _mm256_add_ps(_mm512_castps512_ps256(s16), _mm512_extractf32x8_ps(s16, 1));
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

/* Of a step's register j, the lanes that n - i floats fill. */
static inline __mmask16 lanes(size_t left, size_t j)
{
	return left >= 16 * j + 16 ? 0xffff : left <= 16 * j ? 0 : (__mmask16)((1u << (left - 16 * j)) - 1);
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
		__mmask16 m0 = lanes(n - i, 0), m1 = lanes(n - i, 1), m2 = lanes(n - i, 2), m3 = lanes(n - i, 3); \
		r0 = add(r0, _mm512_maskz_loadu_ps(m0, a + i), _mm512_maskz_loadu_ps(m0, b + i)); \
		r1 = add(r1, _mm512_maskz_loadu_ps(m1, a + i + 16), _mm512_maskz_loadu_ps(m1, b + i + 16)); \
		r2 = add(r2, _mm512_maskz_loadu_ps(m2, a + i + 32), _mm512_maskz_loadu_ps(m2, b + i + 32)); \
		r3 = add(r3, _mm512_maskz_loadu_ps(m3, a + i + 48), _mm512_maskz_loadu_ps(m3, b + i + 48)); \
	} \
	return fold(r0, r1, r2, r3)

AVX512 static float l2(const float *a, const float *b, size_t n)
{
	SUM(l2_add);
}

AVX512 static float dot(const float *a, const float *b, size_t n)
{
	SUM(dot_add);
}

/* Four sums over sixteen lanes each, as four lanes. */
AVX512 static inline __m128i fold4(__m512i a, __m512i b, __m512i c, __m512i d)
{
	__m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
	__m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
	__m512i s = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
	__m256i h = _mm256_add_epi32(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
	return _mm_add_epi32(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1));
}

/* Four rows at a time; rows past the last are its copies, and not stored. */
AVX512 static void code_dots(const uint8_t *rows, size_t size, const uint32_t *list, size_t n, const int8_t *query, int32_t *out)
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
		_mm_mask_storeu_epi32(out + i, (__mmask8)(n - i < 4 ? (1u << (n - i)) - 1 : 15), fold4(s0, s1, s2, s3));
	}
}

const kernels ims_kernels_avx512 = { "avx512", l2, dot, code_dots };
#endif

/* AVX2 with FMA: eight registers of eight lanes. */
#if defined(__x86_64__)
#include "kernels/levels.h"

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

AVX2 static float l2(const float *a, const float *b, size_t n)
{
	SUM(l2_step);
}

AVX2 static float dot(const float *a, const float *b, size_t n)
{
	SUM(dot_step);
}

/* By 16-bit products: those of maddubs would saturate. */
AVX2 static void code_dots(const uint8_t *rows, size_t size, const uint32_t *list, size_t n, const int8_t *query, int32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *row = rows + (list ? list[i] : i) * size;
		__m256i s0 = _mm256_setzero_si256(), s1 = s0;
		for (size_t j = 0; j < size; j += 32) {
			__m256i r0 = _mm256_cvtepu8_epi16(_mm_load_si128((const __m128i *)(row + j)));
			__m256i r1 = _mm256_cvtepu8_epi16(_mm_load_si128((const __m128i *)(row + j + 16)));
			s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(r0, _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(query + j)))));
			s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(r1, _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(query + j + 16)))));
		}
		s0 = _mm256_add_epi32(s0, s1);
		__m128i s = _mm_add_epi32(_mm256_castsi256_si128(s0), _mm256_extracti128_si256(s0, 1));
		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
		out[i] = _mm_cvtsi128_si32(s);
	}
}

const kernels ims_kernels_avx2 = { "avx2", l2, dot, code_dots };
#endif

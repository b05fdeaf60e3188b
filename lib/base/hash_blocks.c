/* BLAKE2b by AVX-512, whose vectors hold a row of its state; SHA-256 by the SHA instructions. */
#include "base/hash_blocks.h"

#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512vl")))
#define SHA __attribute__((target("sha,sse4.1")))

/* --------------------------------------------------------------------------------- BLAKE2b ---- */

/* The four rows of the state. */
typedef struct rows {
	__m256i a, b, c, d;
} rows;

/* Four of the eight mixing steps of a round, with the words x and y of the block. */
AVX512 static inline void mix(rows *v, __m256i x, __m256i y)
{
	v->a = _mm256_add_epi64(_mm256_add_epi64(v->a, x), v->b);
	v->d = _mm256_ror_epi64(_mm256_xor_si256(v->d, v->a), 32);
	v->c = _mm256_add_epi64(v->c, v->d);
	v->b = _mm256_ror_epi64(_mm256_xor_si256(v->b, v->c), 24);
	v->a = _mm256_add_epi64(_mm256_add_epi64(v->a, y), v->b);
	v->d = _mm256_ror_epi64(_mm256_xor_si256(v->d, v->a), 16);
	v->c = _mm256_add_epi64(v->c, v->d);
	v->b = _mm256_ror_epi64(_mm256_xor_si256(v->b, v->c), 63);
}

AVX512 static inline void mix_words(rows *v, __m512i xy)
{
	mix(v, _mm512_castsi512_si256(xy), _mm512_extracti64x4_epi64(xy, 1));
}

/* Turns the rows so that the diagonals become columns. Row b, the last to be known, stays. */
AVX512 static inline void to_diagonals(rows *v)
{
	v->a = _mm256_permute4x64_epi64(v->a, 0x93);
	v->d = _mm256_permute4x64_epi64(v->d, 0x4e);
	v->c = _mm256_permute4x64_epi64(v->c, 0x39);
}

AVX512 static inline void to_columns(rows *v)
{
	v->a = _mm256_permute4x64_epi64(v->a, 0x39);
	v->d = _mm256_permute4x64_epi64(v->d, 0x4e);
	v->c = _mm256_permute4x64_epi64(v->c, 0x93);
}

/* Of the words m, those that a round takes first: x of all columns, then y; then the diagonals. */
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15) \
	mix_words(v, \
		_mm512_permutex2var_epi64(m[0], _mm512_setr_epi64(s0, s2, s4, s6, s1, s3, s5, s7), m[1])); \
	to_diagonals(v); \
	mix_words(v, \
		_mm512_permutex2var_epi64(m[0], _mm512_setr_epi64(s14, s8, s10, s12, s15, s9, s11, s13), \
			m[1])); \
	to_columns(v);

AVX512 static inline void mix_block(rows *v, const uint8_t *p)
{
	const __m512i m[2] = { _mm512_loadu_si512(p), _mm512_loadu_si512(p + 64) };
	IMS_BLAKE_ROUNDS(ROUND)
}

AVX512 static void blake_blocks(uint64_t h[8], const uint8_t *p, size_t n, uint64_t before)
{
	__m256i *state = (__m256i *)h, low = _mm256_loadu_si256(state),
			high = _mm256_loadu_si256(state + 1);
	const __m256i *iv = (const __m256i *)ims_blake_iv;
	for (; n; n--, p += 128) {
		before += 128;
		rows v = { low, high, _mm256_loadu_si256(iv),
			_mm256_xor_si256(_mm256_loadu_si256(iv + 1),
				_mm256_setr_epi64x((long long)before, 0, 0, 0)) };
		mix_block(&v, p);
		low = _mm256_xor_si256(low, _mm256_xor_si256(v.a, v.c));
		high = _mm256_xor_si256(high, _mm256_xor_si256(v.b, v.d));
	}
	_mm256_storeu_si256(state, low);
	_mm256_storeu_si256(state + 1, high);
}

ims_blake_blocks *ims_blake_blocks_fast(void)
{
	return __builtin_cpu_supports("avx512vl") ? blake_blocks : NULL;
}

/* --------------------------------------------------------------------------------- SHA-256 ---- */

/* The next four words of the schedule, which take the place of the oldest four in w. */
SHA static inline __m128i next_words(const __m128i w[4], int i)
{
	__m128i last = w[(i + 3) % 4],
			x = _mm_add_epi32(_mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]),
				_mm_alignr_epi8(last, w[(i + 2) % 4], 4));
	return _mm_sha256msg2_epu32(x, last);
}

/* The state as the instructions have it. */
typedef struct halves {
	__m128i abef, cdgh;
} halves;

SHA static inline void sha_block(halves *s, const uint8_t *p)
{
	const __m128i swap = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
	const __m128i *constant = (const __m128i *)ims_sha256_constants;
	__m128i w[4];
	halves before = *s;
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++) {
		w[i % 4] = i < 4 ? _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p + i), swap)
						 : next_words(w, i);
		__m128i k = _mm_add_epi32(w[i % 4], _mm_loadu_si128(constant + i));
		s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, k);
		s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(k, 0x0e));
	}
	s->abef = _mm_add_epi32(s->abef, before.abef);
	s->cdgh = _mm_add_epi32(s->cdgh, before.cdgh);
}

SHA static void sha_blocks(uint32_t state[8], const uint8_t *p, size_t n)
{
	__m128i *at = (__m128i *)state;
	__m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(at), 0xb1),
			hgfe = _mm_shuffle_epi32(_mm_loadu_si128(at + 1), 0x1b);
	halves s = { _mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0) };
	for (; n; n--, p += 64)
		sha_block(&s, p);
	__m128i feba = _mm_shuffle_epi32(s.abef, 0x1b), dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);
	_mm_storeu_si128(at, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128(at + 1, _mm_alignr_epi8(dchg, feba, 8));
}

ims_sha256_blocks *ims_sha256_blocks_fast(void)
{
	unsigned a, b, c, d;
	bool has = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
	return has && __builtin_cpu_supports("sse4.1") ? sha_blocks : NULL;
}

#else

ims_blake_blocks *ims_blake_blocks_fast(void)
{
	return NULL;
}

ims_sha256_blocks *ims_sha256_blocks_fast(void)
{
	return NULL;
}

#endif

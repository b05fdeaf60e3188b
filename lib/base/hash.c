/*
 * BLAKE2b-256 (RFC 7693) for content identity, XXH64 (the xxHash specification, version 0.1.1) for
 * the integrity of stored chunks.
 */
#include "base/hash.h"

#include "base/hash_blocks.h"

#include <string.h>

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t rotl(uint64_t v, int n)
{
	return v << n | v >> (64 - n);
}

/* --------------------------------------------------------------------------------- BLAKE2b ---- */

const uint64_t ims_blake_iv[8] = {
	0x6a09e667f3bcc908,
	0xbb67ae8584caa73b,
	0x3c6ef372fe94f82b,
	0xa54ff53a5f1d36f1,
	0x510e527fade682d1,
	0x9b05688c2b3e6c1f,
	0x1f83d9abfb41bd6b,
	0x5be0cd19137e2179,
};

static inline void blake_mix(uint64_t v[16], int a, int b, int c, int d, uint64_t x, uint64_t y)
{
	v[a] += v[b] + x;
	v[d] = rotl(v[d] ^ v[a], 32);
	v[c] += v[d];
	v[b] = rotl(v[b] ^ v[c], 40);
	v[a] += v[b] + y;
	v[d] = rotl(v[d] ^ v[a], 48);
	v[c] += v[d];
	v[b] = rotl(v[b] ^ v[c], 1);
}

#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15) \
	blake_mix(v, 0, 4, 8, 12, m[s0], m[s1]); \
	blake_mix(v, 1, 5, 9, 13, m[s2], m[s3]); \
	blake_mix(v, 2, 6, 10, 14, m[s4], m[s5]); \
	blake_mix(v, 3, 7, 11, 15, m[s6], m[s7]); \
	blake_mix(v, 0, 5, 10, 15, m[s8], m[s9]); \
	blake_mix(v, 1, 6, 11, 12, m[s10], m[s11]); \
	blake_mix(v, 2, 7, 8, 13, m[s12], m[s13]); \
	blake_mix(v, 3, 4, 9, 14, m[s14], m[s15]);

static void blake_block(uint64_t h[8], const uint8_t *block, uint64_t count, bool last)
{
	uint64_t v[16], m[16];
	for (int i = 0; i < 16; i++)
		m[i] = load64(block + 8 * i);
	memcpy(v, h, 64);
	memcpy(v + 8, ims_blake_iv, 64);
	v[12] ^= count;
	if (last)
		v[14] = ~v[14];
	IMS_BLAKE_ROUNDS(ROUND)
	for (int i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

void ims_blake_blocks_plain(uint64_t h[8], const uint8_t *p, size_t n, uint64_t before)
{
	for (; n; n--, p += 128)
		blake_block(h, p, before += 128, false);
}

hash256 ims_hash(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t h[8];
	memcpy(h, ims_blake_iv, sizeof h);
	h[0] ^= 0x01010000 ^ 32; /* no key, 32 bytes of digest */
	size_t done = n ? (n - 1) / 128 * 128 : 0;
	ims_blake_blocks *fast = ims_blake_blocks_fast();
	(fast ? fast : ims_blake_blocks_plain)(h, p, done / 128, 0);
	uint8_t tail[128] = { 0 };
	if (n)
		memcpy(tail, p + done, n - done);
	blake_block(h, tail, n, true);
	hash256 out;
	for (int i = 0; i < 32; i++)
		out.byte[i] = (uint8_t)(h[i / 8] >> (8 * (i % 8)));
	return out;
}

void ims_hash_hex(const hash256 *h, char out[65])
{
	static const char digit[] = "0123456789abcdef";
	for (int i = 0; i < 32; i++) {
		out[2 * i] = digit[h->byte[i] >> 4];
		out[2 * i + 1] = digit[h->byte[i] & 15];
	}
	out[64] = 0;
}

bool ims_hash_equal(const hash256 *a, const hash256 *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

bool ims_hash_is_zero(const hash256 *h)
{
	static const hash256 zero;
	return ims_hash_equal(h, &zero);
}

/* ----------------------------------------------------------------------------------- XXH64 ---- */

#define P1 0x9E3779B185EBCA87u
#define P2 0xC2B2AE3D27D4EB4Fu
#define P3 0x165667B19E3779F9u
#define P4 0x85EBCA77C2B2AE63u
#define P5 0x27D4EB2F165667C5u

static inline uint64_t xxh_round(uint64_t acc, uint64_t lane)
{
	return rotl(acc + lane * P2, 31) * P1;
}

static inline uint64_t xxh_merge(uint64_t acc, uint64_t lane)
{
	return (acc ^ xxh_round(0, lane)) * P1 + P4;
}

uint64_t ims_checksum(const void *data, size_t n, uint64_t seed)
{
	const uint8_t *p = data, *end = p + n;
	uint64_t acc;
	if (n >= 32) {
		uint64_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
		for (; end - p >= 32; p += 32) {
			a = xxh_round(a, load64(p));
			b = xxh_round(b, load64(p + 8));
			c = xxh_round(c, load64(p + 16));
			d = xxh_round(d, load64(p + 24));
		}
		acc = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
		acc = xxh_merge(xxh_merge(xxh_merge(xxh_merge(acc, a), b), c), d);
	} else {
		acc = seed + P5;
	}
	acc += n;
	for (; end - p >= 8; p += 8)
		acc = rotl(acc ^ xxh_round(0, load64(p)), 27) * P1 + P4;
	if (end - p >= 4) {
		acc = rotl(acc ^ load32(p) * P1, 23) * P2 + P3;
		p += 4;
	}
	for (; p < end; p++)
		acc = rotl(acc ^ *p * P5, 11) * P1;
	acc = (acc ^ acc >> 33) * P2;
	acc = (acc ^ acc >> 29) * P3;
	return acc ^ acc >> 32;
}

/* SHA-256, as FIPS 180-4 defines it: blocks of 64 bytes, 64 rounds each. */
#include "base/sha256.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash_blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const uint32_t ims_sha256_constants[64] = { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };

static inline uint32_t right(uint32_t v, int n)
{
	return v >> n | v << (32 - n);
}

static inline uint32_t word(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void schedule(uint32_t w[64], const uint8_t *block)
{
	for (int i = 0; i < 16; i++)
		w[i] = word(block + 4 * i);
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];
		w[i] = w[i - 16] + w[i - 7] + (right(a, 7) ^ right(a, 18) ^ a >> 3)
			+ (right(b, 17) ^ right(b, 19) ^ b >> 10);
	}
}

/* A round. The words of the state turn by one place a round: word k is v[(first + k) % 8]. */
static inline void mix(uint32_t v[8], unsigned first, uint32_t in)
{
	uint32_t a = v[first % 8], b = v[(first + 1) % 8], c = v[(first + 2) % 8],
			 e = v[(first + 4) % 8], f = v[(first + 5) % 8], g = v[(first + 6) % 8],
			 *d = &v[(first + 3) % 8], *h = &v[(first + 7) % 8];
	uint32_t choice = (e & f) ^ (~e & g), most = (a & b) ^ (a & c) ^ (b & c);
	in += *h + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + choice;
	*d += in;
	*h = in + (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + most;
}

static void add_block(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64], v[8];
	schedule(w, block);
	memcpy(v, state, sizeof v);
#pragma GCC unroll 8
	for (unsigned i = 0; i < 64; i++)
		mix(v, 64 - i, ims_sha256_constants[i] + w[i]);
	for (int i = 0; i < 8; i++)
		state[i] += v[i];
}

void ims_sha256_blocks_plain(uint32_t state[8], const uint8_t *p, size_t n)
{
	for (; n; n--, p += 64)
		add_block(state, p);
}

void ims_sha256_begin(sha256 *s)
{
	ims_sha256_blocks *fast = ims_sha256_blocks_fast();
	*s = (sha256){ .blocks = fast ? fast : ims_sha256_blocks_plain,
		.state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
			0x1f83d9ab, 0x5be0cd19 } };
}

void ims_sha256_add(sha256 *s, const void *data, size_t n)
{
	const uint8_t *at = data;
	size_t held = s->size % 64;
	s->size += n;
	if (held + n < 64) {
		if (n)
			memcpy(s->block + held, at, n);
		return;
	}
	memcpy(s->block + held, at, 64 - held);
	s->blocks(s->state, s->block, 1);
	at += 64 - held, n -= 64 - held;
	s->blocks(s->state, at, n / 64);
	at += n / 64 * 64, n %= 64;
	memcpy(s->block, at, n);
}

void ims_sha256_end(sha256 *s, char out[SHA256_TEXT])
{
	static const uint8_t pad[64] = { 0x80 };
	uint64_t bits = s->size * 8;
	uint8_t length[8];
	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	ims_sha256_add(s, pad, 1 + (119 - s->size % 64) % 64);
	ims_sha256_add(s, length, sizeof length);
	for (size_t i = 0; i < 8; i++)
		snprintf(out + 8 * i, 9, "%08x", s->state[i]);
}

enum { PIECE = 1 << 18 };

static int add_file(sha256 *s, int fd, const char *path, imgsearch_error *err)
{
	uint8_t *piece = ims_alloc(PIECE, 1);
	int rc = piece ? 0 : ims_nomem(err);
	while (!rc) {
		ssize_t got = read(fd, piece, PIECE);
		if (got == 0)
			break;
		if (got > 0)
			ims_sha256_add(s, piece, (size_t)got);
		else if (errno != EINTR)
			rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	}
	ims_free(piece);
	return rc;
}

int ims_sha256_file(char out[SHA256_TEXT], uint64_t *bytes, const char *path, imgsearch_error *err)
{
	sha256 s;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return ims_fail_errno(err, errno == ENOENT ? IMGSEARCH_ENOTFOUND : IMGSEARCH_EIO, "%s",
			path);
	ims_sha256_begin(&s);
	int rc = add_file(&s, fd, path, err);
	close(fd);
	*bytes = s.size;
	if (!rc)
		ims_sha256_end(&s, out);
	return rc;
}

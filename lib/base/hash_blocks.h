/* The inner loops of hashes, in C and for CPUs that have instructions for them. Any thread. */
#ifndef IMS_BASE_HASH_BLOCKS_H
#define IMS_BASE_HASH_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/* The permutations of the words of a block in the twelve rounds of BLAKE2b: X for each. */
#define IMS_BLAKE_ROUNDS(X) \
	X(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) \
	X(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3) \
	X(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4) \
	X(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8) \
	X(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13) \
	X(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9) \
	X(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11) \
	X(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10) \
	X(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5) \
	X(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0) \
	X(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) \
	X(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)

extern const uint64_t ims_blake_iv[8];
extern const uint32_t ims_sha256_constants[64];

/* n blocks of 128 bytes into the state; before: bytes that went before; none is the last. */
typedef void ims_blake_blocks(uint64_t h[8], const uint8_t *p, size_t n, uint64_t before);

/* n blocks of 64 bytes into the state. */
typedef void ims_sha256_blocks(uint32_t state[8], const uint8_t *p, size_t n);

ims_blake_blocks ims_blake_blocks_plain;
ims_sha256_blocks ims_sha256_blocks_plain;

/*
 * The same, faster. NULL: this CPU has no such instructions. To ask may take as long as a thousand
 * blocks.
 */
ims_blake_blocks *ims_blake_blocks_fast(void);
ims_sha256_blocks *ims_sha256_blocks_fast(void);

#endif

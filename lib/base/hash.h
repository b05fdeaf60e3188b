/* Hashes. Pure functions: any thread. */
#ifndef IMS_BASE_HASH_H
#define IMS_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Content identity: BLAKE2b-256 (RFC 7693), without a key. */
typedef struct hash256 {
	uint8_t byte[32];
} hash256;

hash256 ims_hash(const void *data, size_t n);
void ims_hash_hex(const hash256 *h, char out[65]); /* lower case, terminated */
bool ims_hash_equal(const hash256 *a, const hash256 *b);
bool ims_hash_is_zero(const hash256 *h); /* zero stands for no content */

/* Integrity of stored chunks: XXH64. It finds damage, not an adversary. */
uint64_t ims_checksum(const void *data, size_t n, uint64_t seed);

#endif

/*
 * SHA-256 (FIPS 180-4): what publishers state of their files. Our own content identity is ims_hash.
 * Any thread.
 */
#ifndef IMS_BASE_SHA256_H
#define IMS_BASE_SHA256_H

#include "imgsearch.h"

#include "base/hash_blocks.h"

#include <stddef.h>
#include <stdint.h>

enum { SHA256_TEXT = 65 }; /* 64 hexadecimal digits, terminated */

typedef struct sha256 {
	ims_sha256_blocks *blocks;
	uint32_t state[8];
	uint64_t size; /* bytes so far */
	uint8_t block[64];
} sha256;

void ims_sha256_begin(sha256 *s);
void ims_sha256_add(sha256 *s, const void *data, size_t n);
void ims_sha256_end(sha256 *s, char out[SHA256_TEXT]); /* lower case */

/* The same of a whole file, and its bytes. ENOTFOUND, EIO, ENOMEM. */
int ims_sha256_file(char out[SHA256_TEXT], uint64_t *bytes, const char *path, imgsearch_error *err);

#endif

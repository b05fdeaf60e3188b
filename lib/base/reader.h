/*
 * Reading untrusted bytes: past the end the functions return zeros and set `failed`, so a
 * caller checks once.
 */
#ifndef IMS_BASE_READER_H
#define IMS_BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct reader {
	const uint8_t *data;
	size_t len, pos;
	bool failed;
} reader;

/* Numbers are little-endian. */
uint8_t ims_read_u8(reader *r);
uint32_t ims_read_u32(reader *r);
uint64_t ims_read_u64(reader *r);
float ims_read_f32(reader *r);
const void *ims_read_bytes(reader *r, size_t n); /* borrowed from data; NULL past the end */

/* The big-endian number in 4 bytes. */
static inline uint32_t ims_big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#endif

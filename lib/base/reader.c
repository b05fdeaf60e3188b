/* Reading untrusted bytes. */
#include "base/reader.h"

#include <string.h>

const void *ims_read_bytes(reader *r, size_t n)
{
	if (r->failed || n > r->len - r->pos) {
		r->failed = true;
		return NULL;
	}
	const void *at = r->data + r->pos;
	r->pos += n;
	return at;
}

uint8_t ims_read_u8(reader *r)
{
	const uint8_t *p = ims_read_bytes(r, 1);
	return p ? *p : 0;
}

uint32_t ims_read_u32(reader *r)
{
	const uint8_t *p = ims_read_bytes(r, 4);
	return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24
			 : 0;
}

uint64_t ims_read_u64(reader *r)
{
	uint64_t low = ims_read_u32(r);
	return low | (uint64_t)ims_read_u32(r) << 32;
}

float ims_read_f32(reader *r)
{
	uint32_t bits = ims_read_u32(r);
	float v;
	memcpy(&v, &bits, 4);
	return v;
}

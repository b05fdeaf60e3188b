/*
 * PNG: head and pixels. The chunks' checksums are put right first, so that what lies behind them is
 * reached.
 */
#include "image/image.h"

#include <string.h>

static uint32_t big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t crc32_of(const uint8_t *data, size_t n)
{
	uint32_t crc = ~0u;
	for (size_t i = 0; i < n; i++) {
		crc ^= data[i];
		for (int b = 0; b < 8; b++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
	}
	return ~crc;
}

static void mend(uint8_t *data, size_t size)
{
	for (size_t at = 8; at <= size && size - at >= 12;) {
		size_t length = big_endian(data + at);
		if (length > size - at - 12)
			return;
		uint32_t crc = crc32_of(data + at + 4, length + 4);
		for (int i = 0; i < 4; i++)
			data[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
		at += length + 12;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	image_limits limits = { .max_pixels = 1 << 18 };
	image_head head;
	image im = { 0 };
	if (ims_image_sniff(data, size) != IMAGE_PNG)
		return 0;
	uint8_t *copy = ims_alloc(size, 1);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	mend(copy, size);
	int bad = ims_image_head(&head, copy, size, &limits, NULL);
	if (ims_image_decode(&im, NULL, copy, size, &limits, NULL, NULL) == 0 && bad)
		__builtin_trap(); /* a picture whose head is bad */
	ims_image_free(&im);
	ims_free(copy);
	return 0;
}

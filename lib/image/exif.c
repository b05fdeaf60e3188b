/*
 * The orientation of the camera: tag 0x0112 of the first directory of an Exif block (CIPA DC-008,
 * section 4.6; TIFF 6.0). A damaged block counts as upright, so that the picture can be used.
 */
#include "image/decoder.h"

#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY_SIZE = 12 };

typedef struct tiff {
	const uint8_t *data;
	size_t size;
	bool big_endian;
} tiff;

/* The number of n bytes at `at`; 0 past the end. */
static uint32_t number(const tiff *t, size_t at, unsigned n)
{
	uint32_t value = 0;
	if (at > t->size || n > t->size - at)
		return 0;
	for (unsigned i = 0; i < n; i++)
		value |= (uint32_t)t->data[at + i] << 8 * (t->big_endian ? n - 1 - i : i);
	return value;
}

uint32_t ims_image_orientation(const void *data, size_t size)
{
	tiff t = { data, size, false };
	if (size < 8 || (memcmp(data, "II", 2) && memcmp(data, "MM", 2)))
		return 1;
	t.big_endian = t.data[0] == 'M';
	if (number(&t, 2, 2) != 42)
		return 1;
	size_t directory = number(&t, 4, 4);
	uint32_t entries = number(&t, directory, 2);
	for (uint32_t i = 0; i < entries; i++) {
		size_t at = directory + 2 + (size_t)i * ENTRY_SIZE;
		if (number(&t, at, 2) != TAG_ORIENTATION)
			continue;
		/* Some writers use LONG or BYTE; their values also begin at the start of the field. */
		uint32_t type = number(&t, at + 2, 2);
		uint32_t value = number(&t, at + 8, type == TYPE_SHORT ? 2 : type == 4 ? 4 : 1);
		return value >= 1 && value <= 8 ? value : 1;
	}
	return 1;
}

#include "image/metadata.h"

#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY_SIZE = 12 };

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

/* The orientation in the first directory; 0: there is none. */
uint32_t ims_exif_orientation(const uint8_t *data, size_t size)
{
	tiff t = { data, size, false };
	if (!data || size < 8 || (memcmp(data, "II", 2) && memcmp(data, "MM", 2)))
		return 0;
	t.big_endian = t.data[0] == 'M';
	if (number(&t, 2, 2) != 42)
		return 0;
	size_t directory = number(&t, 4, 4);
	uint32_t entries = number(&t, directory, 2);
	for (uint32_t i = 0; i < entries; i++) {
		size_t at = directory + 2 + (size_t)i * ENTRY_SIZE;
		if (number(&t, at, 2) != TAG_ORIENTATION)
			continue;
		/* Some writers use LONG or BYTE; their values also begin at the start of the field. */
		uint32_t type = number(&t, at + 2, 2);
		return number(&t, at + 8, type == TYPE_SHORT ? 2 : type == TYPE_LONG ? 4 : 1);
	}
	return 0;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The digit after tiff:Orientation, as an attribute or as the content of an element; 0: none. */
static uint32_t xmp_orientation(const uint8_t *text, size_t size)
{
	static const char name[] = "tiff:Orientation";
	const uint8_t *at = size ? memmem(text, size, name, sizeof name - 1) : NULL;
	if (!at)
		return 0;
	const uint8_t *end = text + size;
	for (at += sizeof name - 1; at < end && (is_blank(*at) || strchr("=>\"'", *at)); at++)
		if (!*at)
			return 0;
	bool digit = at < end && *at >= '0' && *at <= '9';
	bool alone = digit && (end - at == 1 || at[1] < '0' || at[1] > '9');
	return alone ? (uint32_t)(*at - '0') : 0;
}

uint32_t ims_image_orientation(const metadata *m)
{
	uint32_t value = ims_exif_orientation(m->exif, m->exif_size);
	if (!value)
		value = xmp_orientation(m->xmp, m->xmp_size);
	return value >= 1 && value <= 8 ? value : 1;
}

void ims_metadata_app1(metadata *m, const void *data, size_t size)
{
	static const char exif[] = "Exif\0", xmp[] = "http://ns.adobe.com/xap/1.0/";
	const uint8_t *bytes = data;
	if (!m->exif && size > sizeof exif && memcmp(bytes, exif, sizeof exif) == 0) {
		m->exif = bytes + sizeof exif;
		m->exif_size = size - sizeof exif;
	} else if (!m->xmp && size > sizeof xmp && memcmp(bytes, xmp, sizeof xmp) == 0) {
		m->xmp = bytes + sizeof xmp;
		m->xmp_size = size - sizeof xmp;
	}
}

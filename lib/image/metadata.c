#include "image/metadata.h"

#include "image/tiff_tags.h"

#include <string.h>

/* The orientation in the first directory; 0: there is none. */
uint32_t ims_exif_orientation(const uint8_t *data, size_t size)
{
	enum { TAG_ORIENTATION = 0x0112 };
	tiff_tags t;
	tiff_value v;
	if (!ims_tiff_open(&t, data, size)
		|| !ims_tiff_find(&t, ims_tiff_first(&t), TAG_ORIENTATION, &v))
		return 0;
	/* Some writers use LONG or BYTE; their values also begin at the start of the field. */
	return ims_tiff_number(&t, v.field, v.type == TIFF_SHORT ? 2 : v.type == TIFF_LONG ? 4 : 1);
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

static bool has_prefix(const void *data, size_t size, const char *prefix, size_t n)
{
	return size > n && !memcmp(data, prefix, n);
}

static const char exif_name[] = "Exif\0"; /* with the zero that ends it */

void ims_metadata_exif(metadata *m, const void *data, size_t size)
{
	size_t name = has_prefix(data, size, exif_name, sizeof exif_name) ? sizeof exif_name : 0;
	if (m->exif)
		return;
	m->exif = (const uint8_t *)data + name;
	m->exif_size = size - name;
}

void ims_metadata_app1(metadata *m, const void *data, size_t size)
{
	static const char xmp[] = "http://ns.adobe.com/xap/1.0/";
	if (has_prefix(data, size, exif_name, sizeof exif_name)) {
		ims_metadata_exif(m, data, size);
	} else if (!m->xmp && has_prefix(data, size, xmp, sizeof xmp)) {
		m->xmp = (const uint8_t *)data + sizeof xmp;
		m->xmp_size = size - sizeof xmp;
	}
}

/* The length of a resource's name with its length byte, padded. */
static size_t name_size(const uint8_t *at)
{
	return ((size_t)*at + 2) & ~(size_t)1;
}

void ims_metadata_resources(metadata *m, const void *data, size_t size)
{
	enum { IPTC = 0x0404, HEAD = 6, MARK = 0x1C };
	const uint8_t *at = data, *end = at + size;
	if (size && *at == MARK && !m->iptc) {
		m->iptc = at;
		m->iptc_size = size;
	}
	while (size && !m->iptc && end - at > HEAD && !memcmp(at, "8BIM", 4)) {
		uint32_t id = (uint32_t)at[4] << 8 | at[5];
		size_t name = name_size(at + HEAD);
		if ((size_t)(end - at) < HEAD + name + 4)
			return;
		at += HEAD + name;
		size_t length = ims_big_endian(at), left = (size_t)(end - at) - 4;
		at += 4;
		if (length > left)
			return;
		if (id == IPTC) {
			m->iptc = at;
			m->iptc_size = length;
		}
		at += length + (length % 2 && length < left);
	}
}

void ims_metadata_app13(metadata *m, const void *data, size_t size)
{
	static const char photoshop[] = "Photoshop 3.0";
	enum { NAME = sizeof photoshop };
	if (size >= NAME && !memcmp(data, photoshop, NAME))
		ims_metadata_resources(m, (const uint8_t *)data + NAME, size - NAME);
}

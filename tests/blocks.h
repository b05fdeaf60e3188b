/* Blocks of Exif, XMP and IPTC for tests, and JPEG segments that carry them. */
#ifndef IMS_TEST_BLOCKS_H
#define IMS_TEST_BLOCKS_H

#include "base/base.h"

#include <string.h>

/* An entry of a directory: 0 the first, 1 Exif's, 2 that of GPS. Data in the byte order of it. */
typedef struct tag_entry {
	int directory;
	uint16_t tag, type;
	uint32_t count;
	const void *data;
} tag_entry;

#define TEXT_TAG(directory, tag, text) \
	{ \
		directory, tag, 2, (uint32_t)strlen(text) + 1, text \
	}

static inline void put_number(buf *out, bool big, uint32_t v, int n)
{
	for (int i = 0; i < n; i++)
		ims_buf_u8(out, (uint8_t)(v >> 8 * (big ? n - 1 - i : i)));
}

static inline size_t tag_size(const tag_entry *e)
{
	static const uint8_t sizes[] = { 0, 1, 1, 2, 4, 8 };
	return e->count * sizes[e->type];
}

/* An Exif block: the first directory, those of Exif and GPS behind it, then the values. */
static inline void put_exif(buf *out, bool big, const tag_entry *e, size_t n)
{
	size_t count[3] = { 2, 0, 0 }, start[3], values;
	for (size_t i = 0; i < n; i++)
		count[e[i].directory]++;
	start[0] = 8;
	for (int d = 1; d < 3; d++)
		start[d] = start[d - 1] + 6 + 12 * count[d - 1];
	values = start[2] + 6 + 12 * count[2];
	ims_buf_put(out, big ? "MM" : "II", 2);
	put_number(out, big, 42, 2);
	put_number(out, big, 8, 4);
	for (int d = 0; d < 3; d++) {
		put_number(out, big, (uint32_t)count[d], 2);
		for (int k = 1; d == 0 && k < 3; k++) {
			put_number(out, big, k == 1 ? 0x8769 : 0x8825, 2);
			put_number(out, big, 4, 2);
			put_number(out, big, 1, 4);
			put_number(out, big, (uint32_t)start[k], 4);
		}
		for (size_t i = 0; i < n; i++) {
			size_t size = tag_size(&e[i]);
			if (e[i].directory != d)
				continue;
			put_number(out, big, e[i].tag, 2);
			put_number(out, big, e[i].type, 2);
			put_number(out, big, e[i].count, 4);
			if (size > 4) {
				put_number(out, big, (uint32_t)values, 4);
				values += size;
			} else {
				ims_buf_put(out, e[i].data, size);
				ims_buf_put(out, "\0\0\0\0", 4 - size);
			}
		}
		put_number(out, big, 0, 4);
	}
	for (int d = 0; d < 3; d++)
		for (size_t i = 0; i < n; i++)
			if (e[i].directory == d && tag_size(&e[i]) > 4)
				ims_buf_put(out, e[i].data, tag_size(&e[i]));
}

#define XMP_HEAD \
	"<?xpacket begin='\xEF\xBB\xBF' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta " \
	"xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>" \
	"<rdf:Description rdf:about='' xmlns:exif='http://ns.adobe.com/exif/1.0/'" \
	" xmlns:aux='http://ns.adobe.com/exif/1.0/aux/' xmlns:tiff='http://ns.adobe.com/tiff/1.0/'" \
	" xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'" \
	" xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' "
#define XMP_TAIL "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
/* Attributes of the description and elements in it, as literals. */
#define XMP(attributes, elements) XMP_HEAD attributes ">" elements XMP_TAIL

/* A record of IPTC's second set. */
static inline void put_iptc(buf *out, uint8_t kind, const char *text)
{
	size_t n = strlen(text);
	const uint8_t head[] = { 0x1C, 2, kind, (uint8_t)(n >> 8), (uint8_t)n };
	ims_buf_put(out, head, sizeof head);
	ims_buf_put(out, text, n);
}

/* A JPEG segment; put between the two first bytes of a JPEG and the rest. */
static inline void put_segment(buf *out, uint8_t marker, const char *name, size_t name_size,
	const void *data, size_t size)
{
	size_t n = name_size + size + 2;
	const uint8_t head[] = { 0xFF, marker, (uint8_t)(n >> 8), (uint8_t)n };
	ims_buf_put(out, head, sizeof head);
	ims_buf_put(out, name, name_size);
	ims_buf_put(out, data, size);
}

static inline void put_app1_exif(buf *out, const void *data, size_t size)
{
	put_segment(out, 0xE1, "Exif\0", 6, data, size);
}

static inline void put_app1_xmp(buf *out, const char *text)
{
	static const char name[] = "http://ns.adobe.com/xap/1.0/";
	put_segment(out, 0xE1, name, sizeof name, text, strlen(text));
}

static inline void put_app13(buf *out, const void *iptc, size_t size)
{
	buf resource = { 0 };
	ims_buf_put(&resource,
		"Photoshop 3.0\0"
		"8BIM\x04\x04\0\0",
		22);
	put_number(&resource, true, (uint32_t)size, 4);
	ims_buf_put(&resource, iptc, size);
	put_segment(out, 0xED, "", 0, resource.data, resource.len);
	ims_buf_free(&resource);
}

#endif

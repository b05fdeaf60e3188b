/* ISO/IEC 14496-12 (boxes), 23008-12 (pitm, ipma, ispe, irot, clap). */
#include "codec/heif_size.h"

#include "base/base.h"

#include <math.h>
#include <string.h>

typedef struct span {
	const uint8_t *data;
	size_t size;
} span;

/* The next box of `in`, whose bytes are taken off. */
static bool next_box(span *in, char type[4], span *content)
{
	size_t header = 8;
	if (in->size < header)
		return false;
	uint64_t size = ims_big_endian(in->data);
	memcpy(type, in->data + 4, 4);
	if (size == 1 && in->size >= 16) {
		header = 16;
		size = (uint64_t)ims_big_endian(in->data + 8) << 32 | ims_big_endian(in->data + 12);
	} else if (size == 0) {
		size = in->size;
	}
	if (size < header || size > in->size)
		return false;
	*content = (span){ in->data + header, (size_t)size - header };
	in->data += size;
	in->size -= (size_t)size;
	return true;
}

/* The first box of that type; its content has at least `least` bytes, of which `skip` go first. */
static span find(span in, const char *wanted, size_t least, size_t skip)
{
	char type[4];
	for (span content; next_box(&in, type, &content);)
		if (!memcmp(type, wanted, 4))
			return content.size < least ? (span){ 0 }
										: (span){ content.data + skip, content.size - skip };
	return (span){ 0 };
}

/* A number of n bytes, which are taken off; 0 past the end. */
static uint32_t take(span *in, unsigned n)
{
	uint32_t value = 0;
	if (in->size < n) {
		in->size = 0;
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		value = value << 8 | in->data[i];
	in->data += n;
	in->size -= n;
	return value;
}

/* The property of an index that counts from 1. */
static bool property(span list, uint32_t index, char type[4], span *content)
{
	while (index && next_box(&list, type, content))
		if (--index == 0)
			return true;
	return false;
}

/* What clap leaves of a side of n pixels: a rational length, and that of its centre's offset. */
static uint32_t clipped(uint32_t n, const uint8_t *length, const uint8_t *offset)
{
	double long_ = (double)ims_big_endian(length) / ims_big_endian(length + 4);
	double off = (double)(int32_t)ims_big_endian(offset) / ims_big_endian(offset + 4);
	double first = floor(off + (n - 1) / 2.0 - (long_ - 1) / 2), last = round(long_ - 1 + first);
	if (!(first > 0))
		first = 0;
	if (!(last < n - 1))
		last = n - 1;
	return last >= first ? (uint32_t)(last - first) + 1 : 0;
}

static void apply(heif_size *s, const char type[4], span p)
{
	uint32_t before = s->width;
	if (!memcmp(type, "irot", 4) && p.size && p.data[0] & 1) {
		s->width = s->height;
		s->height = before;
	} else if (!memcmp(type, "clap", 4) && p.size >= 32) {
		s->width = clipped(s->width, p.data, p.data + 16);
		s->height = clipped(s->height, p.data + 8, p.data + 24);
	}
}

/* Twice over the properties of the item: ispe first, wherever it stands. */
static bool size_of_item(heif_size *out, span list, span indices, bool wide, uint32_t n)
{
	bool found = false;
	for (int pass = 0; pass < 2; pass++) {
		span left = indices;
		for (uint32_t i = 0; i < n; i++) {
			char type[4];
			span p;
			uint32_t index = take(&left, wide ? 2 : 1) & (wide ? 0x7FFF : 0x7F);
			if (!property(list, index, type, &p))
				continue;
			if (pass) {
				apply(out, type, p);
			} else if (!memcmp(type, "ispe", 4) && p.size >= 12) {
				out->width = out->stored_width = ims_big_endian(p.data + 4);
				out->height = out->stored_height = ims_big_endian(p.data + 8);
				found = out->width && out->height;
			}
		}
		if (!found)
			return false;
	}
	return out->width && out->height;
}

bool ims_heif_size(heif_size *out, const void *data, size_t size)
{
	span meta = find((span){ data, size }, "meta", 4, 4);
	span pitm = find(meta, "pitm", 6, 0), iprp = find(meta, "iprp", 0, 0);
	span list = find(iprp, "ipco", 0, 0), ipma = find(iprp, "ipma", 8, 0);
	if (!pitm.data || !list.data || !ipma.data)
		return false;
	uint32_t primary = take(&pitm, 4) >> 24 ? take(&pitm, 4) : take(&pitm, 2);
	uint32_t kind = take(&ipma, 4), items = take(&ipma, 4);
	for (uint32_t i = 0; i < items && ipma.size; i++) {
		uint32_t item = take(&ipma, kind >> 24 ? 4 : 2), n = take(&ipma, 1);
		bool wide = kind & 1;
		if (item == primary)
			return size_of_item(out, list, ipma, wide, n);
		for (uint32_t k = 0; k < n; k++)
			take(&ipma, wide ? 2 : 1);
	}
	return false;
}

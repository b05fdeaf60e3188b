#include "image/tiff_tags.h"

#include <string.h>

enum { ENTRY_SIZE = 12 };

bool ims_tiff_open(tiff_tags *t, const void *data, size_t size)
{
	*t = (tiff_tags){ data, size, false };
	if (!data || size < 8 || (memcmp(data, "II", 2) && memcmp(data, "MM", 2)))
		return false;
	t->big_endian = t->data[0] == 'M';
	return ims_tiff_number(t, 2, 2) == 42;
}

uint32_t ims_tiff_number(const tiff_tags *t, size_t at, unsigned n)
{
	uint32_t value = 0;
	if (at > t->size || n > t->size - at)
		return 0;
	for (unsigned i = 0; i < n; i++)
		value |= (uint32_t)t->data[at + i] << 8 * (t->big_endian ? n - 1 - i : i);
	return value;
}

size_t ims_tiff_first(const tiff_tags *t)
{
	return ims_tiff_number(t, 4, 4);
}

static size_t size_of(uint32_t type)
{
	static const uint8_t sizes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8 };
	return type < sizeof sizes ? sizes[type] : 0;
}

static tiff_value read_entry(const tiff_tags *t, size_t entry)
{
	tiff_value v = {
		.type = ims_tiff_number(t, entry + 2, 2),
		.count = ims_tiff_number(t, entry + 4, 4),
		.field = entry + 8,
	};
	uint64_t size = (uint64_t)v.count * size_of(v.type);
	v.at = size > 4 ? ims_tiff_number(t, v.field, 4) : v.field;
	v.size = v.at <= t->size && size <= t->size - v.at ? (size_t)size : 0;
	return v;
}

bool ims_tiff_find(const tiff_tags *t, size_t directory, uint32_t tag, tiff_value *out)
{
	uint32_t entries = ims_tiff_number(t, directory, 2);
	for (uint32_t i = 0; i < entries; i++) {
		size_t entry = directory + 2 + (size_t)i * ENTRY_SIZE;
		if (entry >= t->size)
			return false;
		if (ims_tiff_number(t, entry, 2) == tag) {
			*out = read_entry(t, entry);
			return true;
		}
	}
	return false;
}

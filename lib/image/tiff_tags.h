/*
 * The tags of a TIFF structure, as Exif is one. Data are untrusted: what lies outside of them is
 * absent. TIFF 6.0 section 2, CIPA DC-008 section 4.6.
 */
#ifndef IMS_IMAGE_TIFF_TAGS_H
#define IMS_IMAGE_TIFF_TAGS_H

#include "base/base.h"

enum { TIFF_BYTE = 1, TIFF_ASCII = 2, TIFF_SHORT = 3, TIFF_LONG = 4, TIFF_RATIONAL = 5 };

typedef struct tiff_tags {
	const uint8_t *data; /* borrowed */
	size_t size;
	bool big_endian;
} tiff_tags;

/* A value of `count` items. */
typedef struct tiff_value {
	uint32_t type, count;
	size_t field; /* where the entry has it, or where it lies */
	size_t at;    /* where it lies */
	size_t size;  /* bytes; all of them lie in the data */
} tiff_value;

/* False: the data are no TIFF structure. */
bool ims_tiff_open(tiff_tags *t, const void *data, size_t size);

/* The number of n bytes, at most 4, at `at`; 0 past the end. */
uint32_t ims_tiff_number(const tiff_tags *t, size_t at, unsigned n);

/* Where the first directory lies. */
size_t ims_tiff_first(const tiff_tags *t);

/*
 * The entry of a tag in the directory at `directory`; false: there is none. A value that does not
 * lie in the data has the size 0.
 */
bool ims_tiff_find(const tiff_tags *t, size_t directory, uint32_t tag, tiff_value *out);

#endif

/*
 * RAW files of cameras, of which the largest embedded JPEG is shown, as in other viewers; nothing
 * is developed. A reader of our own: it follows directories of TIFF and hands a part of the file to
 * the decoder of JPEG, which is a small part of what a RAW library does, and needs none.
 *
 * Known are the kinds that are TIFF (DNG, CR2, NEF, ARW, PEF and alike), their relatives RW2 and
 * ORF, and RAF and CR3, whose previews are looked for.
 */
#ifndef IMS_IMAGE_RAW_H
#define IMS_IMAGE_RAW_H

#include "image/decoder.h"

/* The bytes of a file, or (data is NULL) a descriptor, of which no more is read than needed. */
typedef struct raw_file {
	const uint8_t *data;
	uint64_t size;
	int fd;
} raw_file;

/*
 * Whether a file whose first bytes are those of TIFF is RAW: it is by the number of CR2, by
 * DNGVersion, or by a directory whose pixels are those of a sensor.
 */
bool ims_raw_is(const raw_file *f);

#endif

/*
 * What stands beside the pixels of a file, in blocks that JPEG and PNG share. Data are untrusted
 * bytes: a damaged block counts as absent.
 */
#ifndef IMS_IMAGE_METADATA_H
#define IMS_IMAGE_METADATA_H

#include "base/base.h"

/* Blocks of a file, borrowed. NULL: the file has none. */
typedef struct metadata {
	const uint8_t *exif; /* from its TIFF header on */
	size_t exif_size;
	const uint8_t *xmp; /* text, not terminated */
	size_t xmp_size;
	const uint8_t *iptc; /* its records */
	size_t iptc_size;
} metadata;

/*
 * The orientation 1..8: that of the Exif block, else that of the XMP block, else 1. Sources: CIPA
 * DC-008 section 4.6, TIFF 6.0; XMP specification part 2, tiff:Orientation.
 */
uint32_t ims_image_orientation(const metadata *m);

/* That of an Exif block (NULL: none) alone, as it is written; 0: it does not say. */
uint32_t ims_exif_orientation(const uint8_t *data, size_t size);

/*
 * Takes an Exif block, the first one alone. Some writers begin it with its name in JPEG,
 * "Exif\0\0", also in other containers.
 */
void ims_metadata_exif(metadata *m, const void *data, size_t size);

/*
 * Takes the content of a JPEG segment APP1, which is Exif or XMP by its first bytes. The first
 * block of each kind counts.
 */
void ims_metadata_app1(metadata *m, const void *data, size_t size);

/* Takes the IPTC block of a JPEG segment APP13, one of Photoshop's image resources. */
void ims_metadata_app13(metadata *m, const void *data, size_t size);
/* Takes the IPTC block out of Photoshop's image resources alone, or given as it is. */
void ims_metadata_resources(metadata *m, const void *data, size_t size);

#endif

/*
 * The chunks of a PNG file, read without libpng: those that do not make pixels. Checksums are not
 * looked at. W3C PNG, third edition, sections 5 and 11.3.
 */
#ifndef IMS_IMAGE_PNG_CHUNKS_H
#define IMS_IMAGE_PNG_CHUNKS_H

#include "image/colour.h"
#include "image/metadata.h"

/* What the chunks of a file say. Freed by ims_png_facts_free. */
typedef struct png_facts {
	metadata meta;
	colour_space colours;
	buf exif, xmp, iptc;              /* bytes of text chunks */
	bool has_exif, has_xmp, has_iptc; /* such a text was seen */
	bool has_exif_chunk;              /* Exif stands in eXIf, without a name before it */
	bool nomem;
} png_facts;

/*
 * Reads the chunks of a file of any size. Exif stands in eXIf or, as ImageMagick writes it, as hex
 * digits in a text chunk, as does IPTC; XMP stands in a text chunk. They may stand before or after
 * the pixels. Of the colours the strongest chunk counts: cICP, iCCP, sRGB, gAMA with cHRM.
 */
void ims_png_facts_read(png_facts *out, const void *data, size_t size);
void ims_png_facts_free(png_facts *facts);

#endif

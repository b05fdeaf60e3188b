/*
 * The interface between decode.c and the files of the formats. A further format is one more file
 * and one more row in the table of decode.c. A decoder works in stored coordinates, before the
 * rotation by Exif, and holds no state.
 */
#ifndef IMS_IMAGE_DECODER_H
#define IMS_IMAGE_DECODER_H

#include "image/colour.h"
#include "image/image.h"

typedef struct decode_request {
	unsigned shrink;       /* 1, 2, 4 or 8 if the decoder scales, else 1 */
	bool partial;          /* lost pixels are accepted, and image.partial is set */
	colour_cache *colours; /* NULL: none */
} decode_request;

typedef struct decoder {
	image_format format;
	bool scales; /* decodes at 1/shrink of the size */

	/*
	 * Stored width and height, orientation, traits, memory. Above max_pixels ELIMIT, whatever else
	 * is wrong.
	 */
	int (*head)(image_head *out, const void *data, size_t size, uint64_t max_pixels,
		imgsearch_error *err);

	/*
	 * Pixels of a picture whose header was read. A partial picture may have fewer rows than its
	 * header says. EFORMAT: pixels are lost. What follows the last pixel does not matter.
	 */
	int (*decode)(image *out, const image_head *stored, const void *data, size_t size,
		const decode_request *request, imgsearch_error *err);
} decoder;

extern const decoder ims_image_jpeg, ims_image_png, ims_image_bmp, ims_image_gif, ims_image_raw;

/* ELIMIT: width x height is above max_pixels (0: the default), or a side above a million. */
int ims_image_check_size(uint64_t width, uint64_t height, uint64_t max_pixels,
	imgsearch_error *err);

#endif

/*
 * The interface between decode.c and the files of the formats. A further format is one more file
 * and one more row in the table of decode.c. A decoder works in stored coordinates, before the
 * rotation by Exif, and holds no state.
 */
#ifndef IMS_IMAGE_DECODER_H
#define IMS_IMAGE_DECODER_H

#include "image/image.h"

typedef struct decoder {
	image_format format;

	/* Stored width and height, orientation. Above max_pixels ELIMIT, whatever else is wrong. */
	int (*head)(image_head *out, const void *data, size_t size, uint64_t max_pixels,
		imgsearch_error *err);

	/*
	 * Pixels of a picture whose header was read, at 1/shrink of its size (1, 2, 4, 8) where the
	 * format can do so, else at full size.
	 */
	int (*decode)(image *out, const image_head *stored, const void *data, size_t size,
		unsigned shrink, imgsearch_error *err);
} decoder;

extern const decoder ims_image_jpeg, ims_image_png;

/* ELIMIT: width x height is above max_pixels (0: the default), or a side above a million. */
int ims_image_check_size(uint64_t width, uint64_t height, uint64_t max_pixels,
	imgsearch_error *err);

/* Memory for width x height pixels; ENOMEM. */
int ims_image_new(image *out, uint32_t width, uint32_t height, imgsearch_error *err);

/*
 * The orientation (1..8) in an Exif block, from its TIFF header on; 1: there is none or it is
 * damaged.
 */
uint32_t ims_image_orientation(const void *tiff, size_t size);

#endif

/*
 * Between decode.c and the format files: what one picture format offers. A further format is one more file and one more
 * row in the table of decode.c. A format works in stored coordinates (before the EXIF turning) and keeps no state.
 */
#ifndef IMS_IMAGE_FORMAT_H
#define IMS_IMAGE_FORMAT_H

#include "image/image.h"

typedef struct decoder {
	image_format format;

	/* Header pass: stored width and height, orientation. Fails with ELIMIT above max_pixels whatever else is wrong. */
	int (*head)(image_head *out, const void *data, size_t size, uint64_t max_pixels, imgsearch_error *err);

	/* Pixels of a picture whose head was read, at 1/shrink of its size (1, 2, 4, 8) if the format can, else at full size. */
	int (*decode)(image *out, const image_head *stored, const void *data, size_t size, unsigned shrink, imgsearch_error *err);
} decoder;

extern const decoder ims_image_jpeg, ims_image_png;

/* ELIMIT when width x height is above max_pixels, or a side above a million. */
int ims_image_check_size(uint64_t width, uint64_t height, uint64_t max_pixels, imgsearch_error *err);

/* Memory for width x height pixels; ENOMEM. */
int ims_image_new(image *out, uint32_t width, uint32_t height, imgsearch_error *err);

/* The orientation (1..8) in an Exif block that starts with its TIFF header; 1 when there is none or it is broken. */
uint32_t ims_image_orientation(const void *tiff, size_t size);

#endif

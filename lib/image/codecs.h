/*
 * Decoders that the user of this room brings: those of formats whose libraries are optional. See
 * codec/codec.h.
 */
#ifndef IMS_IMAGE_CODECS_H
#define IMS_IMAGE_CODECS_H

#include "image/decoder.h"

/* Any thread may call. */
struct image_codecs {
	/* Whether it reads files of this format where their library is installed. */
	bool (*knows)(const image_codecs *c, image_format f);
	/* EUNSUPPORTED with a sentence: the library is missing, or its decoder cannot be started. */
	int (*check)(image_codecs *c, image_format f, imgsearch_error *err);
	/* As in decoder.h. */
	int (*head)(image_codecs *c, image_format f, image_head *out, const void *data, size_t size,
		uint64_t max_pixels, imgsearch_error *err);
	int (*decode)(image_codecs *c, image *out, const image_head *stored, const void *data,
		size_t size, const decode_request *request, imgsearch_error *err);
	/* As ims_image_blocks. */
	int (*blocks)(image_codecs *c, image_format f, image_blocks *out, const void *data, size_t size,
		imgsearch_error *err);
};

#endif

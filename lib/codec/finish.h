/* From the rows of a codec to the picture: colours, 8 bits, transparency. */
#ifndef IMS_CODEC_FINISH_H
#define IMS_CODEC_FINISH_H

#include "image/decoder.h"

typedef struct codec_rows {
	pixel_layout layout; /* RGB8, RGBA8, RGB16, RGBA16, or CMYK8 with a profile */
	const void *data;
	size_t stride; /* bytes from a row to the next */
	uint32_t width, height;
	bool premultiplied; /* colours are multiplied by alpha */
	bool opaque;        /* alpha is 255 everywhere */
	bool grey;          /* R, G and B are equal */
	const colour_space *colours;
} codec_rows;

/* What ims_codec_finish takes beside the rows and the picture, in bytes a pixel. */
enum { CODEC_FINISH_MEMORY = 4 };

/* ENOMEM only. */
int ims_codec_finish(image *out, const codec_rows *rows, colour_cache *cache, imgsearch_error *err);

#endif

/*
 * Formats whose libraries are optional. A format is a file here and a row in the table of codec.c.
 * Its library is loaded when a file of the kind is first met.
 */
#ifndef IMS_CODEC_H
#define IMS_CODEC_H

#include "image/codecs.h"

/* A library that a codec needs, for people. */
typedef struct codec_need {
	const char *name;
	const char *package;    /* of Debian 13 */
	const char *package_12; /* of Debian 12; NULL: the same */
} codec_need;

enum { CODEC_NEEDS = 2 };

typedef struct codec {
	decoder decoder;
	codec_need needs[CODEC_NEEDS]; /* those without a name are none */
	/* Loads it. 0, or 1 + the index of the need that is missing. Any thread, any number of times */
	unsigned (*load)(void);
	/* Appends the blocks that the file has, unchanged but for compression. NULL: no such blocks */
	void (*blocks)(image_blocks *out, const void *data, size_t size);
	const uint8_t *sample; /* a small picture, decoded once before the process enters its sandbox */
	size_t sample_size;    /* 0: it starts a program, and has no helper */
} codec;

extern const codec ims_codec_webp, ims_codec_heic, ims_codec_avif, ims_codec_jxl, ims_codec_tiff,
	ims_codec_video;

/* The codec of a format; NULL: there is none. */
const codec *ims_codec_find(image_format f);

/* EUNSUPPORTED: `missing`, as load returns it, is missing, in the words that users read. */
int ims_codec_missing(const codec *c, unsigned missing, imgsearch_error *err);

/* The blocks of a file whose codec is loaded, each of at most IMAGE_MAX_BLOCK bytes. */
void ims_codec_blocks(const codec *c, image_blocks *out, const void *data, size_t size);

/* Codecs that decode in this process. Static. */
image_codecs *ims_codec_local(void);

#endif

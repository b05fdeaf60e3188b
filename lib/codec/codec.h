/*
 * Formats whose libraries are optional. A format is a file here and a row in the table of codec.c.
 * Its library is loaded when a file of the kind is first met.
 */
#ifndef IMS_CODEC_H
#define IMS_CODEC_H

#include "image/codecs.h"

typedef struct codec {
	decoder decoder;
	const char *needs, *package; /* for people: its name, and its package in Debian */
	bool (*load)(void);    /* false: the library is missing. Any thread, any number of times */
	const uint8_t *sample; /* a small picture, decoded once before the process enters its sandbox */
	size_t sample_size;
} codec;

extern const codec ims_codec_webp;

/* The codec of a format; NULL: there is none. */
const codec *ims_codec_find(image_format f);

/* EUNSUPPORTED: the library is missing, in the words that users read. */
int ims_codec_missing(const codec *c, imgsearch_error *err);

/* Codecs that decode in this process. Static. */
image_codecs *ims_codec_local(void);

#endif

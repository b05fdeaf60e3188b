/*
 * Codecs that decode in processes of their own, so that a fault of a codec's library costs one
 * picture, and an attack on it stays inside the helper. A helper is `program` itself. It is started
 * for one format when the first file of that format comes, used again while it works, and replaced
 * after some pictures.
 *
 * Where a helper crashes or takes too long, its picture is damaged (EFORMAT). A helper that was
 * killed or stopped from outside is replaced, and its picture tried again. Where a helper cannot be
 * started, or its library is missing, the format is EUNSUPPORTED for the next minute.
 *
 * Children: at most one for each format and decoding thread. No signal handler is installed, and
 * only the helpers' own ids are waited for; a helper that the program waited for first has ended.
 */
#ifndef IMS_CODEC_HELPER_H
#define IMS_CODEC_HELPER_H

#include "codec/codec.h"

typedef struct helpers helpers;

typedef struct helper_options {
	const char *program; /* calls ims_codec_serve first of all; borrowed */
	uint64_t memory;     /* that a helper may take */
	unsigned keep;       /* helpers that wait for work at most; the others end */
	unsigned seconds;    /* that a picture may take; 0: 120 */
} helper_options;

/* NULL: no memory. */
helpers *ims_helpers_new(const helper_options *options);
/* Ends the helpers. None is at work. */
void ims_helpers_free(helpers *h);

/* The codecs that decode there; they live as long as h. */
image_codecs *ims_helpers_codecs(helpers *h);

#endif

/*
 * Codecs that decode in processes of their own: a fault of a codec's library then costs a picture,
 * and what it could be made to do stays there. A helper is `program` itself, started for one format
 * when a file of it is first met, kept while it is good, and replaced after some pictures.
 *
 * A helper that crashes, or takes too long, was given a damaged picture (EFORMAT). One that was
 * killed from outside is replaced, and its picture tried again. A helper that cannot be started, or
 * whose library is missing, is EUNSUPPORTED for the next minute.
 *
 * Children: one per thread that decodes and format. No handler is installed. Only their own ids are
 * waited for; where the program waited for them first, they count as gone.
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

/*
 * The one way from a picture to what its row and the network need: bytes, content hash, size,
 * signature, network input. Tree runs and single adds share it. It needs no writer's right, and any
 * number of threads prepare at once.
 */
#ifndef IMS_INGEST_PREPARE_H
#define IMS_INGEST_PREPARE_H

#include "analysis/signature.h"
#include "handle/handle.h"

typedef struct prepared {
	hash256 hash;  /* of a whole file; zero for pixels and crops */
	uint64_t size; /* bytes; 0 for pixels */
	uint32_t width,
		height;   /* upright, of the crop where there is one; as far as the header was read */
	bool decoded; /* false: the bytes are known, and neither signature nor input was made */
	signature signature;
} prepared;

typedef struct prepare_request {
	imgsearch *s;
	const image_recipe *recipe;
	bool single; /* the handle's decoders are shared with other calls that decode single pictures */
	/* Whether the index knows these bytes, so that the pixels are not needed; NULL: never. */
	bool (*has_content)(void *user, const hash256 *hash);
	void *user;
} prepare_request;

/*
 * Prepares a FILE, MEMORY or PIXELS input. *input is the network's input, (crop, crop, 3) floats,
 * allocated where it is NULL and pixels are needed; freed by ims_free. A file is read once, so that
 * its hash and its pixels are of the same bytes; one that is no picture is read no further than its
 * first bytes. Errors: EUNSUPPORTED, EFORMAT, ELIMIT, EIO, ENOTFOUND, EINVAL, ENOMEM; *out then
 * holds what was found until there.
 */
int ims_prepare(const prepare_request *request, const imgsearch_input *in, prepared *out,
	float **input, imgsearch_error *err);

#endif

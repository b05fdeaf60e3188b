/* What a caller's imgsearch_input holds: bytes of a picture file, or pixels. */
#ifndef IMS_HANDLE_INPUT_H
#define IMS_HANDLE_INPUT_H

#include "handle/handle.h"

/* EINVAL: the kind is unknown, or its path or data are NULL. */
int ims_input_check(const imgsearch_input *in, imgsearch_error *err);

/* Whether only a part of the picture is meant. */
bool ims_input_is_crop(const imgsearch_input *in);

/*
 * The bytes of a FILE (which is read into *held, to be freed by the caller), or of a MEMORY input;
 * a PIXELS input passes its pixels. EIO, ENOTFOUND, ELIMIT, ENOMEM.
 */
int ims_input_bytes(const imgsearch_input *in, buf *held, const void **data, size_t *size,
	imgsearch_error *err);

/*
 * The upright picture, its crop cut out, from the bytes that ims_input_bytes gave; freed by
 * ims_image_free. head (may be NULL) is filled as far as the header of a file was read. The errors
 * of ims_image_decode.
 */
int ims_input_decode(const imgsearch_input *in, const void *data, size_t size,
	const image_limits *limits, image *out, image_head *head, imgsearch_error *err);

#endif

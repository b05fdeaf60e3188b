/* Inputs of the caller: bytes of a picture file, or pixels. Any thread. */
#ifndef IMS_HANDLE_INPUT_H
#define IMS_HANDLE_INPUT_H

#include "handle/handle.h"

/*
 * EINVAL: the kind is unknown, its path or data are NULL, or its text is empty, blank or no UTF-8.
 * ELIMIT: more bytes than a picture file, or a text, may have.
 */
int ims_input_check(const imgsearch_input *in, imgsearch_error *err);

/* Whether the input is a crop of a picture. */
bool ims_input_is_crop(const imgsearch_input *in);

/*
 * The bytes of an input: of a FILE, read into *held, which the caller frees; those of a BYTES input
 * or the pixels of a PIXELS input, borrowed. EIO, ENOTFOUND, ELIMIT, ENOMEM.
 */
int ims_input_bytes(const imgsearch_input *in, buf *held, const void **data, size_t *size,
	imgsearch_error *err);

/*
 * Decodes the upright picture, or its crop, from the bytes of ims_input_bytes. The caller frees
 * *out by ims_image_free. head (may be NULL) is filled as far as the header was read. Errors of
 * ims_image_decode.
 */
int ims_input_decode(const imgsearch_input *in, const void *data, size_t size,
	const image_limits *limits, image *out, image_head *head, imgsearch_error *err);

#endif

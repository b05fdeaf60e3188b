/* The .safetensors format, both ways. */
#ifndef IMS_MODEL_SAFETENSORS_H
#define IMS_MODEL_SAFETENSORS_H

#include "model/weights.h"

/* Appends all tensors; data are borrowed. EFORMAT, ELIMIT, ENOMEM. */
int ims_safetensors_parse(weights *w, const uint8_t *data, size_t size, imgsearch_error *err);

/*
 * Writes n tensors into a new file: beside it first, then renamed, so that it is complete or not
 * there. EIO, ENOMEM.
 */
int ims_safetensors_write(const char *path, const shim_tensor *tensor, size_t n,
	imgsearch_error *err);

#endif

/* The .safetensors format, both ways. */
#ifndef IMS_MODEL_SAFETENSORS_H
#define IMS_MODEL_SAFETENSORS_H

#include "model/weights.h"

/* Appends all tensors; data are borrowed. EFORMAT, ELIMIT, ENOMEM. */
int ims_safetensors_parse(weights *w, const uint8_t *data, size_t size, imgsearch_error *err);

/* Creates or replaces a file (ims_replace_file) with n tensors. EIO, ENOMEM. */
int ims_safetensors_write(const char *path, const shim_tensor *tensor, size_t n,
	imgsearch_error *err);

#endif

/*
 * The formats of torch.save. Both append all tensors of the state dict; data are borrowed. EFORMAT,
 * ELIMIT, ENOMEM.
 */
#ifndef IMS_MODEL_TORCH_H
#define IMS_MODEL_TORCH_H

#include "model/weights.h"

/* Since version 1.6. */
int ims_torch_zip_parse(weights *w, const uint8_t *data, size_t size, imgsearch_error *err);

/* Before. */
int ims_torch_legacy_parse(weights *w, const uint8_t *data, size_t size, imgsearch_error *err);

#endif

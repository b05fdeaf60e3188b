/* Copies of tensors that the shim passes to a callback. */
#ifndef IMS_TRAIN_TENSOR_LIST_H
#define IMS_TRAIN_TENSOR_LIST_H

#include "train/run.h"

typedef struct tensor_list {
	shim_tensor *item;  /* names and data are owned */
	size_t n, cap;
} tensor_list;

void ims_tensor_list_free(tensor_list *l);
int ims_tensor_list_add(tensor_list *l, const shim_tensor *t); /* 0 or ENOMEM */

/*
 * Appends copies of a part (shim_part) of the network of the run. ENOMEM, and the errors of the
 * shim.
 */
int ims_tensor_list_collect(tensor_list *l, run *r, uint32_t part, imgsearch_error *err);

#endif

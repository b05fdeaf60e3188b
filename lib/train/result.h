/*
 * The result of a run: the network and its card. Each replaces its file as a whole
 * (ims_replace_file).
 */
#ifndef IMS_TRAIN_RESULT_H
#define IMS_TRAIN_RESULT_H

#include "train/run.h"

/* Checks that a result can be written to this path and found there as a model. EINVAL, EIO. */
int ims_result_check(const char *out, imgsearch_error *err);

/* Writes weights and card. EIO, ENOMEM, and the errors of the shim. */
int ims_result_write(run *r, imgsearch_error *err);

#endif

/*
 * The result of a run: the network and its card. Both are written beside their places and renamed.
 */
#ifndef IMS_TRAIN_RESULT_H
#define IMS_TRAIN_RESULT_H

#include "train/run.h"

/* Whether a result can be written to this path and found there as a model. EINVAL, EIO. */
int ims_result_check(const char *out, imgsearch_error *err);
int ims_result_write(run *r, imgsearch_error *err);

#endif

/* The options of a run: defaults and limits. */
#ifndef IMS_TRAIN_OPTIONS_H
#define IMS_TRAIN_OPTIONS_H

#include "base/base.h"
#include "imgsearch/train.h"

enum { TRAIN_CLASS_RUN = 4 }; /* pictures of a class in a row, for the contrastive loss */

/* Fills in the defaults. */
void ims_train_defaults(imgsearch_train_options *o);

/* EINVAL: a value is out of its range, or options contradict each other. EIO: out, as below. */
int ims_train_check(const imgsearch_train_options *o, imgsearch_error *err);

/* EINVAL for a batch that is too small: the contrastive loss of one class is 0. */
int ims_train_check_batch(const imgsearch_train_options *o, imgsearch_error *err);

#endif

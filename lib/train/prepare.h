/* What comes before the first step of a run. */
#ifndef IMS_TRAIN_PREPARE_H
#define IMS_TRAIN_PREPARE_H

#include "train/run.h"

/*
 * Identifies the network, reads the pictures, distils and resumes. o, the options of r, receive the
 * dim and the batch of the run. The caller frees what r has then, also on failure. Errors as
 * ims_train.
 */
int ims_train_prepare(run *r, imgsearch_train_options *o, const train_folder *folder,
	imgsearch_error *err);

#endif

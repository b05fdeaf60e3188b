/* Folders that are never trained on: the network is judged on them along the run. */
#ifndef IMS_TRAIN_HOLDOUT_H
#define IMS_TRAIN_HOLDOUT_H

#include "train/train.h"

struct run;

typedef struct judgement judgement; /* of one folder */

/*
 * Opens the held-out folders of r, whose network is there. EINVAL: fewer than two pictures in one.
 * ENOMEM, ECANCELED. ims_holdout_free follows in any case.
 */
int ims_holdout_open(struct run *r, imgsearch_error *err);
void ims_holdout_free(struct run *r);

/*
 * Judges the network of r, as it is, on each held-out folder. Every picture with a class queries
 * the others of its folder, and altered copies of at most 60 pictures, evenly spaced, query all.
 * Logs the measures and adds them to the report. ENOMEM, ECANCELED, and the errors of the shim.
 */
int ims_holdout_judge(struct run *r, imgsearch_error *err);

#endif

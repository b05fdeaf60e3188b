/*
 * Checkpoints: everything that a step changes, as a .safetensors file "OUT.checkpoint" with the key
 * of the run. A file is written beside its place, synced and renamed, so that a kill leaves the old
 * one or the new one.
 */
#ifndef IMS_TRAIN_CHECKPOINT_H
#define IMS_TRAIN_CHECKPOINT_H

#include "train/run.h"

int ims_checkpoint_write(run *r, imgsearch_error *err);

/*
 * Restores r from its checkpoint where there is one. EBUSY: there is one and neither resume nor
 * restart was asked for; EVERSION: it is of another run; EFORMAT: it is damaged.
 */
int ims_checkpoint_resume(run *r, imgsearch_error *err);

/* Removes the checkpoint and the file of the teachers' features. */
void ims_checkpoint_remove(run *r);

#endif

/*
 * Checkpoints: all that a step changes, as a .safetensors file "OUT.checkpoint" with the key of the
 * run. The file is replaced as a whole (ims_replace_file).
 */
#ifndef IMS_TRAIN_CHECKPOINT_H
#define IMS_TRAIN_CHECKPOINT_H

#include "train/run.h"

/* Replaces the checkpoint of the run. EIO, ENOMEM, and the errors of the shim. */
int ims_checkpoint_write(run *r, imgsearch_error *err);

/*
 * Restores r from its checkpoint, if there is one. EEXIST: there is one, and neither resume nor
 * restart was asked for; EVERSION: it belongs to another run; EFORMAT: it is damaged; EIO, ENOMEM.
 */
int ims_checkpoint_resume(run *r, imgsearch_error *err);

/* Removes the checkpoint and the file of the teachers' features. */
void ims_checkpoint_remove(run *r);

#endif

/*
 * Distillation. Each teacher sees every view of every picture once; its rows are kept in a file.
 * The targets of the student follow from them, and the projection of the student's features that
 * comes nearest to the targets.
 */
#ifndef IMS_TRAIN_DISTILL_H
#define IMS_TRAIN_DISTILL_H

#include "base/base.h"

struct run;

typedef struct distillation {
	float *targets;     /* (views * n, dim): row view * n + sample */
	size_t dim;
	char *names;        /* "mobilenet_v2, inception", for the card */
	hash256 hash;       /* of the teachers */
} distillation;

/*
 * Sets the names and the hash of the teachers, and raises the side of the dataset to their largest
 * input. EINVAL, EMODEL, EFORMAT, EIO, ENOMEM.
 */
int ims_distill_identify(struct run *r, imgsearch_error *err);

/*
 * Computes the features of the teachers, the targets, and the projection of r->net. A run that was
 * stopped continues. EIO, ECANCELED, ENOMEM, and the errors of the shim.
 */
int ims_distill(struct run *r, imgsearch_error *err);
void ims_distill_free(distillation *d);

#endif

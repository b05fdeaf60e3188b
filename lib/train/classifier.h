/* The classification layer of a network. */
#ifndef IMS_TRAIN_CLASSIFIER_H
#define IMS_TRAIN_CLASSIFIER_H

#include "base/base.h"

/* n is 0 for a network without one. */
typedef struct classifier {
	float *weight, *bias; /* (n, dim), (n) */
	size_t n, dim;
} classifier;

/*
 * From a weights file, in f32 or f16, whose features have dim values. Errors as ims_weights_open.
 */
int ims_classifier_open(classifier *c, const char *path, size_t dim, imgsearch_error *err);
void ims_classifier_close(classifier *c);

/* Square roots of the softened class probabilities of a raw feature (dim): out (n), of length 1. */
void ims_classifier_run(const classifier *c, const float *feature, float *out);

#endif

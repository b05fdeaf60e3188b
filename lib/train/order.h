/* The order in which the pictures of an epoch are shown. */
#ifndef IMS_TRAIN_ORDER_H
#define IMS_TRAIN_ORDER_H

#include "train/dataset.h"

/*
 * Writes the numbers of the n_train pictures to learn from into order, each once. random is the
 * epoch's own number. With run > 1 the order consists of runs of that length, most of which hold
 * one class, and neighbouring runs hold different classes until only runs of one class are left.
 * run is at least 1. ENOMEM.
 */
int ims_train_order(const dataset *set, size_t run, uint64_t random, uint32_t *order,
	imgsearch_error *err);

#endif

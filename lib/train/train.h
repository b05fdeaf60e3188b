/*
 * Learning: from a folder of classes, or from other networks. Pictures are decoded once and kept in memory (made smaller
 * where they are large), crops are made by pool threads while the network is at the step before. Everything that
 * is drawn by chance follows from seed and step, so that a run that was killed goes on as if it had not been.
 *
 *	dataset.c         the pictures, their classes, who is held out
 *	order.c       which of them an epoch shows when
 *	crop.c        one crop of one picture: where, turned about, colours varied, as the network's input
 *	loader.c        batches, one ahead
 *	classifier.c     what a teacher that is a classifier says of its classes
 *	teach.c       the teachers' features of the crops, kept in a file; targets and the first projection from them
 *	keep.c        checkpoints; the network and its card
 *	train.c       the run
 */
#ifndef IMS_TRAIN_H
#define IMS_TRAIN_H

#include "base/base.h"
#include "model/identity.h"

/* A file below the folder. */
typedef struct train_file {
	char *path;         /* absolute */
	const char *folder; /* name of its first-level folder, or NULL; borrowed from anywhere that lasts */
	uint64_t size;
} train_file;

/* imgsearch_train behind the handle: files in order of path; options as the caller gave them, copied to full size. */
int ims_train(const train_file *files, size_t n, const model_spec *start, const imgsearch_train_options *options, job *job,
	imgsearch_train_report *report, imgsearch_error *err);

#endif

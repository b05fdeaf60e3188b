/*
 * Training: from a folder of classes, or by distillation from other networks. Pictures are decoded
 * once and kept in memory, made smaller where they are large. Threads of a pool make the crops of a
 * batch while the network computes the one before. All random choices follow from seed and step, so
 * a run that was stopped and continued gives the same result as one that was not.
 *
 *	train.c         the run
 *	run.h           its state
 *	options.c       defaults and limits of the options
 *	prepare.c       what comes before the first step
 *	dataset.c       the pictures, their classes, which are held out
 *	order.c         the order of an epoch
 *	crop.c          a random crop of a picture as input of the network
 *	holdout.c       how the network does on folders that are not trained on
 *	seed.c          random numbers from seed and position
 *	loader.c        batches, one ahead
 *	teacher.c       the teachers of a distillation
 *	classifier.c    class probabilities of a teacher
 *	feature_file.c  the teachers' features, kept in a file
 *	distill.c       features, targets and the first projection
 *	checkpoint.c    stopping and continuing
 *	result.c        the network and its card
 *	tensor_list.c   tensors of the network, copied
 */
#ifndef IMS_TRAIN_H
#define IMS_TRAIN_H

#include "base/base.h"
#include "imgsearch/train.h"
#include "model/identity.h"

/* A file that may be a picture. */
typedef struct train_file {
	char *path;         /* absolute */
	const char *folder; /* its class: name of its first-level folder, or NULL; borrowed */
	uint64_t size;
} train_file;

/* A folder and the n files below it, in order of path. */
typedef struct train_folder {
	const char *path;
	train_file *file;
	size_t n, cap;
} train_folder;

/*
 * imgsearch_train without a handle, on folder[0]; the n_holdout folders behind it are judged on.
 * options has the full size of the struct; report is one of ims_result_new. One thread at a time
 * for a result. Errors: EINVAL (options, too few pictures or classes), EMODEL, EEXIST (a checkpoint
 * is there), EVERSION (of another run), EFORMAT (the loss is not finite), EIO, ENOMEM, ECANCELED,
 * after which a checkpoint is there.
 */
int ims_train(const train_folder *folder, size_t n_holdout, const model_spec *start,
	const imgsearch_train_options *options, job *job, imgsearch_train_report *report,
	imgsearch_error *err);

#endif

/*
 * The pictures of a run: those to train on and those held out for validation, in an order that
 * depends only on the seed. The first thread that needs a picture decodes it. It then stays in
 * memory, scaled down if it is large.
 */
#ifndef IMS_TRAIN_DATASET_H
#define IMS_TRAIN_DATASET_H

#include "image/image.h"
#include "train/train.h"

typedef enum sample_state {
	SAMPLE_NEW = 0,
	SAMPLE_BUSY = 1,
	SAMPLE_READY = 2,
	SAMPLE_BAD = 3
} sample_state;

typedef struct sample {
	const char *path;  /* borrowed from the train_file */
	uint64_t key;      /* of its content */
	int32_t label;     /* number of its folder; -1: none */
	_Atomic int state; /* sample_state */
	image im;          /* in state SAMPLE_READY */
} sample;

typedef struct dataset {
	sample *item; /* n; the first n_train are for training, the others are held out */
	size_t n, n_train;
	size_t n_classes;
	hash256 hash;            /* of the names and sizes of all files, in order */
	uint32_t side;           /* of the largest input, in pixels; pictures are kept at twice it */
	_Atomic uint64_t failed; /* pictures that cannot be read or decoded */
} dataset;

/*
 * Reads the header of every file, in order of path, and holds `validation` of each class out. Files
 * that are no pictures are left out. EINVAL: fewer than two pictures; ECANCELED, ENOMEM. On failure
 * nothing is to be freed.
 */
int ims_dataset_open(dataset *out, const train_file *files, size_t n, float validation,
	uint64_t seed, job *j, imgsearch_error *err);
void ims_dataset_free(dataset *s);

/*
 * The decoded picture, borrowed until ims_dataset_free. NULL: it is damaged, or memory is short.
 * Any thread.
 */
const image *ims_dataset_image(dataset *s, size_t i);

#endif

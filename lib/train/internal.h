/* What the files of lib/train share. */
#ifndef IMS_TRAIN_INTERNAL_H
#define IMS_TRAIN_INTERNAL_H

#include "image/image.h"
#include "train/train.h"

/* ---- dataset.c ---- */

typedef struct sample {
	const char *path;   /* the caller's */
	int32_t label;      /* of the folder; -1: none */
	_Atomic int state;  /* sample_state */
	image im;           /* once decoded */
} sample;

enum { SAMPLE_NEW = 0, SAMPLE_BUSY = 1, SAMPLE_READY = 2, SAMPLE_BAD = 3 };

/* In an order that follows from the seed: those to learn from, then those held out. */
typedef struct dataset {
	sample *item;
	size_t n, n_train;
	size_t n_classes;
	hash256 hash;       /* of names and sizes in order */
	uint32_t side;      /* of the largest input; larger pictures are kept at twice that */
	_Atomic uint64_t failed;
} dataset;

int ims_dataset_open(dataset *out, const train_file *files, size_t n, float validation, uint64_t seed, job *j, imgsearch_error *err);
void ims_dataset_free(dataset *s);

/* The picture, decoded by the first thread that asks; NULL: it is broken, or memory is short. */
const image *ims_dataset_image(dataset *s, size_t i);

/* ---- order.c ---- */

/*
 * The n_train first pictures in the order of an epoch, each once, into the caller's order; random: a number of the epoch's own.
 * With alike > 1 (at least 1) in runs of so many, most of which are of one class, and neighbouring ones of different classes
 * until runs of one class alone are left. ENOMEM.
 */
int ims_train_order(const dataset *set, size_t alike, uint64_t random, uint32_t *order, imgsearch_error *err);

/* ---- crop.c ---- */

typedef struct crop_recipe {
	uint32_t side;
	float mean[3], std[3];
	bool bicubic;
} crop_recipe;

/* A box of at least min_area of the picture, sides 3:4 to 4:3 where it can be. */
void ims_crop_box(double box[4], const image *im, float min_area, uint64_t *random);

/* side * side * 3 floats, channels last; random NULL: neither mirrored nor recoloured. ENOMEM. */
int ims_crop_make(float *out, const image *im, const double box[4], const crop_recipe *r, float jitter, uint64_t *random, imgsearch_error *err);

/* A stream of its own for every (seed, a, b). */
uint64_t ims_train_random(uint64_t seed, uint64_t a, uint64_t b);

/* ---- loader.c ---- */

typedef struct loader loader;

/* What one slot of a batch shows. */
typedef struct loader_item {
	size_t sample;      /* replaced by the one shown when that one is broken */
	uint32_t view;      /* the crop, with views */
	uint64_t random;    /* for flip and colours, 0: none; without views also for the crop */
} loader_item;

typedef struct loader_spec {
	dataset *set;
	crop_recipe recipe;
	uint32_t resize;    /* of the recipe, for whole pictures */
	uint32_t views;     /* > 0: item.view names one of so many crops; 0: a crop of its own, or whole when random is 0 */
	float min_area, jitter;
	uint64_t seed;
} loader_spec;

int ims_loader_new(loader **out, const loader_spec *spec, size_t batch, pool *pool, imgsearch_error *err);
void ims_loader_free(loader *f);

/* Begins with n items (copied). */
void ims_loader_start(loader *f, const loader_item *items, size_t n);

/* Waits for what was started; in and items stay until the start after the next one. ENOMEM; EINVAL when no picture can be read. */
int ims_loader_wait(loader *f, const float **in, const loader_item **items, size_t *n, imgsearch_error *err);

/* ---- classifier.c ---- */

/* The last layer of a network that tells classes apart; n is 0 for one that does not. */
typedef struct classifier {
	float *weight, *bias; /* (n, dim), (n) */
	size_t n, dim;
} classifier;

/* Of a weights file whose features have dim values (torchvision's names, f32). As ims_weights_open. */
int ims_classifier_open(classifier *c, const char *path, size_t dim, imgsearch_error *err);
void ims_classifier_close(classifier *c);

/* Roots of the softened probabilities, a row of length 1, from a raw feature. */
void ims_classifier_run(const classifier *c, const float *feature, float *out);

/* ---- teach.c ---- */

typedef struct teaching {
	float *targets;     /* (views * n, dim): row view * n + sample */
	size_t dim;
	char *names;        /* "mobilenet_v2 and inception", for the card */
	hash256 hash;       /* of the teachers */
} teaching;

/* ---- the run ---- */

typedef struct run {
	const imgsearch_train_options *o; /* with the defaults filled in */
	const model_spec *start;
	model_identity id;  /* of the starting network */
	const shim_training *shim;
	shim_train *net;
	shim_train_config config;
	image_recipe recipe;
	dataset set;
	teaching teach;
	pool *pool;
	job *job;
	uint64_t steps, per_epoch, step; /* all, of an epoch, done */
	double best;        /* validation loss; NaN: none yet */
	uint32_t since_best;
	hash256 key;        /* of everything that shapes the run */
} run;

/* Identifies the teachers (a hash goes into the key); then their features, the targets, and the projection of r->net. */
int ims_distill_identify(run *r, imgsearch_error *err);
int ims_distill(run *r, imgsearch_error *err);
void ims_distill_free(teaching *t);
loader_spec ims_run_loader(const run *r);

/* keep.c */
int ims_result_check(const char *out, imgsearch_error *err); /* whether a result could be written there, and be found as a model */
int ims_checkpoint_write(run *r, imgsearch_error *err);
int ims_checkpoint_resume(run *r, imgsearch_error *err); /* also when there is none to be resumed */
void ims_checkpoint_remove(run *r);
int ims_result_write(run *r, imgsearch_error *err);

int ims_train_shim_error(imgsearch_error *err, int code, const char *what, const shim_message *msg);

#endif

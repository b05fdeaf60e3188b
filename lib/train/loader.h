/*
 * Batches of crops, made by the threads of a pool one batch ahead of the network. One thread at a
 * time.
 */
#ifndef IMS_TRAIN_LOADER_H
#define IMS_TRAIN_LOADER_H

#include "train/crop.h"
#include "train/dataset.h"

typedef struct loader loader;

/* One item of a batch. */
typedef struct loader_item {
	size_t sample;   /* index in the dataset; replaced where the picture is damaged */
	uint32_t view;   /* number of the crop, where the spec has views */
	uint64_t random; /* for mirroring and colours, and without views for the crop; 0: none */
} loader_item;

typedef struct loader_spec {
	dataset *set; /* borrowed */
	crop_recipe recipe;
	uint32_t resize; /* short side before the centre crop of a whole picture */
	bool squash;     /* a whole picture is squashed instead */
	uint32_t views;  /* fixed ones of a picture; 0: a random crop, the whole if random is 0 */
	view_recipe view;
	float jitter; /* as ims_crop_make has it */
} loader_spec;

/* ENOMEM. */
int ims_loader_new(loader **out, const loader_spec *spec, size_t batch, pool *pool,
	imgsearch_error *err);
void ims_loader_free(loader *l); /* NULL is fine */

/* Starts a batch of n items, which are copied. */
void ims_loader_start(loader *l, const loader_item *items, size_t n);

/*
 * Waits for the batch that was started. in is (n, side, side, 3); in and items are borrowed until
 * the start after the next. EINVAL: no picture can be decoded; ENOMEM.
 */
int ims_loader_wait(loader *l, const float **in, const loader_item **items, size_t *n,
	imgsearch_error *err);

#endif

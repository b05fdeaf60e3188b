/* The state of a training run. */
#ifndef IMS_TRAIN_RUN_H
#define IMS_TRAIN_RUN_H

#include "model/identity.h"
#include "shim/shim.h"
#include "train/dataset.h"
#include "train/distill.h"
#include "train/loader.h"

typedef struct run {
	const imgsearch_train_options *o; /* with the defaults filled in */
	const model_spec *start;
	model_identity id; /* of the starting network */
	const shim_training *shim;
	shim_train *net;
	shim_train_config config;
	image_recipe recipe;
	dataset set;
	distillation distillation;
	pool *pool;
	job *job;
	uint64_t steps, per_epoch, step; /* of the run, of an epoch, done */
	double best;                     /* lowest validation loss; NaN: none yet */
	uint32_t since_best;             /* validations since then */
	hash256 key;                     /* of all that determines the result of the run */
	const train_folder *holdout;     /* n_holdout */
	struct judgement *judgement;     /* n_holdout, of each */
	size_t n_holdout;
	imgsearch_train_report *report; /* its items have room for all judgements */
} run;

/* The views of a network of that recipe. */
view_recipe ims_distill_view(const run *r, const image_recipe *recipe);

/* What a batch of the run shows. */
loader_spec ims_run_loader(const run *r);

/* "what: " and the message of the shim, under its code. */
int ims_train_shim_error(imgsearch_error *err, int code, const char *what, const shim_message *msg);

#endif

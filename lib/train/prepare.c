/* What comes before the first step: network, pictures, targets, and a checkpoint to resume. */
#include "train/prepare.h"

#include "model/catalog.h"
#include "model/shim_load.h"
#include "model/weights.h"
#include "train/checkpoint.h"
#include "train/holdout.h"
#include "train/options.h"

#include <stdio.h>

static int make_key(run *r, imgsearch_error *err)
{
	const imgsearch_train_options *o = r->o;
	buf t = { 0 };
	char set[65], teachers[65];
	ims_hash_hex(&r->set.hash, set);
	ims_hash_hex(&r->distillation.hash, teachers);
	ims_buf_text(&t, "%s %s %s %s %u\n", r->id.network, r->id.weights_hash, set, teachers,
		r->id.precision);
	ims_buf_text(&t, "%u %u %u %u %u %u %llu %u %u\n", o->loss, o->layers, r->config.dim,
		o->posteriors, o->epochs, o->batch, (unsigned long long)r->steps, o->views, r->recipe.crop);
	ims_buf_text(&t, "%g %g %g %g %g %g %g %g %g %llu\n", (double)o->rate, (double)o->validation,
		(double)o->min_crop, (double)o->jitter, (double)o->anchor, (double)o->relational,
		(double)o->label_weight, (double)o->whiten, (double)o->decay, (unsigned long long)o->seed);
	ims_buf_text(&t, "views 2 %g %g %g %u %u %u %g\n", (double)o->own, (double)o->inner,
		(double)o->power, o->fold, o->whole, o->together, (double)o->probabilities);
	/* What is validated and written; "the best so far" depends on it. */
	ims_buf_text(&t, "%g %u %u %u %u\n", o->blend, o->f32, o->int8, r->recipe.resize,
		r->recipe.bicubic);
	if (r->recipe.squash)
		ims_buf_text(&t, "squash\n");
	for (int k = 0; k < 3; k++)
		ims_buf_text(&t, "%g %g\n", (double)r->recipe.mean[k], (double)r->recipe.std[k]);
	if (!t.failed)
		r->key = ims_hash(t.data, t.len);
	int rc = t.failed ? ims_nomem(err) : 0;
	ims_buf_free(&t);
	return rc;
}

static int identify(run *r, imgsearch_error *err)
{
	int rc = ims_model_identify(&r->id, r->start, err);
	if (rc)
		return rc;
	r->recipe = r->id.recipe;
	r->recipe.crops = 1; /* training has views of its own */
	if (!ims_model_find(r->id.network))
		return ims_fail(err, IMGSEARCH_EMODEL,
			"%s: a TorchScript program cannot be trained, only be a teacher", r->id.weights);
	if (r->id.pooling)
		return ims_fail(err, IMGSEARCH_EMODEL,
			"%s: a network is trained by its own pooling, and the card has another", r->id.weights);
	return 0;
}

static int open_set(run *r, const train_folder *folder, imgsearch_error *err)
{
	const imgsearch_train_options *o = r->o;
	int rc = ims_dataset_open(&r->set, folder->file, folder->n, o->validation, o->seed, r->job,
		err);
	if (rc)
		return rc;
	r->set.side = r->recipe.crop;
	if (!o->teachers && r->set.n_classes < 2)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"%zu class%s: classes are the folders directly inside, and there must be two with"
			" pictures",
			r->set.n_classes, r->set.n_classes == 1 ? "" : "es");
	return o->teachers ? ims_distill_identify(r, err) : 0;
}

/* Keeps the projection of the starting network; distillation adds one if there is none. */
static void configure(run *r)
{
	const imgsearch_train_options *o = r->o;
	const model_network *net = ims_model_find(r->id.network);
	bool projected = r->id.dim != net->dim;
	uint32_t dim = o->dim ? o->dim
		: projected       ? r->id.dim
		: o->teachers     ? IMGSEARCH_DISTILL_DIM_DEFAULT
						  : 0;
	r->config = (shim_train_config){
		.network = r->id.network,
		.device = r->start->device ? r->start->device : "auto",
		.bf16 = r->id.precision == IMGSEARCH_PRECISION_BF16,
		.threads = r->start->threads ? r->start->threads : ims_cpu_count(),
		.crop = r->recipe.crop,
		.layers = o->layers,
		.loss = o->loss,
		.dim = dim,
		.posteriors = o->posteriors,
		.inner = o->inner,
		.power = o->power,
		.fold = o->fold,
		.target_dim = o->teachers ? dim : 0,
		.anchor = o->anchor,
		.decay = o->decay,
		.relational = o->relational,
		.label_weight = o->label_weight,
		.seed = o->seed,
	};
	if (!o->teachers || o->label_weight > 0)
		r->config.classes = (uint32_t)r->set.n_classes;
}

static int make_network(run *r, imgsearch_error *err)
{
	weights w = { 0 };
	const shim_table *table;
	shim_message msg = { "" };
	int rc = ims_weights_open(&w, r->id.weights, err);
	if (!rc && w.script)
		rc = ims_fail(err, IMGSEARCH_EMODEL, "%s: a TorchScript file cannot be trained",
			r->id.weights);
	if (!rc)
		rc = ims_shim_load(&table, err);
	if (!rc && !table->training)
		rc = ims_fail(err, IMGSEARCH_EMODEL, "this shim cannot train");
	if (!rc) {
		r->shim = table->training;
		rc = r->shim->create(&r->net, &r->config, w.tensor, w.n, &msg);
		if (rc)
			rc = ims_train_shim_error(err, rc, r->id.weights, &msg);
	}
	ims_weights_free(&w);
	return rc;
}

int ims_train_prepare(run *r, imgsearch_train_options *o, const train_folder *folder,
	imgsearch_error *err)
{
	int rc = identify(r, err);
	if (!rc)
		rc = open_set(r, folder, err);
	if (rc)
		return rc;
	configure(r);
	o->dim = r->config.dim;
	if ((o->posteriors || o->inner > 0 || (o->power > 0 && o->power < 1)) && !o->dim)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"train: posteriors, inner maps and a power need a linear layer, and its dim is not"
			" given");
	if (o->batch / o->together > r->set.n_train)
		o->batch = (uint32_t)r->set.n_train * o->together;
	rc = ims_train_check_batch(o, err);
	if (rc)
		return rc;
	r->per_epoch = r->set.n_train / (o->batch / o->together);
	r->steps = o->steps ? o->steps : r->per_epoch * o->epochs;
	rc = make_key(r, err);
	if (!rc)
		rc = make_network(r, err);
	if (!rc)
		rc = ims_holdout_open(r, err);
	if (!rc)
		rc = ims_pool_new(&r->pool, r->config.threads, 2 * o->batch, err);
	/*
	 * Resumes twice: before the distillation, to refuse a checkpoint of another run at once, and
	 * after it, since it sets the projection.
	 */
	if (!rc)
		rc = ims_checkpoint_resume(r, err);
	if (!rc && o->teachers) {
		uint64_t step = r->step;
		r->step = 0;
		rc = ims_distill(r, err);
		r->step = step;
		if (!rc && step)
			rc = ims_checkpoint_resume(r, err);
	}
	return rc;
}

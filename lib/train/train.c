/*
 * The run: identify the network, read the dataset, distil, then steps of AdamW under a learning
 * rate that rises over the first twentieth of the steps and falls as a cosine. Each epoch ends with
 * a validation; a checkpoint is written once a minute. The pictures of a step and their crops
 * follow from seed and step alone.
 */
#include "model/catalog.h"
#include "model/shim_load.h"
#include "model/weights.h"
#include "train/checkpoint.h"
#include "train/holdout.h"
#include "train/order.h"
#include "train/result.h"
#include "train/run.h"
#include "train/seed.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SAVE_SECONDS = 60 };
enum { CLASS_RUN = 4 }; /* pictures of a class in a row, for the contrastive loss */

int ims_train_shim_error(imgsearch_error *err, int code, const char *what, const shim_message *msg)
{
	return ims_fail(err, code, "%s: %s", what, msg->text);
}

/* --------------------------------------------------------------------------------- options ---- */

static float or_default(float given, double value)
{
	return given != 0 ? given : (float)value;
}

/* A number that is negative for none. */
static float share(float given, double value)
{
	return given < 0 ? 0 : or_default(given, value);
}

static void defaults(imgsearch_train_options *o)
{
	bool distil = o->teachers != NULL;
	o->loss = o->loss ? o->loss : IMGSEARCH_LOSS_CROSS_ENTROPY;
	o->epochs = o->epochs ? o->epochs : IMGSEARCH_TRAIN_EPOCHS_DEFAULT;
	o->batch = o->batch ? o->batch : IMGSEARCH_TRAIN_BATCH_DEFAULT;
	o->views = !distil ? 0 : o->views ? o->views : IMGSEARCH_TRAIN_VIEWS_DEFAULT;
	o->together = distil && o->together ? o->together : IMGSEARCH_TRAIN_TOGETHER_DEFAULT;
	o->probabilities = share(o->probabilities, IMGSEARCH_TRAIN_PROBABILITIES_DEFAULT);
	o->patience = o->patience ? o->patience : IMGSEARCH_TRAIN_PATIENCE_DEFAULT;
	o->rate = or_default(o->rate,
		distil ? IMGSEARCH_DISTILL_RATE_DEFAULT : IMGSEARCH_TRAIN_RATE_DEFAULT);
	o->validation = share(o->validation, IMGSEARCH_TRAIN_VALIDATION_DEFAULT);
	o->min_crop = or_default(o->min_crop,
		distil ? IMGSEARCH_DISTILL_MIN_CROP_DEFAULT : IMGSEARCH_TRAIN_MIN_CROP_DEFAULT);
	o->jitter = share(o->jitter, IMGSEARCH_TRAIN_JITTER_DEFAULT);
	o->relational = share(o->relational, IMGSEARCH_TRAIN_RELATIONAL_DEFAULT);
	o->whiten = share(o->whiten, IMGSEARCH_TRAIN_WHITEN_DEFAULT);
	o->decay = share(o->decay, IMGSEARCH_TRAIN_DECAY_DEFAULT);
}

/* The contrastive loss of a batch of one class is 0. */
static int check_batch(const imgsearch_train_options *o, imgsearch_error *err)
{
	if (!o->teachers && o->loss == IMGSEARCH_LOSS_SUPCON && o->batch < 2 * CLASS_RUN)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"train: supcon takes %d pictures of a class at a time: a batch needs %d pictures or"
			" more, not %u",
			CLASS_RUN, 2 * CLASS_RUN, o->batch);
	if (o->batch % o->together || o->together > o->views + !o->teachers)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"train: %u views of a picture together: there must be so many views, and a batch of %u"
			" must hold a whole number of pictures",
			o->together, o->batch);
	return 0;
}

static int check(const imgsearch_train_options *o, imgsearch_error *err)
{
	if (!o->out || !*o->out)
		return ims_fail(err, IMGSEARCH_EINVAL, "train: no file to write to");
	if (o->loss > IMGSEARCH_LOSS_ARCFACE)
		return ims_fail(err, IMGSEARCH_EINVAL, "train: loss %u is unknown", o->loss);
	if (!(o->rate > 0 && o->rate <= 10) || !(o->min_crop > 0 && o->min_crop <= 1)
		|| !(o->validation < 1) || !(o->jitter < 1))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"train: learning rate must be in 0..10, min crop in 0..1, validation and jitter below"
			" 1");
	if (o->batch > IMGSEARCH_TRAIN_BATCH_MAX || o->views > IMGSEARCH_TRAIN_VIEWS_MAX
		|| o->dim > IMGSEARCH_DIM_MAX || !(o->whiten <= 1) || !(o->own >= 0 && o->own <= 1000)
		|| !(o->inner >= 0 && o->inner <= 1000) || !(o->power >= 0 && o->power <= 1)
		|| !(o->anchor >= 0)
		|| !(o->blend >= 0 && o->blend <= 1))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"train: batch at most %d, views %d, dim %d, whiten, blend and power 1; anchor,"
			" own, inner, blend and power not negative",
			IMGSEARCH_TRAIN_BATCH_MAX, IMGSEARCH_TRAIN_VIEWS_MAX, IMGSEARCH_DIM_MAX);
	if (o->f32 && o->int8)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"train: weights are written in f32 or in int8, not in both");
	int rc = check_batch(o, err);
	return rc ? rc : ims_result_check(o->out, err);
}

/* ----------------------------------------------------------------------------- preparation ---- */

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
	if (!ims_model_find(r->id.network))
		return ims_fail(err, IMGSEARCH_EMODEL,
			"%s: a TorchScript program cannot be trained, only be a teacher", r->id.weights);
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

static int prepare(run *r, imgsearch_train_options *o, const train_folder *folder,
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
	rc = check_batch(o, err);
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

/* --------------------------------------------------------------------------------- batches ---- */

loader_spec ims_run_loader(const run *r)
{
	loader_spec f = {
		.set = (dataset *)(uintptr_t)&r->set,
		.recipe = { .side = r->recipe.crop, .bicubic = r->recipe.bicubic },
		.resize = r->recipe.resize,
		.views = r->o->views,
		.view = ims_distill_view(r, &r->recipe),
		.jitter = r->o->jitter,
	};
	memcpy(f.recipe.mean, r->recipe.mean, sizeof f.recipe.mean);
	memcpy(f.recipe.std, r->recipe.std, sizeof f.recipe.std);
	return f;
}

typedef struct loop {
	run *r;
	loader *loader;
	loader_item *items;
	uint32_t *order;
	int64_t *labels;
	float *targets;
	uint64_t ordered;           /* epoch of `order` + 1; 0: none */
	double loss, hits, counted; /* sums that decay with each step */
	double step_seconds;        /* of all steps but the first */
	uint64_t seen;              /* pictures in them */
	bool warm;
	double validation_accuracy, saved;
} loop;

static int start_step(loop *l, uint64_t step, imgsearch_error *err)
{
	run *r = l->r;
	size_t together = r->o->together;
	uint64_t epoch = step / r->per_epoch, first = step % r->per_epoch * (r->o->batch / together);
	/* The contrastive loss needs several pictures of a class in a batch. */
	size_t alike = !r->o->teachers && r->o->loss == IMGSEARCH_LOSS_SUPCON ? CLASS_RUN : 1;
	int rc = l->ordered == epoch + 1
		? 0
		: ims_train_order(&r->set, alike, ims_seed_derive(r->o->seed, 2, epoch), l->order, err);
	l->ordered = epoch + 1;
	for (size_t i = 0; i < r->o->batch; i++) {
		uint32_t which = l->order[first + i / together];
		l->items[i] = (loader_item){
			.sample = which,
			.random = ims_seed_derive(r->o->seed ^ 3, step, i),
			.view = r->o->views
				? (uint32_t)((which + epoch * together + i % together) % r->o->views)
				: 0,
		};
	}
	if (!rc)
		ims_loader_start(l->loader, l->items, r->o->batch);
	return rc;
}

static shim_batch as_batch(loop *l, const float *in, const loader_item *items, size_t n)
{
	run *r = l->r;
	for (size_t i = 0; i < n; i++) {
		l->labels[i] = r->set.item[items[i].sample].label;
		if (r->o->teachers)
			memcpy(l->targets + i * r->distillation.dim,
				r->distillation.targets
					+ (items[i].view * r->set.n + items[i].sample) * r->distillation.dim,
				r->distillation.dim * sizeof *l->targets);
	}
	return (shim_batch){
		in,
		r->config.classes ? l->labels : NULL,
		r->o->teachers ? l->targets : NULL,
		n,
	};
}

static float rate_at(const run *r, uint64_t step)
{
	uint64_t rise = r->steps / 20 + 1;
	double up = step < rise ? (double)(step + 1) / (double)rise : 1;
	return (
		float)((double)r->o->rate * up * 0.5 * (1 + cos(M_PI * (double)step / (double)r->steps)));
}

/* ------------------------------------------------------------------------------ validation ---- */

/* Mean loss and accuracy over the held-out pictures, without random crops. */
static int validate(loop *l, double *loss, double *accuracy, imgsearch_error *err)
{
	run *r = l->r;
	shim_score sum = { 0, 0, 0 };
	int rc = 0;
	for (size_t at = r->set.n_train; !rc && at < r->set.n;) {
		size_t n = r->set.n - at < r->o->batch ? r->set.n - at : r->o->batch;
		const float *in;
		const loader_item *items;
		shim_message msg = { "" };
		shim_score score;
		for (size_t i = 0; i < n; i++)
			l->items[i] = (loader_item){ .sample = at + i };
		at += n;
		ims_loader_start(l->loader, l->items, n);
		rc = ims_loader_wait(l->loader, &in, &items, &n, err);
		if (rc)
			return rc;
		shim_batch b = as_batch(l, in, items, n);
		rc = r->shim->score(r->net, &b, &score, &msg);
		if (rc)
			return ims_train_shim_error(err, rc, "validation", &msg);
		sum.loss += score.loss, sum.hits += score.hits, sum.counted += score.counted;
	}
	*loss = sum.counted > 0 ? sum.loss / sum.counted : NAN;
	*accuracy = sum.counted > 0 ? sum.hits / sum.counted : NAN;
	return 0;
}

static int blend(run *r, float share, imgsearch_error *err)
{
	shim_message msg = { "" };
	int rc = r->o->blend > 0 ? r->shim->blend(r->net, share, &msg) : 0;
	return rc ? ims_train_shim_error(err, rc, "the blend", &msg) : 0;
}

/* Validates, and writes the network where it is the best so far. */
static int validate_and_write(loop *l, imgsearch_error *err)
{
	run *r = l->r;
	double loss = NAN, accuracy = NAN;
	int rc = validate(l, &loss, &accuracy, err);
	if (rc)
		return rc;
	bool better = isnan(r->best) || loss < r->best;
	ims_job_log(r->job, IMGSEARCH_LOG_INFO,
		"step %llu: loss %.4f, accuracy %.4f; held out: loss %.4f, accuracy %.4f%s",
		(unsigned long long)r->step, l->counted > 0 ? l->loss / l->counted : NAN,
		l->counted > 0 ? l->hits / l->counted : NAN, loss, accuracy, better ? " (best)" : "");
	r->since_best = better ? 0 : r->since_best + 1;
	if (better) {
		r->best = loss;
		l->validation_accuracy = accuracy;
		rc = ims_result_write(r, err);
	}
	return rc;
}

static int end_epoch(loop *l, imgsearch_error *err)
{
	run *r = l->r;
	int rc = blend(r, (float)r->o->blend, err);
	if (!rc && r->set.n > r->set.n_train)
		rc = validate_and_write(l, err);
	if (!rc)
		rc = ims_holdout_judge(r, err);
	return rc ? rc : blend(r, 0, err);
}

/* -------------------------------------------------------------------------------- the loop ---- */

static int one_step(loop *l, imgsearch_error *err)
{
	run *r = l->r;
	const float *in;
	const loader_item *items;
	size_t n;
	shim_message msg = { "" };
	shim_score score;
	int rc = ims_loader_wait(l->loader, &in, &items, &n, err);
	if (!rc && r->step + 1 < r->steps)
		rc = start_step(l, r->step + 1, err);
	if (rc)
		return rc;
	shim_batch b = as_batch(l, in, items, n);
	double before = ims_now();
	rc = r->shim->step(r->net, &b, rate_at(r, r->step), &score, &msg);
	if (rc) {
		char what[64];
		snprintf(what, sizeof what, "step %llu", (unsigned long long)r->step + 1);
		return ims_train_shim_error(err, rc, what, &msg);
	}
	if (l->warm) {
		l->step_seconds += ims_now() - before;
		l->seen += n;
	}
	l->warm = true; /* the first step sets up memory and threads */
	l->loss = l->loss * 0.95 + score.loss;
	l->hits = l->hits * 0.95 + score.hits;
	l->counted = l->counted * 0.95 + score.counted;
	r->step++;
	return 0;
}

static int step_progress(loop *l, imgsearch_error *err)
{
	run *r = l->r;
	imgsearch_progress p = {
		.stage = "train",
		.done = r->step,
		.total = r->steps,
		.failed = r->set.failed,
		.loss = l->counted > 0 ? l->loss / l->counted : NAN,
		.accuracy = l->counted > 0 ? l->hits / l->counted : NAN,
	};
	return ims_job_progress(r->job, &p, err);
}

/* Writes a checkpoint of a cancelled run, and keeps the error of the cancel. */
static int stop_run(loop *l, int rc, imgsearch_error *err)
{
	int saved = ims_checkpoint_write(l->r, rc ? NULL : err);
	return rc ? rc : saved;
}

static int after_step(loop *l, imgsearch_error *err)
{
	run *r = l->r;
	bool judged = r->set.n > r->set.n_train || r->n_holdout, last = r->step == r->steps;
	int rc = step_progress(l, err);
	if (rc)
		return stop_run(l, rc, err);
	if (judged && (r->step % r->per_epoch == 0 || last)) {
		rc = end_epoch(l, err);
		if (!rc && !last)
			rc = start_step(l, r->step, err);
	}
	if (!rc && ims_now() - l->saved > SAVE_SECONDS) {
		rc = ims_checkpoint_write(r, err);
		l->saved = ims_now();
	}
	return rc;
}

static int steps(loop *l, imgsearch_train_report *report, imgsearch_error *err)
{
	run *r = l->r;
	int rc = r->step ? 0 : ims_holdout_judge(r, err);
	if (!rc && r->step < r->steps)
		rc = start_step(l, r->step, err);
	while (!rc && r->step < r->steps) {
		rc = one_step(l, err);
		if (!rc)
			rc = after_step(l, err);
		report->stopped_early = r->since_best >= r->o->patience;
		if (report->stopped_early)
			break;
	}
	if (!rc && isnan(r->best) && !(rc = blend(r, (float)r->o->blend, err)))
		rc = ims_result_write(r, err);
	if (!rc)
		ims_checkpoint_remove(r);
	return rc;
}

static int learn(run *r, imgsearch_train_report *report, imgsearch_error *err)
{
	size_t batch = r->o->batch;
	loop l = { .r = r, .validation_accuracy = NAN, .saved = ims_now() };
	loader_spec spec = ims_run_loader(r);
	l.items = ims_alloc(batch, sizeof *l.items);
	l.order = ims_alloc(r->set.n_train, sizeof *l.order);
	l.labels = ims_alloc(batch, sizeof *l.labels);
	l.targets = ims_alloc(batch, (r->distillation.dim + 1) * sizeof *l.targets);
	int rc = l.items && l.order && l.labels && l.targets
		? ims_loader_new(&l.loader, &spec, batch, r->pool, err)
		: ims_nomem(err);
	if (!rc)
		rc = steps(&l, report, err);
	report->steps = r->step;
	report->loss = l.counted > 0 ? l.loss / l.counted : NAN;
	report->accuracy = l.counted > 0 ? l.hits / l.counted : NAN;
	report->validation_loss = r->best;
	report->validation_accuracy = l.validation_accuracy;
	report->images_per_second = l.step_seconds > 0 ? (double)l.seen / l.step_seconds : 0;
	ims_loader_free(l.loader);
	ims_free(l.items), ims_free(l.order), ims_free(l.labels), ims_free(l.targets);
	return rc;
}

/*
 * Logs and counts pictures that turned out damaged when they were decoded. The threads of the pool
 * cannot log.
 */
static uint64_t log_damaged(run *r)
{
	uint64_t n = 0;
	for (size_t i = 0; i < r->set.n; i++)
		if (r->set.item[i].state == SAMPLE_BAD) {
			ims_job_log(r->job, IMGSEARCH_LOG_WARNING, "left out: %s: it cannot be decoded",
				r->set.item[i].path);
			n++;
		}
	return n;
}

int ims_train(const train_folder *folder, size_t n_holdout, const model_spec *start,
	const imgsearch_train_options *options, job *job, imgsearch_train_report *report,
	imgsearch_error *err)
{
	imgsearch_train_options o = *options;
	double began = ims_now();
	run r = {
		.o = &o,
		.start = start,
		.job = job,
		.best = NAN,
		.holdout = folder + 1,
		.n_holdout = n_holdout,
		.report = report,
	};
	*report = (imgsearch_train_report){
		.loss = NAN,
		.accuracy = NAN,
		.validation_loss = NAN,
		.validation_accuracy = NAN,
	};
	defaults(&o);
	int rc = check(&o, err);
	if (!rc)
		rc = prepare(&r, &o, folder, err);
	if (!rc)
		rc = learn(&r, report, err);
	report->pictures = r.set.n - log_damaged(&r);
	report->classes = r.set.n_classes;
	report->held_out = r.set.n - r.set.n_train;
	report->failed = r.set.failed;
	report->dim = o.dim ? o.dim : r.id.dim;
	report->seconds = ims_now() - began;
	if (r.net)
		r.shim->free(r.net);
	ims_pool_free(r.pool);
	ims_holdout_free(&r);
	ims_distill_free(&r.distillation);
	ims_dataset_free(&r.set);
	ims_model_identity_free(&r.id);
	return rc;
}

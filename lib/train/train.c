/*
 * The run: identify the network, read the dataset, distil, then steps of AdamW under a learning
 * rate that rises over the first twentieth of the steps and falls as a cosine. Each epoch ends with
 * a validation; a checkpoint is written once a minute. The pictures of a step and their crops
 * follow from seed and step alone.
 */
#include "train/checkpoint.h"
#include "train/holdout.h"
#include "train/options.h"
#include "train/order.h"
#include "train/prepare.h"
#include "train/result.h"
#include "train/run.h"
#include "train/seed.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SAVE_SECONDS = 60 };

int ims_train_shim_error(imgsearch_error *err, int code, const char *what, const shim_message *msg)
{
	return ims_fail(err, code, "%s: %s", what, msg->text);
}

/* --------------------------------------------------------------------------------- batches ---- */

loader_spec ims_run_loader(const run *r)
{
	loader_spec f = {
		.set = (dataset *)(uintptr_t)&r->set,
		.recipe = { .side = r->recipe.crop, .bicubic = r->recipe.bicubic },
		.resize = r->recipe.resize,
		.squash = r->recipe.squash,
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
	size_t alike = !r->o->teachers && r->o->loss == IMGSEARCH_LOSS_SUPCON ? TRAIN_CLASS_RUN : 1;
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
	ims_train_defaults(&o);
	int rc = ims_train_check(&o, err);
	if (!rc)
		rc = ims_train_prepare(&r, &o, folder, err);
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

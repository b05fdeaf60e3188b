/*
 * Pictures and altered copies of some, in one list: features first, all normalised, then the
 * ranking of each by cosine. A picture that cannot be decoded is in no ranking.
 */
#include "train/holdout.h"

#include "analysis/metrics.h"
#include "image/alter.h"
#include "kernels/kernels.h"
#include "train/run.h"

#include <math.h>
#include <string.h>

enum { BATCH = 16, COPIED = 60 };

struct judgement {
	run *r;
	const char *path;
	dataset set;
	size_t copied, n; /* pictures that have copies; pictures and copies */
	uint32_t dim;
	float *in;        /* of a batch */
	float *row;       /* (n, dim) */
	retrieval *found; /* n */
	size_t first;     /* of the batch */
	atomic_int failed;
};

/* The picture that an entry of the list shows. */
static size_t picture_of(const judgement *d, size_t i)
{
	return i < d->set.n ? i : (i - d->set.n) / IMS_ALTERATIONS * d->set.n / d->copied;
}

static int make_input(judgement *d, size_t i, float *out)
{
	const image *im = ims_dataset_image(&d->set, picture_of(d, i));
	image copy = { 0 };
	uint64_t random = i;
	if (!im)
		return 0;
	int rc = i < d->set.n
		? 0
		: ims_image_alter(&copy, im, (unsigned)((i - d->set.n) % IMS_ALTERATIONS), &random, NULL);
	if (!rc)
		rc = ims_image_fit(copy.pixels ? &copy : im, &d->r->recipe, false, out, NULL);
	ims_image_free(&copy);
	return rc;
}

static void fill(void *arg, size_t i, unsigned worker)
{
	judgement *d = arg;
	size_t size = (size_t)d->r->recipe.crop * d->r->recipe.crop * 3;
	float *out = d->in + i * size;
	(void)worker;
	memset(out, 0, size * sizeof *out);
	if (make_input(d, d->first + i, out))
		d->failed = 1;
}

static int run_network(judgement *d, imgsearch_error *err)
{
	shim_message msg = { "" };
	int rc = 0;
	for (d->first = 0; !rc && d->first < d->n; d->first += BATCH) {
		size_t n = d->n - d->first < BATCH ? d->n - d->first : BATCH;
		ims_parallel(d->r->pool, n, fill, d);
		if (d->failed)
			return ims_nomem(err);
		rc = d->r->shim->features(d->r->net, d->in, n, 1, d->row + d->first * d->dim, &msg);
		rc = rc ? ims_train_shim_error(err, rc, "features", &msg)
				: ims_job_step(d->r->job, "judge", d->first + n, d->n, err);
	}
	for (size_t i = 0; !rc && i < d->n; i++)
		ims_floats_normalise(d->row + i * d->dim, d->row + i * d->dim, d->dim);
	return rc;
}

/* Whether the feature of an entry can be compared. */
static bool usable(judgement *d, size_t i)
{
	return ims_dataset_image(&d->set, picture_of(d, i)) != NULL;
}

static uint8_t relation(judgement *d, size_t query, size_t i)
{
	const sample *item = d->set.item;
	if (i == query || !usable(d, i))
		return IMS_IGNORED;
	bool same = query < d->set.n ? item[query].label >= 0 && item[i].label == item[query].label
								 : i == picture_of(d, query);
	return same ? IMS_RELEVANT : IMS_IRRELEVANT;
}

static void rank(void *arg, size_t query, unsigned worker)
{
	judgement *d = arg;
	float *score = ims_alloc(d->set.n, sizeof *score);
	uint8_t *relations = ims_alloc(d->set.n, sizeof *relations);
	(void)worker;
	if (!score || !relations)
		d->failed = 1;
	for (size_t i = 0; !d->failed && usable(d, query) && i < d->set.n; i++) {
		score[i] = ims_kernels()->dot_f32(d->row + query * d->dim, d->row + i * d->dim, d->dim);
		relations[i] = relation(d, query, i);
	}
	if (!d->failed && usable(d, query)
		&& ims_analysis_retrieval(&d->found[query], score, relations, d->set.n, NULL))
		d->failed = 1;
	ims_free(score);
	ims_free(relations);
}

static void sum_up(const judgement *d, imgsearch_train_holdout *out)
{
	double precision = 0, first = 0, copies = 0;
	for (size_t i = 0; i < d->n; i++) {
		const retrieval *f = &d->found[i];
		if (!f->relevant)
			continue;
		bool copy = i >= d->set.n;
		out->queries += !copy;
		out->copies += copy;
		precision += copy ? 0 : f->average_precision;
		first += !copy && f->first;
		copies += copy && f->first;
	}
	out->map = out->queries ? precision / (double)out->queries : NAN;
	out->accuracy = out->queries ? first / (double)out->queries : NAN;
	out->duplicates = out->copies ? copies / (double)out->copies : NAN;
}

static int open_folder(judgement *d, run *r, const train_folder *folder, imgsearch_error *err)
{
	*d = (judgement){ .r = r, .path = folder->path };
	/* Seed 0: every run alters the same pictures. */
	int rc = ims_dataset_open(&d->set, folder->file, folder->n, 0, 0, r->job, err);
	if (rc == IMGSEARCH_EINVAL)
		return ims_fail(err, rc, "train: %s is held out, and has fewer than two pictures",
			folder->path);
	if (rc)
		return rc;
	d->set.side = r->recipe.resize;
	d->copied = d->set.n < COPIED ? d->set.n : COPIED;
	d->n = d->set.n + d->copied * IMS_ALTERATIONS;
	d->dim = r->config.dim ? r->config.dim : r->shim->width(r->net);
	d->in = ims_alloc_aligned(BATCH, sizeof *d->in * 3 * r->recipe.crop * r->recipe.crop);
	d->row = ims_alloc_aligned(d->n, d->dim * sizeof *d->row);
	d->found = ims_alloc(d->n, sizeof *d->found);
	return d->in && d->row && d->found ? 0 : ims_nomem(err);
}

int ims_holdout_open(run *r, imgsearch_error *err)
{
	/* At the start, after each epoch and at the end. */
	size_t most = r->n_holdout * (size_t)(r->steps / r->per_epoch + 2);
	r->report->items = ims_result_alloc(r->report, most + 1, sizeof *r->report->items);
	r->judgement = ims_zalloc(r->n_holdout + 1, sizeof *r->judgement);
	int rc = r->report->items && r->judgement ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < r->n_holdout; i++)
		rc = open_folder(&r->judgement[i], r, &r->holdout[i], err);
	return rc;
}

void ims_holdout_free(run *r)
{
	for (size_t i = 0; r->judgement && i < r->n_holdout; i++) {
		judgement *d = &r->judgement[i];
		ims_dataset_free(&d->set);
		ims_free(d->in);
		ims_free(d->row);
		ims_free(d->found);
	}
	ims_free(r->judgement);
}

static int add_to_report(run *r, const imgsearch_train_holdout *made, imgsearch_error *err)
{
	imgsearch_train_holdout *item = ims_result_alloc(r->report, 1, sizeof *item);
	const char *folder = ims_result_text(r->report, made->folder);
	if (!item || !folder)
		return ims_nomem(err);
	*item = *made;
	item->folder = folder;
	((const imgsearch_train_holdout **)(uintptr_t)r->report->items)[r->report->count++] = item;
	return 0;
}

static int judge_folder(judgement *d, imgsearch_error *err)
{
	run *r = d->r;
	imgsearch_train_holdout made = { .folder = d->path, .step = r->step };
	int rc = run_network(d, err);
	if (rc)
		return rc;
	memset(d->found, 0, d->n * sizeof *d->found);
	ims_parallel(r->pool, d->n, rank, d);
	if (d->failed)
		return ims_nomem(err);
	sum_up(d, &made);
	ims_job_log(r->job, IMGSEARCH_LOG_INFO,
		"step %llu: %s: mAP %.4f, first result right %.4f (%llu queries); near-duplicates found"
		" %.4f (%llu)",
		(unsigned long long)made.step, made.folder, made.map, made.accuracy,
		(unsigned long long)made.queries, made.duplicates, (unsigned long long)made.copies);
	return add_to_report(r, &made, err);
}

int ims_holdout_judge(run *r, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < r->n_holdout; i++)
		rc = judge_folder(&r->judgement[i], err);
	return rc;
}

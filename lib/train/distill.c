/*
 * Every teacher sees every view of every picture once. Rows are appended to a file as they are
 * computed, so a run that was stopped continues there, and a run with more views adds to it. A row
 * has the parts of all teachers side by side. The targets of the student are the rows, centred and
 * projected onto their principal components. The first projection is the linear map of the
 * student's features before training that comes nearest to the targets.
 */
#include "model/model.h"
#include "train/crop.h"
#include "train/feature_file.h"
#include "train/run.h"
#include "train/seed.h"
#include "train/teacher.h"

#include <string.h>

enum { BATCH = 16 };

/*
 * who: hash of the teachers. rows: hash of all that the rows depend on, including pictures and
 * crops.
 */
static int hash_teachers(const run *r, const teachers *s, hash256 *who, hash256 *rows,
	imgsearch_error *err)
{
	buf text = { 0 };
	char hex[65];
	for (size_t i = 0; i < s->n; i++)
		ims_buf_text(&text, "%s %s %u %u\n", s->t[i].id.name, s->t[i].id.weights_hash,
			s->t[i].id.recipe.crop, s->t[i].id.precision);
	if (!text.failed)
		*who = ims_hash(text.data, text.len);
	ims_hash_hex(&r->set.hash, hex);
	ims_buf_text(&text, "%s %zu %llu %.6f\n", hex, r->set.n_train, (unsigned long long)r->o->seed,
		(double)r->o->min_crop);
	if (!text.failed)
		*rows = ims_hash(text.data, text.len);
	int rc = text.failed ? ims_nomem(err) : 0;
	ims_buf_free(&text);
	return rc;
}

int ims_distill_identify(run *r, imgsearch_error *err)
{
	teachers s;
	hash256 rows;
	int rc = ims_teachers_open(&s, r->o->teachers, r->start, err);
	if (rc)
		return rc;
	rc = hash_teachers(r, &s, &r->distillation.hash, &rows, err);
	for (size_t i = 0; !rc && i < s.n; i++) {
		char *names = ims_format("%s%s%s", i ? r->distillation.names : "", i ? ", " : "",
			s.t[i].id.name);
		ims_free(r->distillation.names);
		r->distillation.names = names;
		rc = names ? 0 : ims_nomem(err);
		if (s.t[i].id.recipe.crop > r->set.side)
			r->set.side = s.t[i].id.recipe.crop;
	}
	ims_teachers_close(&s);
	return rc;
}

void ims_distill_free(distillation *t)
{
	ims_free(t->targets);
	ims_free(t->names);
	*t = (distillation){ 0 };
}

/* ---------------------------------------------------------------- features of the teachers ---- */

typedef struct teacher_run {
	run *r;
	const teacher *t;
	model *m;
	crop_recipe recipe;
	size_t first; /* row */
	float *in, *out;
	atomic_int failed;
} teacher_run;

/* A damaged picture has the row of a grey picture, which is never used. */
static void make_crop(void *arg, size_t i, unsigned worker)
{
	teacher_run *l = arg;
	size_t row = l->first + i, view = row / l->r->set.n, which = row % l->r->set.n;
	float *out = l->in + i * l->recipe.side * l->recipe.side * 3;
	const image *im = ims_dataset_image(&l->r->set, which);
	(void)worker;
	memset(out, 0, sizeof *out * l->recipe.side * l->recipe.side * 3);
	if (im) {
		double box[4];
		uint64_t where = ims_seed_derive(l->r->o->seed, which + 2, view);
		ims_crop_box(box, im, l->r->o->min_crop, &where);
		if (ims_crop_make(out, im, box, &l->recipe, 0, NULL, NULL))
			l->failed = 1;
	}
}

/* The part of one teacher in the rows of a batch: it begins at row, and rows lie width apart. */
typedef struct part {
	const teacher_run *l;
	float *row;
	size_t width;
} part;

static void write_row(void *arg, size_t i, unsigned worker)
{
	const part *p = arg;
	size_t d = p->l->t->id.dim;
	const float *feature = p->l->out + i * d;
	float *row = p->row + i * p->width;
	(void)worker;
	ims_floats_normalise(row, feature, d);
	ims_classifier_run(&p->l->t->classes, feature, row + d);
}

static int run_teacher(teacher_run *l, size_t first, size_t n, imgsearch_error *err)
{
	l->first = first;
	ims_parallel(l->r->pool, n, make_crop, l);
	if (l->failed)
		return ims_nomem(err);
	return ims_model_run(l->m, l->in, n, l->out, err);
}

static int open_teacher_run(teacher_run *l, run *r, const teacher *t, imgsearch_error *err)
{
	*l = (teacher_run){ .r = r,
		.t = t,
		.recipe = { .side = t->id.recipe.crop, .bicubic = t->id.recipe.bicubic } };
	memcpy(l->recipe.mean, t->id.recipe.mean, sizeof l->recipe.mean);
	memcpy(l->recipe.std, t->id.recipe.std, sizeof l->recipe.std);
	l->in = ims_alloc_aligned(BATCH, sizeof(float) * 3 * t->id.recipe.crop * t->id.recipe.crop);
	l->out = ims_alloc(BATCH, sizeof(float) * t->id.dim);
	if (!l->in || !l->out)
		return ims_nomem(err);
	return ims_model_load(&l->m, &t->id, &t->spec, err);
}

static int append_rows(run *r, const teachers *s, teacher_run *l, feature_file *f, size_t total,
	imgsearch_error *err)
{
	float *rows = ims_alloc(BATCH, sizeof *rows * s->dim);
	int rc = rows ? 0 : ims_nomem(err);
	while (!rc && f->rows < total) {
		size_t n = total - f->rows < BATCH ? total - f->rows : BATCH, at = 0;
		for (size_t i = 0; !rc && i < s->n; at += ims_teacher_width(&s->t[i++]))
			if (!(rc = run_teacher(&l[i], f->rows, n, err)))
				ims_parallel(r->pool, n, write_row, &(part){ &l[i], rows + at, s->dim });
		if (!rc)
			rc = ims_feature_file_append(f, rows, n, err);
		if (!rc)
			rc = ims_job_step(r->job, "teach", f->rows, total, err);
	}
	ims_free(rows);
	return rc;
}

static int run_teachers(run *r, const teachers *s, feature_file *f, size_t total,
	imgsearch_error *err)
{
	teacher_run l[MAX_TEACHERS] = { { 0 } };
	int rc = 0;
	if (f->rows >= total)
		return 0;
	for (size_t i = 0; !rc && i < s->n; i++)
		rc = open_teacher_run(&l[i], r, &s->t[i], err);
	if (!rc)
		rc = append_rows(r, s, l, f, total, err);
	for (size_t i = 0; i < s->n; i++) {
		ims_model_free(l[i].m);
		ims_free(l[i].in);
		ims_free(l[i].out);
	}
	return rc;
}

/* ------------------------------------------------------------------ targets and projection ---- */

static int student_features(run *r, float *out, size_t total, imgsearch_error *err)
{
	size_t width = r->shim->width(r->net), done = 0, batch = r->o->batch;
	loader_item *items = ims_zalloc(batch, sizeof *items);
	loader_spec spec = ims_run_loader(r);
	loader *f = NULL;
	int rc = items ? ims_loader_new(&f, &spec, batch, r->pool, err) : ims_nomem(err);
	while (!rc && done < total) {
		size_t n = total - done < batch ? total - done : batch;
		for (size_t i = 0; i < n; i++)
			items[i] = (loader_item){
				.sample = (done + i) % r->set.n,
				.view = (uint32_t)((done + i) / r->set.n),
			};
		const float *in;
		const loader_item *shown;
		shim_message msg = { "" };
		ims_loader_start(f, items, n);
		rc = ims_loader_wait(f, &in, &shown, &n, err);
		if (!rc && (rc = r->shim->features(r->net, in, n, 0, out + done * width, &msg)))
			rc = ims_train_shim_error(err, rc, "features", &msg);
		done += n;
		if (!rc)
			rc = ims_job_step(r->job, "fit", done, total, err);
	}
	ims_loader_free(f);
	ims_free(items);
	return rc;
}

/*
 * Reorders rows from view by view to the order of the fit: training rows first, then held-out ones.
 */
static void gather(const run *r, float *rows, const float *from, size_t dim, size_t views)
{
	size_t n = r->set.n, train = r->set.n_train;
	for (size_t v = 0; v < views; v++) {
		memcpy(rows + v * train * dim, from + v * n * dim, train * dim * sizeof *rows);
		memcpy(rows + (views * train + v * (n - train)) * dim, from + (v * n + train) * dim,
			(n - train) * dim * sizeof *rows);
	}
}

/* The reverse of gather. */
static void scatter(const run *r, float *rows, const float *from, size_t dim, size_t views)
{
	size_t n = r->set.n, train = r->set.n_train;
	for (size_t v = 0; v < views; v++) {
		memcpy(rows + v * n * dim, from + v * train * dim, train * dim * sizeof *rows);
		memcpy(rows + (v * n + train) * dim, from + (views * train + v * (n - train)) * dim,
			(n - train) * dim * sizeof *rows);
	}
}

static int fit(run *r, const float *teacher, size_t teacher_dim, imgsearch_error *err)
{
	size_t total = r->set.n * r->o->views, width = r->shim->width(r->net), dim = r->o->dim,
		   fitted = r->set.n_train * r->o->views;
	float *student = ims_alloc(total, width * sizeof *student),
		  *s2 = ims_alloc(total, width * sizeof *s2);
	float *t2 = ims_alloc(total, teacher_dim * sizeof *t2),
		  *targets = ims_alloc(total, dim * sizeof *targets);
	float *weight = ims_alloc(dim, width * sizeof *weight), *bias = ims_alloc(dim, sizeof *bias);
	shim_message msg = { "" };
	r->distillation.targets = ims_alloc(total, dim * sizeof *r->distillation.targets);
	r->distillation.dim = dim;
	int rc = student && s2 && t2 && targets && weight && bias && r->distillation.targets
		? 0
		: ims_nomem(err);
	if (!rc)
		rc = student_features(r, student, total, err);
	if (!rc) {
		gather(r, s2, student, width, r->o->views);
		gather(r, t2, teacher, teacher_dim, r->o->views);
		rc = r->shim->fit(t2, teacher_dim, s2, width, total, fitted, dim, r->o->whiten, targets,
			weight, bias, &msg);
		if (!rc)
			rc = r->shim->project(r->net, weight, bias, &msg);
		if (rc)
			rc = ims_train_shim_error(err, rc, "the projection", &msg);
		else
			scatter(r, r->distillation.targets, targets, dim, r->o->views);
	}
	ims_free(student), ims_free(s2), ims_free(t2), ims_free(targets), ims_free(weight),
		ims_free(bias);
	return rc;
}

int ims_distill(run *r, imgsearch_error *err)
{
	teachers s;
	feature_file f = { .fd = -1 };
	hash256 who, rows;
	float *all = NULL;
	size_t total = r->set.n * r->o->views;
	int rc = ims_teachers_open(&s, r->o->teachers, r->start, err);
	if (!rc)
		rc = hash_teachers(r, &s, &who, &rows, err);
	if (!rc)
		rc = ims_feature_file_open(&f, ims_format("%s.teach", r->o->out), &rows, s.dim, err);
	if (!rc)
		rc = run_teachers(r, &s, &f, total, err);
	if (!rc && !(all = ims_alloc(total, s.dim * sizeof *all)))
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_feature_file_read(&f, all, total, err);
	if (!rc)
		rc = fit(r, all, s.dim, err);
	ims_free(all);
	ims_feature_file_close(&f);
	ims_teachers_close(&s);
	return rc;
}

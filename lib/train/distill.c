/*
 * Every teacher sees every view of every picture once. Rows are appended to a file as they are
 * computed, so a run that was stopped continues there, and a run with more views or other pictures
 * adds to it. A row has the parts of all teachers side by side: features, then class probabilities.
 * The targets of the student are the rows, centred and
 * projected onto their principal components. The first projection is the linear map of the
 * student's features before training that comes nearest to the targets.
 */
#include "model/model.h"
#include "train/crop.h"
#include "train/feature_file.h"
#include "train/run.h"
#include "train/teacher.h"

#include <string.h>

enum { BATCH = 16, MAX_FIT = 16384 /* rows of the student that its projection is fitted to */ };

/* who: hash of the teachers. rows: hash of all that the rows depend on but the pictures. */
static int hash_teachers(const run *r, const teachers *s, hash256 *who, hash256 *rows,
	imgsearch_error *err)
{
	buf text = { 0 };
	for (size_t i = 0; i < s->n; i++)
		ims_buf_text(&text, "%s %s %u %u\n", s->t[i].id.name, s->t[i].id.weights_hash,
			s->t[i].id.recipe.crop, s->t[i].id.precision);
	if (!text.failed)
		*who = ims_hash(text.data, text.len);
	ims_buf_text(&text, "%llu %.6f %u\n", (unsigned long long)r->o->seed, (double)r->o->min_crop,
		r->o->whole);
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

view_recipe ims_distill_view(const run *r, const image_recipe *recipe)
{
	return (view_recipe){
		.seed = r->o->seed,
		.min_area = r->o->min_crop,
		.centre = r->o->whole ? (float)recipe->crop / (float)recipe->resize : 0,
		.squash = recipe->squash,
	};
}

/* ---------------------------------------------------------------- features of the teachers ---- */

typedef struct teacher_run {
	run *r;
	const teacher *t;
	model *m;
	crop_recipe recipe;
	view_recipe view;
	const size_t *missing; /* of a batch */
	float *in, *out;
	atomic_int failed;
} teacher_run;

/* A damaged picture has the row of a grey picture, which is never used. */
static void make_crop(void *arg, size_t i, unsigned worker)
{
	teacher_run *l = arg;
	size_t view = l->missing[i] / l->r->set.n, which = l->missing[i] % l->r->set.n;
	float *out = l->in + i * l->recipe.side * l->recipe.side * 3;
	const image *im = ims_dataset_image(&l->r->set, which);
	(void)worker;
	memset(out, 0, sizeof *out * l->recipe.side * l->recipe.side * 3);
	if (im) {
		double box[4];
		ims_crop_view(box, im, &l->view, l->r->set.item[which].key, (uint32_t)view);
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

static int run_teacher(teacher_run *l, const size_t *missing, size_t n, imgsearch_error *err)
{
	l->missing = missing;
	ims_parallel(l->r->pool, n, make_crop, l);
	if (l->failed)
		return ims_nomem(err);
	return ims_model_run(l->m, l->in, n, l->out, err);
}

static int open_teacher_run(teacher_run *l, run *r, const teacher *t, imgsearch_error *err)
{
	*l = (teacher_run){ .r = r,
		.t = t,
		.recipe = { .side = t->id.recipe.crop, .bicubic = t->id.recipe.bicubic },
		.view = ims_distill_view(r, &t->id.recipe) };
	memcpy(l->recipe.mean, t->id.recipe.mean, sizeof l->recipe.mean);
	memcpy(l->recipe.std, t->id.recipe.std, sizeof l->recipe.std);
	l->in = ims_alloc_aligned(BATCH, sizeof(float) * 3 * t->id.recipe.crop * t->id.recipe.crop);
	l->out = ims_alloc(BATCH, sizeof(float) * t->id.dim);
	if (!l->in || !l->out)
		return ims_nomem(err);
	return ims_model_load(&l->m, &t->id, &t->spec, err);
}

static feature_id row_id(const run *r, size_t row)
{
	return (feature_id){ r->set.item[row % r->set.n].key, row / r->set.n };
}

static int append_rows(run *r, const teachers *s, teacher_run *l, feature_file *f,
	const size_t *missing, size_t total, imgsearch_error *err)
{
	float *rows = ims_alloc(BATCH, sizeof *rows * s->dim);
	int rc = rows ? 0 : ims_nomem(err);
	for (size_t done = 0; !rc && done < total;) {
		size_t n = total - done < BATCH ? total - done : BATCH, at = 0;
		feature_id id[BATCH];
		for (size_t i = 0; !rc && i < s->n; at += ims_teacher_width(&s->t[i++]))
			if (!(rc = run_teacher(&l[i], missing + done, n, err)))
				ims_parallel(r->pool, n, write_row, &(part){ &l[i], rows + at, s->dim });
		for (size_t i = 0; i < n; i++)
			id[i] = row_id(r, missing[done + i]);
		if (!rc)
			rc = ims_feature_file_append(f, id, rows, n, err);
		done += n;
		if (!rc)
			rc = ims_job_step(r->job, "teach", done, total, err);
	}
	ims_free(rows);
	return rc;
}

static int run_teachers(run *r, const teachers *s, feature_file *f, size_t total,
	imgsearch_error *err)
{
	teacher_run l[MAX_TEACHERS] = { { 0 } };
	size_t n = 0, *missing = ims_alloc(total, sizeof *missing);
	int rc = missing ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < total; i++)
		if (ims_feature_file_find(f, row_id(r, i)) == SIZE_MAX)
			missing[n++] = i;
	for (size_t i = 0; !rc && n && i < s->n; i++)
		rc = open_teacher_run(&l[i], r, &s->t[i], err);
	if (!rc)
		rc = append_rows(r, s, l, f, missing, n, err);
	ims_feature_file_sort(f);
	for (size_t i = 0; i < s->n; i++) {
		ims_model_free(l[i].m);
		ims_free(l[i].in);
		ims_free(l[i].out);
	}
	ims_free(missing);
	return rc;
}

/* ------------------------------------------------------------------ targets and projection ---- */

/*
 * The order of the fit: training rows first, view by view, then held-out ones. The place there of
 * row view * n + sample.
 */
static size_t fit_place(const run *r, size_t row)
{
	size_t n = r->set.n, train = r->set.n_train, view = row / n, which = row % n;
	return which < train ? view * train + which
						 : r->o->views * train + view * (n - train) + which - train;
}

/* The values of a row that count as target: features, and weighted probabilities unless without. */
static size_t target_width(const run *r, const teachers *s)
{
	size_t width = 0;
	for (size_t i = 0; i < s->n; i++)
		width += r->o->probabilities > 0 ? ims_teacher_width(&s->t[i]) : s->t[i].id.dim;
	return width;
}

static void weigh_row(const run *r, const teachers *s, const float *row, float *out)
{
	for (size_t i = 0; i < s->n; i++) {
		size_t dim = s->t[i].id.dim, width = ims_teacher_width(&s->t[i]);
		memcpy(out, row, dim * sizeof *out);
		out += dim;
		for (size_t k = dim; r->o->probabilities > 0 && k < width; k++)
			*out++ = row[k] * r->o->probabilities;
		row += width;
	}
}

/* The rows of the teachers, in the order of the fit, `width` values apart. */
static int read_rows(const run *r, const teachers *s, const feature_file *f, size_t total,
	float *out, size_t width, imgsearch_error *err)
{
	float *row = ims_alloc(s->dim, sizeof *row);
	int rc = row ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < total; i++) {
		rc = ims_feature_file_read(f, ims_feature_file_find(f, row_id(r, i)), row, err);
		if (!rc)
			weigh_row(r, s, row, out + fit_place(r, i) * width);
	}
	ims_free(row);
	return rc;
}

/* What a row in the order of the fit shows. */
static loader_item fit_item(const run *r, size_t i)
{
	size_t train = r->set.n_train, held = r->set.n - train, learned = train * r->o->views;
	if (i < learned)
		return (loader_item){ .sample = i % train, .view = (uint32_t)(i / train) };
	i -= learned;
	return (loader_item){ .sample = train + i % held, .view = (uint32_t)(i / held) };
}

/* The features of the first n rows in the order of the fit. */
static int student_features(run *r, float *out, size_t n_rows, imgsearch_error *err)
{
	size_t width = r->shim->width(r->net), done = 0, batch = r->o->batch;
	loader_item *items = ims_zalloc(batch, sizeof *items);
	loader_spec spec = ims_run_loader(r);
	loader *f = NULL;
	int rc = items ? ims_loader_new(&f, &spec, batch, r->pool, err) : ims_nomem(err);
	while (!rc && done < n_rows) {
		size_t n = n_rows - done < batch ? n_rows - done : batch;
		for (size_t i = 0; i < n; i++)
			items[i] = fit_item(r, done + i);
		const float *in;
		const loader_item *shown;
		shim_message msg = { "" };
		ims_loader_start(f, items, n);
		rc = ims_loader_wait(f, &in, &shown, &n, err);
		if (!rc && (rc = r->shim->features(r->net, in, n, 0, out + done * width, &msg)))
			rc = ims_train_shim_error(err, rc, "features", &msg);
		done += n;
		if (!rc)
			rc = ims_job_step(r->job, "fit", done, n_rows, err);
	}
	ims_loader_free(f);
	ims_free(items);
	return rc;
}

/* The student's own features as the last values of the targets: what it should not lose. */
static void add_own(const run *r, const float *student, size_t width, float *teacher,
	size_t teacher_dim, size_t total)
{
	for (size_t i = 0; i < total; i++) {
		float *own = teacher + (i + 1) * teacher_dim - width;
		ims_floats_normalise(own, student + i * width, width);
		for (size_t k = 0; k < width; k++)
			own[k] *= r->o->own;
	}
}

/*
 * Sets targets and projection. teacher: all rows in the order of the fit, with room for the
 * student's own where those count.
 */
static int fit(run *r, float *teacher, size_t teacher_dim, imgsearch_error *err)
{
	size_t total = r->set.n * r->o->views, width = r->shim->width(r->net), dim = r->o->dim,
		   learned = r->set.n_train * r->o->views, fitted = learned < MAX_FIT ? learned : MAX_FIT,
		   seen = r->o->own > 0 ? total : fitted;
	float *student = ims_alloc(seen, width * sizeof *student),
		  *targets = ims_alloc(total, dim * sizeof *targets);
	float *weight = ims_alloc(dim, width * sizeof *weight), *bias = ims_alloc(dim, sizeof *bias);
	shim_message msg = { "" };
	r->distillation.targets = ims_alloc(total, dim * sizeof *r->distillation.targets);
	r->distillation.dim = dim;
	int rc = student && targets && weight && bias && r->distillation.targets ? 0 : ims_nomem(err);
	if (!rc)
		rc = student_features(r, student, seen, err);
	if (!rc && r->o->own > 0)
		add_own(r, student, width, teacher, teacher_dim, total);
	if (!rc) {
		rc = r->shim->fit(teacher, teacher_dim, student, width, total, learned, fitted, dim,
			r->o->whiten, targets, weight, bias, &msg);
		if (!rc)
			rc = r->shim->project(r->net, weight, bias, &msg);
		if (rc)
			rc = ims_train_shim_error(err, rc, "the projection", &msg);
	}
	for (size_t i = 0; !rc && i < total; i++)
		memcpy(r->distillation.targets + i * dim, targets + fit_place(r, i) * dim,
			dim * sizeof *targets);
	ims_free(student), ims_free(targets), ims_free(weight), ims_free(bias);
	return rc;
}

static char *teach_path(const run *r)
{
	return r->o->teach ? ims_strdup(r->o->teach) : ims_format("%s.teach", r->o->out);
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
		rc = ims_feature_file_open(&f, teach_path(r), &rows, s.dim, err);
	if (!rc)
		rc = run_teachers(r, &s, &f, total, err);
	size_t width = rc ? 0 : target_width(r, &s) + (r->o->own > 0 ? r->shim->width(r->net) : 0);
	if (!rc && !(all = ims_alloc(total, width * sizeof *all)))
		rc = ims_nomem(err);
	if (!rc)
		rc = read_rows(r, &s, &f, total, all, width, err);
	ims_feature_file_close(&f);
	if (!rc)
		rc = fit(r, all, width, err);
	ims_free(all);
	ims_teachers_close(&s);
	return rc;
}

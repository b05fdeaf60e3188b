/*
 * Teachers look at every view of every picture once; what they see is appended to a file as it comes, so that a run
 * that was stopped goes on there, and one with more views adds to it. A row is what the teachers say side by side: of each
 * its feature, L2-normalised, and where it is a classifier its classes' probabilities (classifier.c). From the rows follow
 * the targets (centred, on their principal components) and the projection that comes nearest to them from the student's
 * features as they are.
 */
#include "train/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_TEACHERS = 8, HEADER = 64, TEACH_BATCH = 16 };

typedef struct teacher {
	model_identity id;
	model_spec spec;
	classifier classes;
	char *text; /* NAME and FILE */
} teacher;

/* The numbers of a row that are this teacher's. */
static size_t width_of(const teacher *t)
{
	return t->id.dim + t->classes.n;
}

typedef struct school {
	teacher t[MAX_TEACHERS];
	size_t n, dim;
} school;

static void close_school(school *s)
{
	for (size_t i = 0; i < s->n; i++) {
		ims_model_identity_free(&s->t[i].id);
		ims_classifier_close(&s->t[i].classes);
		ims_free(s->t[i].text);
	}
	s->n = 0;
}

/* "NAME=FILE" or "FILE". */
static int enrol(school *s, const run *r, const char *text, size_t n, imgsearch_error *err)
{
	if (s->n == MAX_TEACHERS)
		return ims_fail(err, IMGSEARCH_EINVAL, "more than %d teachers", MAX_TEACHERS);
	teacher *t = &s->t[s->n];
	*t = (teacher){ .text = ims_strndup(text, n) };
	if (!t->text)
		return ims_nomem(err);
	s->n++;
	char *equals = strchr(t->text, '=');
	if (equals)
		*equals = '\0';
	t->spec = (model_spec){ .name = equals ? t->text : NULL, .weights = equals ? equals + 1 : t->text,
		.device = r->start->device, .precision = r->start->precision, .threads = r->start->threads };
	int rc = ims_model_identify(&t->id, &t->spec, err);
	if (!rc)
		rc = ims_classifier_open(&t->classes, t->id.weights, t->id.dim, err);
	s->dim += rc ? 0 : width_of(t);
	return rc;
}

static int open_school(school *s, const run *r, imgsearch_error *err)
{
	int rc = 0;
	*s = (school){ 0 };
	for (const char *at = r->o->teachers; !rc && *at;) {
		size_t n = strcspn(at, ",");
		if (n)
			rc = enrol(s, r, at, n, err);
		at += n + (at[n] == ',');
	}
	if (!rc && !s->n)
		rc = ims_fail(err, IMGSEARCH_EINVAL, "no teacher is named");
	if (rc)
		close_school(s);
	return rc;
}

/* What the rows of the file depend on: the teachers, the pictures in their order, where the crops lie. */
static int school_hash(const run *r, const school *s, hash256 *teachers, hash256 *rows, imgsearch_error *err)
{
	buf text = { 0 };
	char hex[65];
	for (size_t i = 0; i < s->n; i++)
		ims_buf_text(&text, "%s %s %u %u\n", s->t[i].id.name, s->t[i].id.weights_hash, s->t[i].id.recipe.crop, s->t[i].id.precision);
	if (!text.failed)
		*teachers = ims_hash(text.data, text.len);
	ims_hash_hex(&r->set.hash, hex);
	ims_buf_text(&text, "%s %zu %llu %.6f\n", hex, r->set.n_train, (unsigned long long)r->o->seed, (double)r->o->min_crop);
	if (!text.failed)
		*rows = ims_hash(text.data, text.len);
	int rc = text.failed ? ims_nomem(err) : 0;
	ims_buf_free(&text);
	return rc;
}

int ims_distill_identify(run *r, imgsearch_error *err)
{
	school s;
	hash256 rows;
	int rc = open_school(&s, r, err);
	if (rc)
		return rc;
	rc = school_hash(r, &s, &r->teach.hash, &rows, err);
	for (size_t i = 0; !rc && i < s.n; i++) {
		char *names = ims_format("%s%s%s", i ? r->teach.names : "", i ? ", " : "", s.t[i].id.name);
		ims_free(r->teach.names);
		r->teach.names = names;
		rc = names ? 0 : ims_nomem(err);
		if (s.t[i].id.recipe.crop > r->set.side)
			r->set.side = s.t[i].id.recipe.crop;
	}
	close_school(&s);
	return rc;
}

void ims_distill_free(teaching *t)
{
	ims_free(t->targets);
	ims_free(t->names);
	*t = (teaching){ 0 };
}

/* ---- the file of features ---- */

typedef struct notes {
	int fd;
	size_t dim, rows;   /* rows: that are there */
	char *path;
} notes;

static int write_all(int fd, const void *data, size_t n)
{
	for (const char *p = data; n;) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		p += w, n -= (size_t)w;
	}
	return 0;
}

static int read_all(int fd, void *data, size_t n)
{
	for (char *p = data; n;) {
		ssize_t w = read(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		p += w, n -= (size_t)w;
	}
	return 0;
}

/* An existing file of other rows is begun anew: it is only a store of what can be had again. */
static int open_notes(notes *f, const run *r, const hash256 *key, size_t dim, imgsearch_error *err)
{
	uint8_t want[HEADER] = "imgsearch teach 2", have[HEADER];
	struct stat st;
	memcpy(want + 32, key->byte, 32);
	*f = (notes){ .fd = -1, .dim = dim, .path = ims_format("%s.teach", r->o->out) };
	if (!f->path)
		return ims_nomem(err);
	f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (f->fd < 0 || fstat(f->fd, &st))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	size_t row = dim * sizeof(float);
	if (st.st_size >= HEADER && !read_all(f->fd, have, HEADER) && !memcmp(have, want, HEADER))
		f->rows = ((size_t)st.st_size - HEADER) / row;
	else if (ftruncate(f->fd, 0) || lseek(f->fd, 0, SEEK_SET) || write_all(f->fd, want, HEADER))
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	if (lseek(f->fd, (off_t)(HEADER + f->rows * row), SEEK_SET) < 0)
		return ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
	return 0;
}

static void close_notes(notes *f)
{
	if (f->fd >= 0)
		close(f->fd);
	ims_free(f->path);
}

/* ---- looking ---- */

typedef struct look {
	run *r;
	const teacher *t;
	model *m;
	crop_recipe recipe;
	size_t first;        /* row */
	float *in, *out;
	atomic_int failed;
} look;

/* A broken picture's row is that of a grey one: it is never asked for. */
static void look_one(void *arg, size_t i, unsigned worker)
{
	look *l = arg;
	size_t row = l->first + i, view = row / l->r->set.n, which = row % l->r->set.n;
	float *out = l->in + i * l->recipe.side * l->recipe.side * 3;
	const image *im = ims_dataset_image(&l->r->set, which);
	(void)worker;
	memset(out, 0, sizeof *out * l->recipe.side * l->recipe.side * 3);
	if (im) {
		double box[4];
		uint64_t where = ims_train_random(l->r->o->seed, which + 2, view);
		ims_crop_box(box, im, l->r->o->min_crop, &where);
		if (ims_crop_make(out, im, box, &l->recipe, 0, NULL, NULL))
			l->failed = 1;
	}
}

/* row: where the batch's first row has this teacher's part; they lie width apart. */
typedef struct part {
	const look *l;
	float *row;
	size_t width;
} part;

static void put_row(void *arg, size_t i, unsigned worker)
{
	const part *p = arg;
	size_t d = p->l->t->id.dim;
	const float *feature = p->l->out + i * d;
	float *row = p->row + i * p->width;
	double sum = 0;
	(void)worker;
	for (size_t k = 0; k < d; k++)
		sum += (double)feature[k] * (double)feature[k];
	float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
	for (size_t k = 0; k < d; k++)
		row[k] = feature[k] * scale;
	ims_classifier_run(&p->l->t->classes, feature, row + d);
}

static int look_at(look *l, size_t first, size_t n, imgsearch_error *err)
{
	l->first = first;
	ims_parallel(l->r->pool, n, look_one, l);
	if (l->failed)
		return ims_nomem(err);
	return ims_model_run(l->m, l->in, n, l->out, err);
}

static int attend(look *l, run *r, const teacher *t, imgsearch_error *err)
{
	*l = (look){ .r = r, .t = t, .recipe = { .side = t->id.recipe.crop, .bicubic = t->id.recipe.bicubic } };
	memcpy(l->recipe.mean, t->id.recipe.mean, sizeof l->recipe.mean);
	memcpy(l->recipe.std, t->id.recipe.std, sizeof l->recipe.std);
	l->in = ims_alloc_aligned(TEACH_BATCH, sizeof(float) * 3 * t->id.recipe.crop * t->id.recipe.crop);
	l->out = ims_alloc(TEACH_BATCH, sizeof(float) * t->id.dim);
	if (!l->in || !l->out)
		return ims_nomem(err);
	return ims_model_load(&l->m, &t->id, &t->spec, err);
}

static int teach_rows(run *r, const school *s, look *l, notes *f, size_t total, imgsearch_error *err)
{
	float *rows = ims_alloc(TEACH_BATCH, sizeof *rows * s->dim);
	int rc = rows ? 0 : ims_nomem(err);
	while (!rc && f->rows < total) {
		size_t n = total - f->rows < TEACH_BATCH ? total - f->rows : TEACH_BATCH, at = 0;
		for (size_t i = 0; !rc && i < s->n; at += width_of(&s->t[i++]))
			if (!(rc = look_at(&l[i], f->rows, n, err)))
				ims_parallel(r->pool, n, put_row, &(part){ &l[i], rows + at, s->dim });
		if (!rc && write_all(f->fd, rows, n * s->dim * sizeof *rows))
			rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", f->path);
		if (!rc) {
			f->rows += n;
			rc = ims_job_step(r->job, "teach", f->rows, total, err);
		}
	}
	ims_free(rows);
	return rc;
}

static int teach_all(run *r, const school *s, notes *f, size_t total, imgsearch_error *err)
{
	look l[MAX_TEACHERS] = { { 0 } };
	int rc = 0;
	if (f->rows >= total)
		return 0;
	for (size_t i = 0; !rc && i < s->n; i++)
		rc = attend(&l[i], r, &s->t[i], err);
	if (!rc)
		rc = teach_rows(r, s, l, f, total, err);
	for (size_t i = 0; i < s->n; i++) {
		ims_model_free(l[i].m);
		ims_free(l[i].in);
		ims_free(l[i].out);
	}
	return rc;
}

/* ---- what follows from the rows ---- */

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
			items[i] = (loader_item){ .sample = (done + i) % r->set.n, .view = (uint32_t)((done + i) / r->set.n) };
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

/* Rows to learn from come first within each view; those held out are left to the end for the fit. */
static void gather(const run *r, float *rows, const float *from, size_t dim, size_t views)
{
	size_t n = r->set.n, train = r->set.n_train;
	for (size_t v = 0; v < views; v++) {
		memcpy(rows + v * train * dim, from + v * n * dim, train * dim * sizeof *rows);
		memcpy(rows + (views * train + v * (n - train)) * dim, from + (v * n + train) * dim, (n - train) * dim * sizeof *rows);
	}
}

static void scatter(const run *r, float *rows, const float *from, size_t dim, size_t views)
{
	size_t n = r->set.n, train = r->set.n_train;
	for (size_t v = 0; v < views; v++) {
		memcpy(rows + v * n * dim, from + v * train * dim, train * dim * sizeof *rows);
		memcpy(rows + (v * n + train) * dim, from + (views * train + v * (n - train)) * dim, (n - train) * dim * sizeof *rows);
	}
}

static int fit(run *r, const float *teacher, size_t teacher_dim, imgsearch_error *err)
{
	size_t total = r->set.n * r->o->views, width = r->shim->width(r->net), dim = r->o->dim, fitted = r->set.n_train * r->o->views;
	float *student = ims_alloc(total, width * sizeof *student), *s2 = ims_alloc(total, width * sizeof *s2);
	float *t2 = ims_alloc(total, teacher_dim * sizeof *t2), *targets = ims_alloc(total, dim * sizeof *targets);
	float *weight = ims_alloc(dim, width * sizeof *weight), *bias = ims_alloc(dim, sizeof *bias);
	shim_message msg = { "" };
	r->teach.targets = ims_alloc(total, dim * sizeof *r->teach.targets);
	r->teach.dim = dim;
	int rc = student && s2 && t2 && targets && weight && bias && r->teach.targets ? 0 : ims_nomem(err);
	if (!rc)
		rc = student_features(r, student, total, err);
	if (!rc) {
		gather(r, s2, student, width, r->o->views);
		gather(r, t2, teacher, teacher_dim, r->o->views);
		rc = r->shim->fit(t2, teacher_dim, s2, width, total, fitted, dim, r->o->whiten, targets, weight, bias, &msg);
		if (!rc)
			rc = r->shim->project(r->net, weight, bias, &msg);
		if (rc)
			rc = ims_train_shim_error(err, rc, "the projection", &msg);
		else
			scatter(r, r->teach.targets, targets, dim, r->o->views);
	}
	ims_free(student), ims_free(s2), ims_free(t2), ims_free(targets), ims_free(weight), ims_free(bias);
	return rc;
}

int ims_distill(run *r, imgsearch_error *err)
{
	school s;
	notes f = { .fd = -1 };
	hash256 teachers, rows;
	float *all = NULL;
	size_t total = r->set.n * r->o->views;
	int rc = open_school(&s, r, err);
	if (!rc)
		rc = school_hash(r, &s, &teachers, &rows, err);
	if (!rc)
		rc = open_notes(&f, r, &rows, s.dim, err);
	if (!rc)
		rc = teach_all(r, &s, &f, total, err);
	if (!rc && !(all = ims_alloc(total, s.dim * sizeof *all)))
		rc = ims_nomem(err);
	if (!rc && (lseek(f.fd, HEADER, SEEK_SET) < 0 || read_all(f.fd, all, total * s.dim * sizeof *all)))
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", f.path);
	if (!rc)
		rc = fit(r, all, s.dim, err);
	ims_free(all);
	close_notes(&f);
	close_school(&s);
	return rc;
}

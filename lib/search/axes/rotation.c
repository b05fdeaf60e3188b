/*
 * Principal axes: the leading eigenvectors of the covariance of a sample.
 *
 *	draw_sample    20 000 rows or fewer, by selection sampling (Knuth, TAOCP 2, algorithm S)
 *	centre         takes the mean out
 *	covariance     of rows of at most 4096 dimensions; longer ones need none
 *	find_axes      block subspace iteration (Halko, Martinsson and Tropp 2011), then a
 *	               Rayleigh-Ritz step by eigen.h; that step alone where most axes are wanted
 *
 * Sums are the same in the same order for every number of threads.
 */
#include "search/axes/rotation.h"

#include "kernels/kernels.h"
#include "search/axes/eigen.h"

#include <math.h>
#include <string.h>

enum {
	SAMPLE = 20000,
	SAMPLE_BYTES = 1 << 28, /* the sample takes no more, however long the rows */
	COVARIANCE_DIM = 4096,  /* the longest rows whose covariance is computed */
	DENSE_DIM = 384,        /* the longest rows that go to the dense solver at once */
	OVERSAMPLE = 16,        /* directions iterated beside the wanted ones */
	ITERATIONS = 6,
	PANEL = 512, /* rows of the sample in one step of the covariance */
	TILE = 16    /* rows or columns of a task */
};

typedef struct axes_fit {
	size_t dim, n;     /* n rows of the sample */
	float *rows;       /* the sample, centred */
	float *covariance; /* dim rows of dim; NULL for long rows */
	float *panel;      /* dim rows of PANEL: some rows of the sample, transposed */
	size_t panel_n;
	size_t block;   /* rows of basis and product */
	float *basis;   /* orthonormal */
	float *product; /* basis * covariance */
	job *job;
} axes_fit;

static void parallel(const axes_fit *f, size_t n, void (*body)(void *, size_t, unsigned), void *arg)
{
	ims_parallel(f->job ? f->job->pool : NULL, n, body, arg);
}

static void add_row(float *to, const float *from, float factor, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += factor * from[i];
}

/* ---------------------------------------------------------------------------------- sample ---- */

typedef struct row_sampler {
	axes_fit *f;
	size_t seen, all, room; /* rows seen, in the source, and for the sample */
	uint64_t random;
	imgsearch_error *err;
} row_sampler;

/* Algorithm S: takes each row with the probability that fills the room at the last row. */
static int sample_block(void *user, const int64_t *ids, const float *rows, size_t n)
{
	row_sampler *s = user;
	(void)ids;
	for (size_t i = 0; i < n; i++, s->seen++) {
		size_t left = s->all > s->seen ? s->all - s->seen : 1, want = s->room - s->f->n;
		if (!want)
			return 0;
		if ((double)left * ims_random_unit(&s->random) < (double)want)
			memcpy(s->f->rows + s->f->n++ * s->f->dim, rows + i * s->f->dim,
				s->f->dim * sizeof(float));
	}
	return ims_job_check(s->f->job, s->err);
}

static int draw_sample(axes_fit *f, const row_source *rows, uint64_t seed, imgsearch_error *err)
{
	size_t room = SAMPLE_BYTES / sizeof(float) / f->dim;
	room = room > SAMPLE ? SAMPLE : room;
	room = room > rows->n ? rows->n : room;
	row_sampler s = { .f = f, .all = rows->n, .room = room, .random = seed, .err = err };
	f->rows = ims_alloc_aligned(room ? room : 1, f->dim * sizeof(float));
	return f->rows ? rows->scan(rows->ctx, sample_block, &s, err) : ims_nomem(err);
}

static int centre(axes_fit *f, rotation *r, imgsearch_error *err)
{
	double *sum = ims_zalloc(f->dim, sizeof *sum), total = 0;
	if (!sum)
		return ims_nomem(err);
	for (size_t i = 0; i < f->n; i++)
		for (size_t j = 0; j < f->dim; j++)
			sum[j] += f->rows[i * f->dim + j];
	for (size_t j = 0; f->n && j < f->dim; j++)
		r->mean[j] = (float)(sum[j] / (double)f->n);
	for (size_t i = 0; i < f->n; i++) {
		float *row = f->rows + i * f->dim;
		add_row(row, r->mean, -1, f->dim);
		total += ims_kernels()->dot_f32(row, row, f->dim);
	}
	r->total = f->n ? total / (double)f->n : 0;
	r->sampled = f->n;
	ims_free(sum);
	return 0;
}

/* ------------------------------------------------------------------------------ covariance ---- */

static void covariance_tile(void *arg, size_t tile, unsigned worker)
{
	axes_fit *f = arg;
	(void)worker;
	for (size_t j0 = 0; j0 <= tile * TILE; j0 += TILE)
		for (size_t i = tile * TILE; i < f->dim && i < (tile + 1) * TILE; i++)
			for (size_t j = j0; j < j0 + TILE && j <= i; j++)
				f->covariance[i * f->dim + j] += ims_kernels()->dot_f32(f->panel + i * PANEL,
					f->panel + j * PANEL, f->panel_n);
}

static int covariance(axes_fit *f, imgsearch_error *err)
{
	f->covariance = ims_alloc_aligned(f->dim, f->dim * sizeof(float));
	f->panel = ims_alloc_aligned(f->dim, PANEL * sizeof(float));
	if (!f->covariance || !f->panel)
		return ims_nomem(err);
	memset(f->covariance, 0, f->dim * f->dim * sizeof(float));
	for (size_t at = 0; at < f->n; at += PANEL) {
		f->panel_n = f->n - at < PANEL ? f->n - at : PANEL;
		for (size_t s = 0; s < f->panel_n; s++)
			for (size_t i = 0; i < f->dim; i++)
				f->panel[i * PANEL + s] = f->rows[(at + s) * f->dim + i];
		parallel(f, (f->dim + TILE - 1) / TILE, covariance_tile, f);
		int rc = ims_job_check(f->job, err);
		if (rc)
			return rc;
	}
	float scale = f->n ? 1 / (float)f->n : 0;
	for (size_t i = 0; i < f->dim; i++)
		for (size_t j = 0; j <= i; j++)
			f->covariance[j * f->dim + i] = f->covariance[i * f->dim + j] *= scale;
	return 0;
}

/* TILE rows of product = basis * covariance. */
static void multiply_tile(void *arg, size_t tile, unsigned worker)
{
	axes_fit *f = arg;
	size_t end = (tile + 1) * TILE < f->block ? (tile + 1) * TILE : f->block, dim = f->dim;
	(void)worker;
	if (f->covariance) {
		for (size_t j = 0; j < dim; j++)
			for (size_t i = tile * TILE; i < end; i++)
				f->product[i * dim + j] = ims_kernels()->dot_f32(f->basis + i * dim,
					f->covariance + j * dim, dim);
		return;
	}
	memset(f->product + tile * TILE * dim, 0, (end - tile * TILE) * dim * sizeof(float));
	for (size_t s = 0; s < f->n; s++)
		for (size_t i = tile * TILE; i < end; i++) {
			const float *row = f->rows + s * dim;
			add_row(f->product + i * dim, row,
				ims_kernels()->dot_f32(f->basis + i * dim, row, dim) / (float)f->n, dim);
		}
}

static void multiply(axes_fit *f)
{
	parallel(f, (f->block + TILE - 1) / TILE, multiply_tile, f);
}

/* ------------------------------------------------------------------------------------ axes ---- */

typedef struct deflation {
	const axes_fit *f;
	float *rows;
	size_t first, done; /* rows first..done - 1 are projected out of the rows from done on */
} deflation;

/* Projects n orthonormal rows out of `row`. */
static void project_out(const axes_fit *f, const float *rows, size_t n, float *row)
{
	for (size_t j = 0; j < n; j++)
		add_row(row, rows + j * f->dim, -ims_kernels()->dot_f32(row, rows + j * f->dim, f->dim),
			f->dim);
}

static void deflate_row(void *arg, size_t i, unsigned worker)
{
	const deflation *p = arg;
	size_t dim = p->f->dim;
	(void)worker;
	project_out(p->f, p->rows + p->first * dim, p->done - p->first, p->rows + (p->done + i) * dim);
}

/*
 * Scales row i to length 1. Where projecting out has left little of its length `before`, a random
 * direction at right angles to the rows before it takes its place.
 */
static void make_unit(const axes_fit *f, float *rows, size_t i, float before, uint64_t *random)
{
	float *row = rows + i * f->dim, length;
	while (!((length = sqrtf(ims_kernels()->dot_f32(row, row, f->dim))) > 1e-5f * before)
		|| !(before > 1e-30f)) {
		for (size_t j = 0; j < f->dim; j++)
			row[j] = (float)(ims_random_unit(random) - 0.5);
		before = 1;
		project_out(f, rows, i, row);
	}
	for (size_t j = 0; j < f->dim; j++)
		row[j] /= length;
}

/*
 * Modified Gram-Schmidt by tiles of rows. A second time makes up for the precision that one time
 * loses.
 */
static int orthonormalise(const axes_fit *f, float *rows, size_t n, int times, uint64_t *random,
	imgsearch_error *err)
{
	float *before = ims_alloc(n, sizeof *before);
	if (!before)
		return ims_nomem(err);
	for (; times > 0; times--) {
		for (size_t i = 0; i < n; i++)
			before[i] = sqrtf(ims_kernels()->dot_f32(rows + i * f->dim, rows + i * f->dim, f->dim));
		for (size_t first = 0; first < n; first += TILE) {
			deflation p = { f, rows, first, first + TILE < n ? first + TILE : n };
			for (size_t i = first; i < p.done; i++) {
				project_out(f, rows + first * f->dim, i - first, rows + i * f->dim);
				make_unit(f, rows, i, before[i], random);
			}
			parallel(f, n - p.done, deflate_row, &p);
		}
	}
	ims_free(before);
	return 0;
}

static bool all_finite(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(v[i]))
			return false;
	return true;
}

/*
 * The Rayleigh-Ritz step: the eigenvectors of small = basis * covariance * basis' give the best
 * axes within the span of the basis. They go to r by falling variance. A covariance that overflowed
 * gives zeros, which orthonormalise replaces.
 */
static int rayleigh_ritz(axes_fit *f, rotation *r, imgsearch_error *err)
{
	size_t b = f->block, dim = f->dim;
	double *small = ims_alloc(b * b, sizeof *small);
	double *vector = ims_alloc(b * b, sizeof *vector);
	double *value = ims_alloc(b, sizeof *value);
	int rc = small && vector && value ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < b; i++)
		for (size_t j = 0; j <= i; j++)
			small[i * b + j] = small[j * b + i] = ims_kernels()->dot_f32(f->product + i * dim,
				f->basis + j * dim, dim);
	if (!rc)
		memset(r->axes, 0, r->parts * dim * sizeof(float));
	bool solvable = !rc && all_finite(small, b * b);
	if (solvable)
		rc = ims_eigen_solve(small, b, value, vector, err);
	for (size_t k = 0; solvable && !rc && k < r->parts; k++) {
		const double *v = vector + (b - 1 - k) * b;
		r->variance[k] = value[b - 1 - k] > 0 ? (float)value[b - 1 - k] : 0;
		for (size_t i = 0; i < b; i++)
			add_row(r->axes + k * dim, f->basis + i * dim, (float)v[i], dim);
	}
	ims_free(small);
	ims_free(vector);
	ims_free(value);
	return rc;
}

/* The basis of all dimensions: the unit vectors. Its product is the covariance itself. */
static void unit_basis(axes_fit *f)
{
	memset(f->basis, 0, f->block * f->dim * sizeof(float));
	for (size_t i = 0; i < f->block; i++)
		f->basis[i * f->dim + i] = 1;
	memcpy(f->product, f->covariance, f->dim * f->dim * sizeof(float));
}

/* Block subspace iteration from random directions: multiply by the covariance, orthonormalise. */
static int iterate_basis(axes_fit *f, uint64_t *seed, imgsearch_error *err)
{
	for (size_t i = 0; i < f->block * f->dim; i++)
		f->basis[i] = (float)(ims_random_unit(seed) - 0.5);
	int rc = orthonormalise(f, f->basis, f->block, 1, seed, err);
	for (int i = 0; !rc && i < ITERATIONS; i++) {
		multiply(f);
		memcpy(f->basis, f->product, f->block * f->dim * sizeof(float));
		rc = orthonormalise(f, f->basis, f->block, i + 1 < ITERATIONS ? 1 : 2, seed, err);
		if (!rc)
			rc = ims_job_check(f->job, err);
	}
	multiply(f);
	return rc;
}

static int find_axes(axes_fit *f, rotation *r, uint64_t seed, imgsearch_error *err)
{
	size_t wanted = r->parts + OVERSAMPLE;
	bool dense = f->covariance && (f->dim <= DENSE_DIM || wanted > f->dim / 4 * 3);
	int rc = 0;
	f->block = dense || wanted > f->dim ? f->dim : wanted;
	f->basis = ims_alloc_aligned(f->block, f->dim * sizeof(float));
	f->product = ims_alloc_aligned(f->block, f->dim * sizeof(float));
	if (!f->basis || !f->product)
		return ims_nomem(err);
	if (dense)
		unit_basis(f);
	else
		rc = iterate_basis(f, &seed, err);
	if (!rc)
		rc = rayleigh_ritz(f, r, err);
	return rc ? rc : orthonormalise(f, r->axes, r->parts, 2, &seed, err);
}

/*
 * Turns each axis so that its largest value is positive: of an axis and its opposite, one is
 * chosen.
 */
static void orient(rotation *r)
{
	for (uint32_t k = 0; k < r->parts; k++) {
		float *axis = r->axes + (size_t)k * r->dim, largest = 0;
		for (uint32_t i = 0; i < r->dim; i++)
			if (fabsf(axis[i]) > fabsf(largest))
				largest = axis[i];
		for (uint32_t i = 0; largest < 0 && i < r->dim; i++)
			axis[i] = -axis[i];
	}
}

int ims_rotation_fit(rotation *out, const row_source *rows, uint32_t parts, uint64_t seed, job *job,
	imgsearch_error *err)
{
	axes_fit f = { .dim = rows->dim, .job = job };
	*out = (rotation){ .dim = rows->dim, .parts = parts > rows->dim ? rows->dim : parts };
	out->mean = ims_zalloc(out->dim, sizeof(float));
	out->axes = ims_alloc_aligned(out->parts, out->dim * sizeof(float));
	out->variance = ims_zalloc(out->parts, sizeof(float));
	int rc = out->mean && out->axes && out->variance ? draw_sample(&f, rows, seed, err)
													 : ims_nomem(err);
	if (!rc)
		rc = centre(&f, out, err);
	if (!rc)
		rc = ims_job_check(job, err);
	if (!rc && f.dim <= COVARIANCE_DIM)
		rc = covariance(&f, err);
	if (!rc)
		rc = find_axes(&f, out, seed, err);
	if (!rc)
		orient(out);
	if (rc)
		ims_rotation_free(out);
	ims_free(f.rows);
	ims_free(f.covariance);
	ims_free(f.panel);
	ims_free(f.basis);
	ims_free(f.product);
	return rc;
}

void ims_rotation_free(rotation *r)
{
	ims_free(r->mean);
	ims_free(r->axes);
	ims_free(r->variance);
	*r = (rotation){ 0 };
}

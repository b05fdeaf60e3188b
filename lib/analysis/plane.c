/*
 * Orthogonal iteration (Golub and Van Loan, "Matrix Computations", section 8.2.4) with four vectors
 * on the covariance matrix of a sample of rows. The matrix is never formed. Two vectors alone
 * converge slowly where the second and third component are of like strength.
 */
#include "analysis/plane.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

#define SAMPLE 4096
#define VECTORS 4
#define ROUNDS 30

typedef struct projection {
	const float *rows, *mean, *basis;
	float *xy, shift[2];
	size_t n, dim;
} projection;

static void project_block(void *arg, size_t block, unsigned worker)
{
	projection *p = arg;
	(void)worker;
	size_t end = (block + 1) * 256 < p->n ? (block + 1) * 256 : p->n;
	for (size_t i = block * 256; i < end; i++)
		for (size_t v = 0; v < 2; v++)
			p->xy[2 * i + v] = ims_kernels()->dot_f32(p->rows + i * p->dim, p->basis + v * p->dim,
								   p->dim)
				- p->shift[v];
}

/* Gram-Schmidt. A vector that vanishes becomes zero. */
static void orthonormalise(float *basis, size_t dim)
{
	for (size_t v = 0; v < VECTORS; v++) {
		float *b = basis + v * dim;
		for (size_t w = 0; w < v; w++) {
			float along = ims_kernels()->dot_f32(b, basis + w * dim, dim);
			for (size_t d = 0; d < dim; d++)
				b[d] -= along * basis[w * dim + d];
		}
		float length = sqrtf(ims_kernels()->dot_f32(b, b, dim));
		for (size_t d = 0; d < dim; d++)
			b[d] = length > 1e-12f ? b[d] / length : 0;
	}
}

/* Very large and very small vectors, by one power of two, so that their squares are normal. */
static void scale_extreme(float *basis, size_t n)
{
	float largest = 0;
	int exponent;
	for (size_t i = 0; i < n; i++)
		largest = fmaxf(largest, fabsf(basis[i]));
	if (!(largest > 0) || (largest > 1e-6f && largest < 1e15f))
		return;
	frexpf(largest, &exponent);
	for (size_t i = 0; i < n; i++)
		basis[i] = ldexpf(basis[i], -exponent);
}

/* basis = covariance of the sample * basis, up to a factor */
static void multiply(float *basis, float *next, const float *rows, size_t n, size_t stride,
	size_t dim, const float *mean)
{
	float offset[VECTORS];
	for (size_t v = 0; v < VECTORS; v++)
		offset[v] = ims_kernels()->dot_f32(mean, basis + v * dim, dim);
	memset(next, 0, VECTORS * dim * sizeof *next);
	for (size_t i = 0; i < n; i++) {
		const float *r = rows + i * stride * dim;
		for (size_t v = 0; v < VECTORS; v++) {
			float along = ims_kernels()->dot_f32(r, basis + v * dim, dim) - offset[v];
			for (size_t d = 0; d < dim; d++)
				next[v * dim + d] += along * (r[d] - mean[d]);
		}
	}
	memcpy(basis, next, VECTORS * dim * sizeof *basis);
	scale_extreme(basis, VECTORS * dim);
}

int ims_analysis_plane(float *xy, const float *rows, size_t n, size_t dim, pool *pool,
	imgsearch_error *err)
{
	if (!n)
		return 0;
	float *mean = ims_zalloc(dim, sizeof *mean), *basis = ims_alloc(VECTORS * dim, sizeof *basis);
	float *next = ims_alloc(VECTORS * dim, sizeof *next);
	int rc = mean && basis && next ? 0 : ims_nomem(err);
	if (rc)
		goto done;
	size_t stride = (n + SAMPLE - 1) / SAMPLE, sample = (n + stride - 1) / stride;
	for (size_t i = 0; i < sample; i++)
		for (size_t d = 0; d < dim; d++)
			mean[d] += rows[i * stride * dim + d] / (float)sample;
	uint64_t random = 1;
	for (size_t d = 0; d < VECTORS * dim; d++)
		basis[d] = (float)ims_random_unit(&random) - 0.5f;
	for (int round = 0; round < ROUNDS; round++) {
		orthonormalise(basis, dim);
		multiply(basis, next, rows, sample, stride, dim, mean);
	}
	orthonormalise(basis, dim);
	projection p = { .rows = rows, .mean = mean, .basis = basis, .xy = xy, .n = n, .dim = dim };
	for (size_t v = 0; v < 2; v++) {
		size_t top = 0;
		for (size_t d = 1; d < dim; d++)
			if (fabsf(basis[v * dim + d]) > fabsf(basis[v * dim + top]))
				top = d;
		for (size_t d = 0, turn = basis[v * dim + top] < 0; turn && d < dim; d++)
			basis[v * dim + d] = -basis[v * dim + d];
		p.shift[v] = ims_kernels()->dot_f32(mean, basis + v * dim, dim);
	}
	ims_parallel(pool, (n + 255) / 256, project_block, &p);
done:
	ims_free(mean);
	ims_free(basis);
	ims_free(next);
	return rc;
}

/*
 * The projection of centred rows onto principal axes, and how far computed components may be from
 * the components on truly orthonormal axes. Any thread.
 */
#ifndef IMS_SEARCH_BOUND_PROJECTION_H
#define IMS_SEARCH_BOUND_PROJECTION_H

#include "search/axes/rotation.h"

typedef struct projection {
	uint32_t dim, components;
	float *panels; /* the axes as kernels->panel_f32 takes them; NULL: no components */
	double skew;   /* a bound of the norm of (axes axes' - 1): 0 where they are orthonormal */
} projection;

/* The leading axes.parts axes. pool may be NULL. On failure ims_projection_free releases p. */
int ims_projection_init(projection *p, const rotation *axes, pool *pool, imgsearch_error *err);
void ims_projection_free(projection *p);

/* Bytes of the panels. */
size_t ims_projection_size(const projection *p);

/* Floats of a projected row: components, rounded up to whole panels. */
size_t ims_projection_stride(const projection *p);

/* Components of n centred rows (n, dim) into out (n, stride). */
void ims_projection_apply(const projection *p, const float *centred, size_t n, float *out,
	size_t stride);

/* A bound of the error of the leading m computed components of a row of this length. */
double ims_projection_error(uint32_t dim, double skew, uint32_t m, double length);

/*
 * The length of a row's residual, from the row's length and the squared length of its components,
 * whose error is at most `error`. Returns a bound of the error of *residual.
 */
double ims_projection_residual(double length, double head2, double error, double *residual);

#endif

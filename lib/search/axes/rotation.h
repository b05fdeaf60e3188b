/*
 * The principal axes of a collection, from a sample of its rows: what exact, kdtree, pca and graph rotate by.
 *
 * The covariance of the sample (in 2 * 10^4 rows or fewer) is kept where the dimension allows it; its leading
 * eigenvectors come from block subspace iteration (Halko, Martinsson and Tropp 2011) and a dense Rayleigh-Ritz step, or
 * from the dense solver alone where most are wanted. Axes are orthonormal to f32's precision however well they converged:
 * a rotation by them keeps lengths, and that is all that bounds may rely on.
 */
#ifndef IMS_SEARCH_ROTATION_H
#define IMS_SEARCH_ROTATION_H

#include "search/search.h"

typedef struct rotation {
	uint32_t dim, parts;
	size_t sampled;   /* rows */
	float *mean;      /* dim */
	float *axes;      /* parts rows of dim, by falling variance; the largest value of each is positive */
	float *variance;  /* parts */
	double total;     /* variance over all dimensions */
} rotation;

/* parts <= dim. Deterministic for a seed. Fewer rows than parts: the axes past them are some orthonormal ones, variance 0. */
int ims_rotation_fit(rotation *out, const row_source *rows, uint32_t parts, uint64_t seed, job *job, imgsearch_error *err);
void ims_rotation_free(rotation *r);

/* Eigenvalues (ascending) and eigenvectors (rows of v, n * n) of the symmetric a (n * n), which is destroyed. */
int ims_eigen(double *a, size_t n, double *value, double *v, imgsearch_error *err);

#endif

/*
 * The principal axes of rows (PCA), from a sample of them. All searchers but the scan
 * rotate by them.
 *
 * The axes are orthonormal to the precision of f32, however well they converged. A rotation by them
 * preserves lengths, and bounds rely on nothing else.
 */
#ifndef IMS_SEARCH_ROTATION_H
#define IMS_SEARCH_ROTATION_H

#include "search/search.h"

typedef struct rotation {
	uint32_t dim, parts;
	size_t sampled; /* rows that the axes are from */
	float *mean;    /* dim */
	float *axes; /* parts rows of dim, by falling variance; the largest value of each is positive */
	float *variance; /* parts */
	double total;    /* variance over all dimensions */
} rotation;

/*
 * parts <= dim axes. The same for the same seed, whatever the number of threads. Axes past the
 * number of rows are some orthonormal ones with variance 0; so are all axes of rows so large that
 * their covariance overflows f32. ENOMEM, ECANCELED, and the errors of rows->scan. The caller owns
 * *out; after an error there is nothing to free.
 */
int ims_rotation_fit(rotation *out, const row_source *rows, uint32_t parts, uint64_t seed, job *job,
	imgsearch_error *err);
void ims_rotation_free(rotation *r);

#endif

/* The two leading principal components of rows. */
#ifndef IMS_ANALYSIS_PLANE_H
#define IMS_ANALYSIS_PLANE_H

#include "base/base.h"

/*
 * Projects n rows (n, dim) onto them: xy (n, 2), centred. The components come from a sample of at
 * most some thousand rows, evenly spaced. Their signs are fixed, so the result is always the same.
 * pool may be NULL. ENOMEM.
 */
int ims_analysis_plane(float *xy, const float *rows, size_t n, size_t dim, pool *pool,
	imgsearch_error *err);

#endif

/* Principal components of rows. */
#ifndef IMS_ANALYSIS_PLANE_H
#define IMS_ANALYSIS_PLANE_H

#include "base/base.h"

/*
 * Projects n rows (n, dim) onto their two leading principal components: xy (n, 2), centred. The components are learnt
 * from at most some thousand rows, evenly taken; their signs are fixed, so that the answer is always the same.
 */
int ims_analysis_plane(float *xy, const float *rows, size_t n, size_t dim, pool *pool, imgsearch_error *err);

#endif

/* Rows on the principal components of a built searcher. */
#ifndef IMS_QUERY_REDUCE_H
#define IMS_QUERY_REDUCE_H

#include "handle/view.h"

/*
 * Projects n rows (n, dim), features as extracted, onto the m leading principal components of the
 * built "pca" searcher: out (n, m). EINVAL: another dimension, more components than there are.
 * ENOTFOUND: no usable pca searcher. Any thread.
 */
int ims_reduce(imgsearch *s, const float *rows, size_t n, size_t dim, float *out, size_t m, job *j,
	imgsearch_error *err);

#endif

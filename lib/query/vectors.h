/* Many queries by vector. */
#ifndef IMS_QUERY_VECTORS_H
#define IMS_QUERY_VECTORS_H

#include "handle/handle.h"

/*
 * imgsearch_vectors_query; options are a complete copy. Errors: see there. Any number of threads at
 * once.
 */
int ims_query_vectors(imgsearch *s, const float *queries, size_t n, size_t dim,
	const imgsearch_query_options *options, job *j, int64_t *ids, float *scores,
	imgsearch_error *err);

#endif

/* Additions and removals of the caller, alone or in a transaction of the caller's. */
#ifndef IMS_INGEST_ADD_H
#define IMS_INGEST_ADD_H

#include "handle/handle.h"

/*
 * imgsearch_index_add; options are a complete copy. The picture is read, decoded and embedded
 * before the writer lock is acquired; then the model and the duplicates are checked again. EINVAL:
 * its path or its bytes were deleted on purpose.
 */
int ims_add(imgsearch *s, const imgsearch_input *in, const imgsearch_index_add_options *options,
	job *j, int64_t *id, imgsearch_error *err);

/* imgsearch_vectors_add; options are a complete copy. */
int ims_add_vectors(imgsearch *s, const float *rows, size_t n, size_t dim,
	const imgsearch_vectors_add_options *options, job *j, int64_t *ids, imgsearch_error *err);

/* imgsearch_index_remove; options are a complete copy. */
int ims_remove(imgsearch *s, const int64_t *ids, size_t n,
	const imgsearch_index_remove_options *options, job *j, imgsearch_error *err);

#endif

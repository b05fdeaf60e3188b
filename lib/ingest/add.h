/*
 * Single pictures and vectors are added without a walk. Each call acquires the writer lock only
 * while it writes.
 */
#ifndef IMS_INGEST_ADD_H
#define IMS_INGEST_ADD_H

#include "handle/handle.h"

/*
 * imgsearch_index_add. The picture is read, decoded and embedded before the writer lock is
 * acquired. Then the model and the duplicates are checked again.
 */
int ims_add(imgsearch *s, const imgsearch_input *in, const char *name, int64_t *id,
	imgsearch_error *err);

/* imgsearch_vectors_add. */
int ims_add_vectors(imgsearch *s, const float *rows, size_t n, size_t dim, const int64_t *ids,
	imgsearch_error *err);

#endif

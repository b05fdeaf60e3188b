/* An answer in the caller's form. */
#ifndef IMS_QUERY_HITS_H
#define IMS_QUERY_HITS_H

#include "handle/handle.h"

/*
 * Sorted neighbours with their paths, titles and columns; ids whose picture is gone or no longer
 * indexed are left out. One block of memory, freed by imgsearch_hits_free. An id without a picture
 * is a caller's own vector, named "id:N".
 */
int ims_hits_make(imgsearch *s, imgsearch_metric metric, const topk *found, imgsearch_hits **out,
	imgsearch_error *err);

#endif

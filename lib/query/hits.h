/* Results in the form of the public interface. */
#ifndef IMS_QUERY_HITS_H
#define IMS_QUERY_HITS_H

#include "handle/handle.h"

/*
 * Makes hits of sorted neighbours, with the fields that are asked for (imgsearch_fields). Ids whose
 * picture was removed or is no longer indexed are left out where paths are asked for. A hit is
 * shown by a path in the folders of the filter. A vector without a picture has its id as its path.
 * *out belongs to `result` (base/result.h), or is a result of its own where that is NULL. EDB, EIO,
 * ENOMEM.
 */
int ims_hits_make(void *result, imgsearch *s, imgsearch_metric metric, uint32_t fields,
	const imgsearch_filter *filter, const topk *found, imgsearch_hits **out, imgsearch_error *err);

#endif

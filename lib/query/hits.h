/* Results in the form of the public interface. */
#ifndef IMS_QUERY_HITS_H
#define IMS_QUERY_HITS_H

#include "handle/handle.h"

/*
 * Makes hits of sorted neighbours, with their paths, titles and columns. Ids whose picture was
 * removed or is no longer indexed are left out. A vector without a picture is named "id:N". One
 * block of memory, freed by imgsearch_hits_free. EDB, EIO, ENOMEM.
 */
int ims_hits_make(imgsearch *s, imgsearch_metric metric, const topk *found, imgsearch_hits **out,
	imgsearch_error *err);

#endif

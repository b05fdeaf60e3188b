/* The ids that a filter of the public interface allows. */
#ifndef IMS_HANDLE_FILTER_H
#define IMS_HANDLE_FILTER_H

#include "handle/handle.h"

/*
 * The ids that both the folders and the ids of a filter allow, ascending and each once. The filter
 * is a complete copy and has at least one of the two. *ids is never NULL on success; the caller
 * frees it by ims_free. EDB, EIO, ENOMEM.
 */
int ims_filter_ids(imgsearch *s, const imgsearch_filter *filter, int64_t **ids, size_t *n,
	imgsearch_error *err);

#endif

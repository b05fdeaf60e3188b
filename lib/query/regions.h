/* Pictures by their best part: the whole, or one of the regions. */
#ifndef IMS_QUERY_REGIONS_H
#define IMS_QUERY_REGIONS_H

#include "query/request.h"

/* Whether a query is also compared with the regions of pictures. */
bool ims_query_has_regions(const view *v, const query *q);

/*
 * out (n) holds, sorted, the k nearest pictures by their whole, found with that request; it becomes
 * the k nearest by their best part, each once. At the same distance the whole counts before parts,
 * and parts in their order. report: exact stays only where this is proven; rows are added. *name
 * becomes the name of the searcher of the regions. Errors as ims_query_nearest.
 */
int ims_query_regions(imgsearch *s, view *v, const query *q, const search_request *request,
	topk *out, search_report *report, const char **name, imgsearch_error *err);

#endif

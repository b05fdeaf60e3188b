/* Pictures by their best part: the whole, or one of the regions. */
#ifndef IMS_QUERY_REGIONS_H
#define IMS_QUERY_REGIONS_H

#include "query/request.h"

/* Whether a query is also compared with the regions of pictures. */
bool ims_query_has_regions(const view *v, const query *q);

/*
 * The row that input i of a query is compared with regions by, into out (dim): of a picture that
 * goes through the network all of it, since a region shows all of its part; otherwise `row`, its
 * row in the space of the query. own: the stored row that the input is, or NO_PICTURE. Errors as
 * ims_feature.
 */
int ims_query_region_row(imgsearch *s, const query *q, const imgsearch_input *in, size_t i,
	int64_t own, const float *row, float *out, imgsearch_error *err);

/*
 * out (n) holds, sorted, the k nearest pictures by their whole, found with that request; it becomes
 * the k nearest by their best part, each once. At the same distance the whole counts before parts,
 * and parts in their order. report: exact stays only where this is proven; rows are added. *name
 * becomes the name of the searcher of the regions. Errors as ims_query_nearest.
 */
int ims_query_regions(imgsearch *s, view *v, const query *q, const search_request *request,
	topk *out, search_report *report, const char **name, imgsearch_error *err);

#endif

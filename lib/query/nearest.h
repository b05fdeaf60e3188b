/* The nearest rows of one kind: by the searcher of the index or the one that is asked for. */
#ifndef IMS_QUERY_NEAREST_H
#define IMS_QUERY_NEAREST_H

#include "query/request.h"

/* The rows of a set that a query is compared with. Without a mean plain rows are the others. */
const row_source *ims_query_rows(const view *v, const query *q, const row_set *set);

/*
 * The k nearest rows of the set (one of the view) for each query of the request: out (n), sorted.
 * *name receives the name of the searcher. ENOTFOUND: the searcher asked for is not built. EDB,
 * EIO, ENOMEM, ECANCELED.
 */
int ims_query_nearest(imgsearch *s, view *v, row_set *set, const query *q,
	const search_request *request, topk *out, search_report *report, const char **name,
	imgsearch_error *err);

#endif

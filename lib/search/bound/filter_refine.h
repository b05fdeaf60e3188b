/*
 * Whole requests over codes: the filter step for groups of queries that share the pass over memory,
 * the refine step for each query, and a plain scan for queries that bounds do not help.
 */
#ifndef IMS_SEARCH_BOUND_FILTER_REFINE_H
#define IMS_SEARCH_BOUND_FILTER_REFINE_H

#include "search/bound/query.h"

/* pool: of bound queries. checks: as for ims_refine. Any thread. */
int ims_filter_refine(lease_pool *pool, const codes *c, const row_source *rows,
	const search_request *request, size_t checks, topk *out, search_report *report,
	imgsearch_error *err);

#endif

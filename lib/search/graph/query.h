/* Requests: the beam finds candidates by code, full rows re-rank them. */
#ifndef IMS_SEARCH_GRAPH_QUERY_H
#define IMS_SEARCH_GRAPH_QUERY_H

#include "search/graph/beam.h"

/* searcher_ops.query */
int ims_graph_query(const searcher *s, const search_request *q, topk *out, search_report *report,
	imgsearch_error *err);

/* The *n points of the least recall that is as high as wanted, or the last ones. NULL: none. */
const graph_operating_point *ims_graph_points_for(const graph *g, double recall, uint32_t *n);

/*
 * A batch by the beam alone, with this effort, and this margin where it has no points. contrast
 * (q->n): those of the queries, where it has; NULL: not wanted.
 */
int ims_graph_search_batch(const graph *g, const search_request *q, const graph_effort *effort,
	float margin, topk *out, float *contrast, search_report *report, imgsearch_error *err);

#endif

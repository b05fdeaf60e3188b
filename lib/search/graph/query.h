/* Requests: the beam finds candidates by code, full rows re-rank them. */
#ifndef IMS_SEARCH_GRAPH_QUERY_H
#define IMS_SEARCH_GRAPH_QUERY_H

#include "search/graph/graph.h"

/* searcher_ops.query */
int ims_graph_query(const searcher *s, const search_request *q, topk *out, search_report *report,
	imgsearch_error *err);

/* A batch by the beam alone, with this ef and margin. */
int ims_graph_search_batch(const graph *g, const search_request *q, size_t ef, float margin,
	topk *out, search_report *report, imgsearch_error *err);

#endif

/* Adding and removing rows in place. */
#ifndef IMS_SEARCH_GRAPH_CHANGE_H
#define IMS_SEARCH_GRAPH_CHANGE_H

#include "search/graph/graph.h"

/* searcher_ops.add and searcher_ops.remove */
int ims_graph_add(searcher *s, const int64_t *ids, const float *rows, size_t n, job *job,
	imgsearch_error *err);
int ims_graph_remove(searcher *s, const int64_t *ids, size_t n, imgsearch_error *err);

#endif

/* The graph of all rows of a source. */
#ifndef IMS_SEARCH_GRAPH_BUILD_H
#define IMS_SEARCH_GRAPH_BUILD_H

#include "search/graph/graph.h"

/* searcher_ops.build */
int ims_graph_build(searcher **out, const row_source *rows, const search_params *p, job *job,
	imgsearch_error *err);

/* How many entry points a graph of so many live nodes has. */
size_t ims_graph_entry_count(size_t nodes);

#endif

/* The graph as chunks. docs/graph.md has the layout. */
#ifndef IMS_SEARCH_GRAPH_STATE_H
#define IMS_SEARCH_GRAPH_STATE_H

#include "search/graph/graph.h"

/* searcher_ops.save and searcher_ops.load */
int ims_graph_save(const searcher *s, const chunk_sink *sink, imgsearch_error *err);
int ims_graph_load(searcher **out, const row_source *rows, const chunk_source *source,
	imgsearch_error *err);

#endif

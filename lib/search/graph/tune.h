/* The operating points of a graph: which beam width and margin reach which recall. */
#ifndef IMS_SEARCH_GRAPH_TUNE_H
#define IMS_SEARCH_GRAPH_TUNE_H

#include "search/graph/graph.h"

/* Measures the finished graph and fills in its operating points. Small graphs get none. */
int ims_graph_tune(graph *g, const row_source *rows, job *job, imgsearch_error *err);

/* searcher_ops.describe */
void ims_graph_describe(const searcher *s, char *out, size_t size);

#endif

/* Reachability: every node must be reached from an entry point. This step is our own. */
#ifndef IMS_SEARCH_GRAPH_CONNECT_H
#define IMS_SEARCH_GRAPH_CONNECT_H

#include "search/graph/graph.h"

/* Links to the nodes that no entry point leads to, or makes them entry points. */
int ims_graph_connect(graph *g, imgsearch_error *err);

#endif

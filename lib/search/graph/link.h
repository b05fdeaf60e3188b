/* Links of new nodes, one by one and in batches. */
#ifndef IMS_SEARCH_GRAPH_LINK_H
#define IMS_SEARCH_GRAPH_LINK_H

#include "search/graph/prune.h"

/*
 * Links the nodes slot[0..n), whose codes are in place: each is searched for in the graph as it is,
 * keeps pruned links, and is linked back. A batch has at most `most` nodes, the first one at most
 * `first` (how many nodes are linked already). The result does not depend on the number of threads.
 * Progress is done + linked of total; total 0: none.
 */
int ims_graph_link(graph *g, const uint32_t *slot, size_t n, size_t first, size_t most, float alpha,
	size_t beam, job *job, uint64_t done, uint64_t total, imgsearch_error *err);

/* Finds links for one node: degree of them into out, GRAPH_NONE past the last. False: no memory. */
bool ims_graph_find_links(const graph *g, graph_scratch *s, uint32_t slot, size_t beam, float alpha,
	uint32_t *out);

/* Links a target back to n sources. Prunes its links where there are too many. False: no memory. */
bool ims_graph_link_back(graph *g, graph_scratch *s, uint32_t target, const uint32_t *source,
	size_t n, float alpha);

#endif

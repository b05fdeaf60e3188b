/*
 * Which links a node keeps: the robust prune of Vamana (Subramanya et al. 2019). Candidates are in
 * s->candidate, at distances to the node, in any order. Distances are squared, so an alpha of 1.15
 * is the square root of 1.15 in the paper.
 */
#ifndef IMS_SEARCH_GRAPH_PRUNE_H
#define IMS_SEARCH_GRAPH_PRUNE_H

#include "search/graph/scratch.h"

/* Puts other nodes behind the first n candidates; s->candidate has room for them. */
void ims_graph_add_candidates(const graph *g, graph_scratch *s, uint32_t slot, size_t n,
	const uint32_t *other, size_t n_other);

/* The links that a node keeps of n candidates: at most `max`, into out. Returns how many. */
size_t ims_graph_prune(const graph *g, graph_scratch *s, uint32_t slot, size_t n, float alpha,
	uint32_t *out, size_t max);

#endif

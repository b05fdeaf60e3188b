/*
 * Greedy search with a beam: GreedySearch of Vamana (Subramanya et al. 2019), the search of HNSW's
 * bottom layer (Malkov and Yashunin 2018).
 */
#ifndef IMS_SEARCH_GRAPH_BEAM_H
#define IMS_SEARCH_GRAPH_BEAM_H

#include "search/graph/scratch.h"

/* Which nodes may be in the answer. */
typedef struct graph_filter {
	const search_request *request; /* NULL: every node that is not deleted */
} graph_filter;

/*
 * How wide a search gets: `first`, and where there are points (of one recall), then as wide as
 * those of the query's class say. They are for the 10 nearest; a larger k makes them wider.
 */
typedef struct graph_effort {
	size_t first, k;
	const graph_operating_point *point;
	uint32_t points;
} graph_effort;

/* The width of a point of the effort. */
size_t ims_graph_effort_width(const graph_effort *effort, const graph_operating_point *point);

/*
 * The ef nearest nodes that the search meets, and at most ef copies of them. The result is the
 * beam, or with a filter the accepted nodes. The search begins at the nearest entry points.
 * keep_expanded: s->expanded gets the nodes that were expanded. s->failed: no memory.
 */
const graph_list *ims_graph_beam_search(const graph *g, graph_scratch *s, const int8_t *query,
	size_t ef, const graph_filter *filter, bool keep_expanded);

/* The same with as wide a beam as the query needs; s->contrast and s->taken say what that is. */
const graph_list *ims_graph_adaptive_search(const graph *g, graph_scratch *s, const int8_t *query,
	const graph_effort *effort, const graph_filter *filter);

#endif

/* The working memory of a search, kept for the next one. One thread at a time. */
#ifndef IMS_SEARCH_GRAPH_SCRATCH_H
#define IMS_SEARCH_GRAPH_SCRATCH_H

#include "search/graph/graph.h"
#include "search/graph/list.h"

enum { GRAPH_FETCH = 32 /* full rows read at once */ };

typedef struct graph_scratch {
	lease lease;
	size_t slots;           /* that `visited` has bits for */
	uint64_t *visited;      /* all clear between searches */
	uint32_t *visited_slot; /* the slots whose bits are set */
	size_t visited_n, visited_cap;
	graph_list beam;
	graph_list copies;    /* of nodes that were expanded */
	graph_list accepted;  /* nodes that may be in the answer, where not every node may */
	graph_item *expanded; /* nodes in the order of their expansion */
	size_t expanded_n, expanded_cap;
	graph_item *candidate; /* of a pruning or re-ranking */
	size_t candidate_cap;
	int32_t *dots;
	uint32_t *neighbour; /* unvisited neighbours of two nodes */
	int8_t *query_code;  /* of a query, or of a node that is searched for */
	int8_t *node_code;   /* of another node, as a query */
	void *encoder;       /* scratch memory of the quantiser */
	float *rows;         /* GRAPH_FETCH full rows */
	uint8_t *found;
	double entry_sum, entry_squares; /* of the distances of the entry points */
	float contrast; /* of the query, where the search has classes; and which of them it took */
	const graph_operating_point *taken;
	bool failed; /* a search ran out of memory: its result is short */
} graph_scratch;

/* Idle or new scratch memory that fits the graph. */
int ims_graph_scratch_acquire(const graph *g, graph_scratch **out, imgsearch_error *err);
void ims_graph_scratch_release(const graph *g, graph_scratch *s); /* NULL is fine */
void ims_graph_scratch_free(void *scratch);                       /* NULL is fine */

/* Room for n candidates. False: no memory. */
bool ims_graph_reserve_candidates(graph_scratch *s, size_t n);

#endif

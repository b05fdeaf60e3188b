/*
 * Copies: rows of equal code. Among nodes at distance 0 robust prune keeps one link, so that most
 * copies could not be reached. Instead, only the first node of a group is linked like any other. A
 * chain (a linked list) leads through the others: the first link of each node is the next copy. No
 * paper describes this. Graphs of older versions have no chains; links of theirs that look like a
 * chain are taken for one.
 */
#ifndef IMS_SEARCH_GRAPH_COPIES_H
#define IMS_SEARCH_GRAPH_COPIES_H

#include "search/graph/scratch.h"

/* Whether two nodes have equal codes. */
bool ims_graph_is_copy_of(const graph *g, uint32_t a, uint32_t b);

/* The next copy of a node, by its first link; GRAPH_NONE: there is none. */
uint32_t ims_graph_next_copy(const graph *g, uint32_t slot);

/*
 * Whether a node is in the chain behind `before`: its next copy, with no links but one to a copy.
 */
bool ims_graph_hangs_behind(const graph *g, uint32_t before, uint32_t slot);

/*
 * While building: moves the first nodes of all groups to the front of order (a permutation of the
 * n slots), both parts in their old order. *firsts: how many they are.
 */
int ims_graph_split_copies(const graph *g, uint32_t *order, size_t *firsts, imgsearch_error *err);

/* While building, after the links are cut: makes the chain of each group. */
int ims_graph_chain_copies(graph *g, imgsearch_error *err);

/* Before the first change: finds the chains, and fills g->before with the previous copies. */
int ims_graph_find_chains(graph *g, imgsearch_error *err);

/* Inserts a new node behind the first one of its group. Links that it has are dropped. */
void ims_graph_attach_copy(graph *g, uint32_t first, uint32_t slot);

/*
 * Takes a node that is about to be removed out of its chain. Where it was the first one, the next
 * copy inherits its links.
 */
void ims_graph_detach_copy(graph *g, graph_scratch *s, uint32_t slot);

#endif

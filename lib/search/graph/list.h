/* Nodes at a distance: one number each, and sorted lists of the nearest. */
#ifndef IMS_SEARCH_GRAPH_LIST_H
#define IMS_SEARCH_GRAPH_LIST_H

#include "base/base.h"

/* A node at a code distance. Sorts by distance, then slot. The lowest bit: already expanded. */
typedef uint64_t graph_item;

static inline graph_item ims_graph_item(int32_t distance, uint32_t slot)
{
	return (uint64_t)((uint32_t)distance ^ 0x80000000u) << 32 | (uint64_t)slot << 1;
}
static inline uint32_t ims_graph_slot(graph_item i)
{
	return (uint32_t)i >> 1;
}
static inline int32_t ims_graph_distance(graph_item i)
{
	return (int32_t)((uint32_t)(i >> 32) ^ 0x80000000u);
}

/* The nearest `room` of the items that were pushed, sorted. */
typedef struct graph_list {
	graph_item *item;
	size_t n, room, cap;
	size_t next; /* every item before it is expanded */
} graph_list;

/* Empties the list, which then takes `room` items. -1: no memory. */
int ims_graph_list_room(graph_list *l, size_t room);
void ims_graph_list_push(graph_list *l, graph_item item);

void ims_graph_sort(graph_item *a, size_t n);

#endif

/* Chains of copies: made while building, found again before changes, kept by changes. */
#include "search/graph/copies.h"

#include "search/graph/link.h"

#include <stdlib.h>

bool ims_graph_is_copy_of(const graph *g, uint32_t a, uint32_t b)
{
	return !memcmp(ims_graph_code(g, a), ims_graph_code(g, b), g->quantiser.size);
}

uint32_t ims_graph_next_copy(const graph *g, uint32_t slot)
{
	uint32_t next = *ims_graph_links(g, slot);
	return next != GRAPH_NONE && ims_graph_is_copy_of(g, slot, next) ? next : GRAPH_NONE;
}

bool ims_graph_hangs_behind(const graph *g, uint32_t before, uint32_t slot)
{
	const uint32_t *links = ims_graph_links(g, slot);
	return slot == *ims_graph_links(g, before) && ims_graph_is_copy_of(g, before, slot)
		&& (g->stride == 1 || links[1] == GRAPH_NONE)
		&& (links[0] == GRAPH_NONE || ims_graph_is_copy_of(g, slot, links[0]));
}

/* -------------------------------------------------------------------------------- building ---- */

/* Slots sorted by code: copies lie side by side, in order of slot. */
typedef struct code_key {
	uint64_t key;
	uint32_t slot;
} code_key;

static int compare(const void *a, const void *b)
{
	const code_key *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->slot < y->slot ? -1 : 1;
}

static code_key *sort_by_code(const graph *g)
{
	code_key *all = ims_alloc(g->n, sizeof *all);
	for (uint32_t i = 0; all && i < g->n; i++)
		all[i] = (code_key){ ims_checksum(ims_graph_code(g, i), g->quantiser.size, 0), i };
	if (all)
		qsort(all, g->n, sizeof *all, compare);
	return all;
}

/* Whether all[i] is a copy of the one before it. */
static bool follows(const graph *g, const code_key *all, size_t i)
{
	return i && all[i].key == all[i - 1].key
		&& ims_graph_is_copy_of(g, all[i].slot, all[i - 1].slot);
}

int ims_graph_split_copies(const graph *g, uint32_t *order, size_t *firsts, imgsearch_error *err)
{
	code_key *all = sort_by_code(g);
	uint8_t *is_copy = ims_zalloc(g->n, 1);
	uint32_t *copies = ims_alloc(g->n, sizeof *copies);
	size_t n = 0, n_copies = 0;
	int rc = all && is_copy && copies ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < g->n; i++)
		is_copy[all[i].slot] = follows(g, all, i);
	for (size_t i = 0; !rc && i < g->n; i++)
		if (is_copy[order[i]])
			copies[n_copies++] = order[i];
		else
			order[n++] = order[i];
	if (!rc && n_copies)
		memcpy(order + n, copies, n_copies * sizeof *copies);
	*firsts = n;
	ims_free(all);
	ims_free(is_copy);
	ims_free(copies);
	return rc;
}

/* Makes `next` the next copy of a node. The last link goes where there is no room. */
static void put_next(graph *g, uint32_t slot, uint32_t next)
{
	uint32_t *links = ims_graph_links(g, slot);
	if (ims_graph_next_copy(g, slot) == GRAPH_NONE)
		memmove(links + 1, links, (g->stride - 1) * sizeof *links);
	links[0] = next;
}

int ims_graph_chain_copies(graph *g, imgsearch_error *err)
{
	code_key *all = sort_by_code(g);
	if (!all)
		return ims_nomem(err);
	for (size_t i = 1; i < g->n; i++)
		if (follows(g, all, i))
			put_next(g, all[i - 1].slot, all[i].slot);
	ims_free(all);
	return 0;
}

/* --------------------------------------------------------------------------------- changes ---- */

/* Cuts chains that are circles, as graphs of older versions can have them. */
static int open_circles(graph *g, imgsearch_error *err)
{
	/* 0: not visited; else 1 + the node from which the walk that visited it began. */
	uint32_t *walk = ims_zalloc(g->n, sizeof *walk);
	if (!walk)
		return ims_nomem(err);
	for (uint32_t i = 0; i < g->n; i++)
		for (uint32_t at = i; !walk[at] && g->before[at] != GRAPH_NONE;) {
			uint32_t before = g->before[at];
			walk[at] = i + 1;
			if (walk[before] == i + 1)
				g->before[at] = GRAPH_NONE;
			at = before;
		}
	ims_free(walk);
	return 0;
}

int ims_graph_find_chains(graph *g, imgsearch_error *err)
{
	if (g->before)
		return 0;
	g->before = ims_alloc_aligned(g->room, sizeof *g->before);
	if (!g->before)
		return ims_nomem(err);
	memset(g->before, 0xff, g->room * sizeof *g->before);
	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t next = ims_graph_is_deleted(g, i) ? GRAPH_NONE : ims_graph_next_copy(g, i);
		if (next != GRAPH_NONE && !ims_graph_is_deleted(g, next))
			g->before[next] = i;
	}
	int rc = open_circles(g, err);
	for (uint32_t i = 0; i < g->n; i++)
		g->copies += g->before[i] != GRAPH_NONE;
	return rc;
}

void ims_graph_attach_copy(graph *g, uint32_t first, uint32_t slot)
{
	uint32_t next = ims_graph_next_copy(g, first), *links = ims_graph_links(g, slot);
	memset(links, 0xff, g->stride * sizeof *links);
	if (next != GRAPH_NONE && g->before[next] == first) {
		links[0] = next;
		g->before[next] = slot;
	}
	put_next(g, first, slot);
	g->before[slot] = first;
	g->copies++;
}

/* The next copy becomes the first of its group. */
static void inherit(graph *g, graph_scratch *s, uint32_t slot, uint32_t successor)
{
	const uint32_t *from = ims_graph_links(g, slot);
	uint32_t *links = ims_graph_links(g, successor);
	size_t n = ims_graph_next_copy(g, successor) != GRAPH_NONE, own = n;
	g->before[successor] = GRAPH_NONE;
	g->copies--;
	for (uint32_t i = 1; i < g->stride && from[i] != GRAPH_NONE && n < g->degree; i++)
		if (!ims_graph_is_deleted(g, from[i]))
			links[n++] = from[i];
	if (n < g->stride)
		links[n] = GRAPH_NONE;
	/* Where memory is short, the removed node still leads to its successor. */
	for (size_t i = own; i < n; i++)
		ims_graph_link_back(g, s, links[i], &successor, 1, g->alpha);
}

void ims_graph_detach_copy(graph *g, graph_scratch *s, uint32_t slot)
{
	uint32_t before = g->before[slot], next = ims_graph_next_copy(g, slot);
	if (next != GRAPH_NONE && g->before[next] != slot)
		next = GRAPH_NONE;
	if (before == GRAPH_NONE) {
		if (next != GRAPH_NONE)
			inherit(g, s, slot, next);
		return;
	}
	uint32_t *links = ims_graph_links(g, before);
	if (next != GRAPH_NONE) {
		links[0] = next;
		g->before[next] = before;
	} else {
		memmove(links, links + 1, (g->stride - 1) * sizeof *links);
		links[g->stride - 1] = GRAPH_NONE;
	}
	g->before[slot] = GRAPH_NONE;
	g->copies--;
}

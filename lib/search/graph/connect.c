/* Reachability: a search in breadth from the entry points; a link for each node that it misses. */
#include "search/graph/connect.h"

#include "search/graph/beam.h"

enum {
	ROUNDS = 4, /* the last one makes entry points */
	BEAM = 32,  /* of the search for a node that is near */
};

typedef struct reach {
	graph *g;
	uint64_t *reached;
	uint32_t *queue;
	size_t n;
} reach;

static void reach_from(reach *r, uint32_t slot)
{
	size_t at = r->n;
	if (r->reached[slot >> 6] >> (slot & 63) & 1)
		return;
	r->reached[slot >> 6] |= (uint64_t)1 << (slot & 63);
	r->queue[r->n++] = slot;
	for (; at < r->n; at++) {
		const uint32_t *links = ims_graph_links(r->g, r->queue[at]);
		for (uint32_t i = 0; i < r->g->stride && links[i] != GRAPH_NONE; i++) {
			uint64_t bit = (uint64_t)1 << (links[i] & 63), *word = &r->reached[links[i] >> 6];
			if (!(*word & bit)) {
				*word |= bit;
				r->queue[r->n++] = links[i];
			}
		}
	}
}

/* Links a near reachable node to `slot`. replace: over its last link, where no node has room. */
static bool link_to(graph *g, graph_scratch *s, uint32_t slot, bool replace)
{
	ims_graph_node_query(ims_graph_code(g, slot), g->quantiser.size, s->query_code);
	const graph_list *near = ims_graph_beam_search(g, s, s->query_code, BEAM, NULL, false);
	for (size_t i = 0; i < near->n; i++) {
		uint32_t from = ims_graph_slot(near->item[i]);
		size_t n = ims_graph_count(g, from);
		if (from == slot || n == g->stride || ims_graph_is_deleted(g, from))
			continue;
		ims_graph_links(g, from)[n] = slot;
		if (n + 1 < g->stride)
			ims_graph_links(g, from)[n + 1] = GRAPH_NONE;
		return true;
	}
	for (size_t i = 0; replace && i < near->n; i++) {
		uint32_t from = ims_graph_slot(near->item[i]);
		if (from == slot || ims_graph_is_deleted(g, from))
			continue;
		ims_graph_links(g, from)[g->stride - 1] = slot;
		return true;
	}
	return false;
}

/* One round. *all: every node was reachable. The last round makes entry points of the others. */
static int connect_round(graph *g, reach *r, graph_scratch *s, bool last, bool *all,
	imgsearch_error *err)
{
	int rc = 0;
	*all = true;
	r->n = 0;
	memset(r->reached, 0, (g->n / 64 + 1) * sizeof *r->reached);
	for (size_t i = 0; i < g->entries; i++)
		reach_from(r, g->entry[i]);
	for (uint32_t i = 0; !rc && i < g->n; i++) {
		if (ims_graph_is_deleted(g, i) || (r->reached[i >> 6] >> (i & 63) & 1))
			continue;
		*all = false;
		if (!link_to(g, s, i, !last)) {
			g->entry[g->entries] = i; /* there is room for one more */
			rc = ims_graph_entries(g, g->entry, g->entries + 1, err);
		}
		reach_from(r, i);
	}
	return rc;
}

int ims_graph_connect(graph *g, imgsearch_error *err)
{
	reach r = { .g = g };
	graph_scratch *s = NULL;
	bool all = false;
	r.reached = ims_alloc(g->n / 64 + 1, sizeof *r.reached);
	r.queue = ims_alloc(g->n, sizeof *r.queue);
	int rc = r.reached && r.queue ? ims_graph_scratch_acquire(g, &s, err) : ims_nomem(err);
	for (int round = 0; !rc && !all && round < ROUNDS; round++)
		rc = connect_round(g, &r, s, round == ROUNDS - 1, &all, err);
	ims_graph_scratch_release(g, s);
	ims_free(r.reached);
	ims_free(r.queue);
	return rc;
}

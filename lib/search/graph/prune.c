/*
 * Robust prune: in the order of distance, a candidate is kept unless a kept one is nearer to it
 * than the node is, by the factor alpha. The link to the next copy stays first, and prunes nothing.
 */
#include "search/graph/prune.h"

#include "search/graph/copies.h"

enum { PRUNE_STEP = 8 /* kept nodes that are compared at once */ };

/* Distances of n nodes to the node that is the query, whose share of them is own, into s->dots. */
static void node_distances(const graph *g, graph_scratch *s, const int8_t *query, int32_t own,
	const uint32_t *node, size_t n)
{
	uint32_t size = g->quantiser.size;
	ims_kernels()->dot_u8_i8(g->codes, size, node, n, query, s->dots);
	for (size_t i = 0; i < n; i++)
		s->dots[i] = own + ims_graph_constant(ims_graph_code(g, node[i]), size) - s->dots[i];
}

void ims_graph_add_candidates(const graph *g, graph_scratch *s, uint32_t slot, size_t n,
	const uint32_t *other, size_t n_other)
{
	int32_t own = ims_graph_node_query(ims_graph_code(g, slot), g->quantiser.size, s->query_code);
	for (size_t at = 0; at < n_other; at += 64) {
		size_t part = n_other - at < 64 ? n_other - at : 64;
		node_distances(g, s, s->query_code, own, other + at, part);
		for (size_t i = 0; i < part; i++)
			s->candidate[n + at + i] = ims_graph_item(s->dots[i], other[at + i]);
	}
}

/* Whether one of n kept nodes prunes `slot`, whose distance to the node is `far`. */
static bool is_pruned(const graph *g, graph_scratch *s, uint32_t slot, int32_t far, float alpha,
	const uint32_t *kept, size_t n)
{
	if (!n)
		return false;
	int32_t own = ims_graph_node_query(ims_graph_code(g, slot), g->quantiser.size, s->node_code);
	for (size_t at = 0; at < n; at += PRUNE_STEP) {
		size_t some = n - at < PRUNE_STEP ? n - at : PRUNE_STEP;
		node_distances(g, s, s->node_code, own, kept + at, some);
		for (size_t i = 0; i < some; i++)
			if (alpha * (float)s->dots[i] <= (float)far)
				return true;
	}
	return false;
}

size_t ims_graph_prune(const graph *g, graph_scratch *s, uint32_t slot, size_t n, float alpha,
	uint32_t *out, size_t max)
{
	uint32_t copy = ims_graph_next_copy(g, slot);
	size_t chain = copy != GRAPH_NONE && !ims_graph_is_deleted(g, copy), kept = chain;
	ims_graph_sort(s->candidate, n);
	if (chain)
		out[0] = copy;
	for (size_t i = 0; i < n && kept < max; i++) {
		uint32_t other = ims_graph_slot(s->candidate[i]);
		if (other == slot || other == copy || (i && other == ims_graph_slot(s->candidate[i - 1])))
			continue;
		if (!is_pruned(g, s, other, ims_graph_distance(s->candidate[i]), alpha, out + chain,
				kept - chain))
			out[kept++] = other;
	}
	return kept;
}

/*
 * Robust prune: in the order of distance, a candidate is kept unless a kept one is nearer to it
 * than the node is, by the factor alpha.
 */
#include "search/graph/prune.h"

enum { PRUNE_STEP = 8 /* kept nodes that are compared at once */ };

void ims_graph_add_candidates(const graph *g, graph_scratch *s, uint32_t slot, size_t n,
	const uint32_t *other, size_t some)
{
	int32_t sum, own = ims_graph_constant(ims_graph_code(g, slot), g->quantiser.size);
	ims_graph_node_query(ims_graph_code(g, slot), g->quantiser.size, s->query_code, &sum);
	own += 128 * sum;
	for (size_t at = 0; at < some; at += 64) {
		size_t part = some - at < 64 ? some - at : 64;
		ims_kernels()->dot_u8_i8(g->codes, g->quantiser.size, other + at, part, s->query_code,
			s->dots);
		for (size_t i = 0; i < part; i++) {
			uint32_t o = other[at + i];
			int32_t constant = ims_graph_constant(ims_graph_code(g, o), g->quantiser.size);
			s->candidate[n + at + i] = ims_graph_item(own + constant - s->dots[i], o);
		}
	}
}

/* Whether one of n kept nodes prunes `slot`, whose distance to the node is `far`. */
static bool is_pruned(const graph *g, graph_scratch *s, uint32_t slot, int32_t far, float alpha,
	const uint32_t *kept, size_t n)
{
	const uint8_t *code = ims_graph_code(g, slot);
	int32_t sum, own = ims_graph_constant(code, g->quantiser.size);
	if (!n)
		return false;
	ims_graph_node_query(code, g->quantiser.size, s->node_code, &sum);
	own += 128 * sum;
	for (size_t at = 0; at < n; at += PRUNE_STEP) {
		size_t some = n - at < PRUNE_STEP ? n - at : PRUNE_STEP;
		ims_kernels()->dot_u8_i8(g->codes, g->quantiser.size, kept + at, some, s->node_code,
			s->dots);
		for (size_t i = 0; i < some; i++) {
			const uint8_t *other = ims_graph_code(g, kept[at + i]);
			int32_t near = own + ims_graph_constant(other, g->quantiser.size) - s->dots[i];
			if (alpha * (float)near <= (float)far)
				return true;
		}
	}
	return false;
}

size_t ims_graph_prune(const graph *g, graph_scratch *s, uint32_t slot, size_t n, float alpha,
	uint32_t *out, size_t max)
{
	size_t kept = 0;
	ims_graph_sort(s->candidate, n);
	for (size_t i = 0; i < n && kept < max; i++) {
		uint32_t other = ims_graph_slot(s->candidate[i]);
		if (other == slot || (i && other == ims_graph_slot(s->candidate[i - 1])))
			continue;
		if (!is_pruned(g, s, other, ims_graph_distance(s->candidate[i]), alpha, out, kept))
			out[kept++] = other;
	}
	return kept;
}

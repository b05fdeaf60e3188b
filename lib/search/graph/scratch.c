/* Scratch memory of searches. */
#include "search/graph/scratch.h"

void ims_graph_scratch_free(void *scratch)
{
	graph_scratch *s = scratch;
	if (!s)
		return;
	ims_free(s->visited);
	ims_free(s->beam.item);
	ims_free(s->copies.item);
	ims_free(s->accepted.item);
	ims_free(s->expanded);
	ims_free(s->visited_slot);
	ims_free(s->candidate);
	ims_free(s->dots);
	ims_free(s->neighbour);
	ims_free(s->query_code);
	ims_free(s->node_code);
	ims_free(s->encoder);
	ims_free(s->rows);
	ims_free(s->found);
	ims_free(s);
}

static graph_scratch *scratch_new(const graph *g)
{
	graph_scratch *s = ims_zalloc(1, sizeof *s);
	if (!s)
		return NULL;
	size_t list = (size_t)g->stride < 64 ? 64 : g->stride;
	s->slots = g->room;
	s->visited = ims_zalloc(g->room / 64 + 1, sizeof *s->visited);
	s->dots = ims_alloc_aligned(list, sizeof *s->dots);
	s->neighbour = ims_alloc(2 * list, sizeof *s->neighbour);
	s->query_code = ims_alloc_aligned(g->quantiser.size, 1);
	s->node_code = ims_alloc_aligned(g->quantiser.size, 1);
	s->encoder = ims_alloc_aligned(ims_graph_quantiser_scratch(&g->quantiser), 1);
	s->rows = ims_alloc_aligned((size_t)GRAPH_FETCH * g->quantiser.dim, sizeof(float));
	s->found = ims_alloc(GRAPH_FETCH, 1);
	if (s->visited && s->dots && s->neighbour && s->query_code && s->node_code && s->encoder
		&& s->rows && s->found)
		return s;
	ims_graph_scratch_free(s);
	return NULL;
}

int ims_graph_scratch_acquire(const graph *g, graph_scratch **out, imgsearch_error *err)
{
	graph_scratch *s = ims_lease_acquire(&((graph *)g)->scratch);
	if (s && s->slots < g->room) { /* the graph has grown since */
		ims_graph_scratch_free(s);
		s = NULL;
	}
	if (!s)
		s = scratch_new(g);
	*out = s;
	return s ? 0 : ims_nomem(err);
}

void ims_graph_scratch_release(const graph *g, graph_scratch *s)
{
	ims_lease_release(&((graph *)g)->scratch, s);
}

bool ims_graph_reserve_candidates(graph_scratch *s, size_t n)
{
	if (n <= s->candidate_cap)
		return true;
	graph_item *pool = ims_realloc(s->candidate, n * 2, sizeof *pool);
	if (!pool)
		return false;
	s->candidate = pool;
	s->candidate_cap = n * 2;
	return true;
}

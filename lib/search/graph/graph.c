/* Memory of the graph, and the table of functions. The graph is approximate, for many rows. */
#include "search/graph/graph.h"

#include "search/graph/build.h"
#include "search/graph/change.h"
#include "search/graph/query.h"
#include "search/graph/scratch.h"
#include "search/graph/state.h"
#include "search/graph/tune.h"

int ims_graph_new(graph **out, const row_source *rows, imgsearch_error *err)
{
	graph *g = ims_zalloc(1, sizeof *g);
	*out = g;
	if (!g)
		return ims_nomem(err);
	g->base = (searcher){ &ims_search_graph, rows };
	ims_lease_pool_init(&g->scratch);
	return 0;
}

void ims_graph_free(graph *g)
{
	if (!g)
		return;
	ims_lease_pool_free(&g->scratch, ims_graph_scratch_free);
	ims_graph_quantiser_free(&g->quantiser);
	ims_free(g->ids);
	ims_free(g->codes);
	ims_free(g->residuals);
	ims_free(g->links);
	ims_free(g->deleted);
	ims_free(g->free_slot);
	ims_free(g->round);
	ims_free(g->entry);
	ims_free(g->entry_codes);
	ims_free(g->by_id);
	ims_free(g->before);
	ims_free(g);
}

/* A larger aligned array with the old contents. NULL: no memory, and the old array stays. */
static void *larger(void *old, size_t had, size_t room, size_t item)
{
	void *p = ims_alloc_aligned(room, item);
	if (!p)
		return NULL;
	if (had)
		memcpy(p, old, had * item);
	ims_free(old);
	return p;
}

/* Links of the first `set` slots are those that are there, or the caller's to write. */
static int reserve(graph *g, size_t set, size_t slots, imgsearch_error *err)
{
	void *p;
	if (slots <= g->room && g->codes)
		return 0;
	if (slots > GRAPH_SLOTS)
		return ims_fail(err, IMGSEARCH_ELIMIT, "a graph holds at most %d rows", GRAPH_SLOTS);
	if (g->room && slots < g->room + g->room / 8)
		slots = g->room + g->room / 8;
	slots = (slots + 63) & ~(size_t)63;
	slots = slots ? slots : 64;
	if (!(p = larger(g->codes, g->n, slots, g->quantiser.size)))
		return ims_nomem(err);
	g->codes = p;
	if (!(p = larger(g->residuals, g->n, slots, g->quantiser.residual_size)))
		return ims_nomem(err);
	g->residuals = p;
	if (!(p = larger(g->links, g->n, slots, g->stride * sizeof(uint32_t))))
		return ims_nomem(err);
	g->links = p;
	memset(g->links + set * g->stride, 0xff, (slots - set) * g->stride * sizeof(uint32_t));
	if (g->before && !(p = larger(g->before, g->n, slots, sizeof(uint32_t))))
		return ims_nomem(err);
	if (g->before) {
		g->before = p;
		memset(g->before + g->n, 0xff, (slots - g->n) * sizeof(uint32_t));
	}
	if (!(p = larger(g->ids, g->n, slots, sizeof(int64_t))))
		return ims_nomem(err);
	g->ids = p;
	if (!(p = larger(g->deleted, g->deleted ? (g->n + 63) / 64 : 0, slots / 64 + 1,
			  sizeof(uint64_t))))
		return ims_nomem(err);
	g->deleted = p;
	memset(g->deleted + (g->n + 63) / 64, 0,
		(slots / 64 + 1 - (g->n + 63) / 64) * sizeof(uint64_t));
	g->room = slots;
	return 0;
}

int ims_graph_reserve(graph *g, size_t slots, imgsearch_error *err)
{
	return reserve(g, g->n, slots, err);
}

int ims_graph_reserve_unset(graph *g, size_t slots, imgsearch_error *err)
{
	return reserve(g, slots, slots, err);
}

int ims_graph_entries(graph *g, const uint32_t *slot, size_t n, imgsearch_error *err)
{
	uint32_t *entry = ims_alloc(n + 1, sizeof *entry);
	uint8_t *codes = ims_alloc_aligned(n, g->quantiser.size);
	if (!entry || !codes) {
		ims_free(entry);
		ims_free(codes);
		return ims_nomem(err);
	}
	for (size_t i = 0; i < n; i++) {
		entry[i] = slot[i];
		memcpy(codes + i * g->quantiser.size, ims_graph_code(g, slot[i]), g->quantiser.size);
	}
	ims_free(g->entry);
	ims_free(g->entry_codes);
	g->entry = entry;
	g->entry_codes = codes;
	g->entries = n;
	return 0;
}

size_t ims_graph_count(const graph *g, uint32_t slot)
{
	const uint32_t *links = ims_graph_links(g, slot);
	size_t n = 0;
	while (n < g->stride && links[n] != GRAPH_NONE)
		n++;
	return n;
}

static uint64_t graph_memory(const searcher *s)
{
	const graph *g = (const graph *)s;
	const graph_quantiser *qz = &g->quantiser;
	return sizeof *g + g->room * (qz->size + qz->residual_size + (uint64_t)g->stride * 4 + 8)
		+ g->room / 8 + g->entries * (qz->size + 4) + g->by_id_room * 4
		+ (g->before ? g->room * 4 : 0) + (uint64_t)qz->components * qz->axis_size
		+ (uint64_t)qz->dim * (qz->size + 4);
}

static void graph_free(searcher *s)
{
	ims_graph_free((graph *)s);
}

const searcher_ops ims_search_graph = {
	.name = "graph",
	.version = 1,
	.approximate = true,
	.change_cost = 1024,
	.build = ims_graph_build,
	.save = ims_graph_save,
	.load = ims_graph_load,
	.query = ims_graph_query,
	.add = ims_graph_add,
	.remove = ims_graph_remove,
	.memory = graph_memory,
	.describe = ims_graph_describe,
	.free = graph_free,
};

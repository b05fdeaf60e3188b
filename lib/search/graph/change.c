/*
 * Changes in place, as in FreshDiskANN (Singh et al. 2021). An added row is linked like any other.
 * A removed row is marked deleted: searches pass through it, answers leave it out. Consolidation
 * gives a node with deleted neighbours links to the neighbours of those, pruned. Our own: every
 * change consolidates a few slots further, so that the work is spread evenly. After a full round no
 * node links to the slots that were deleted when the round began, and these are free again.
 */
#include "search/graph/change.h"

#include "search/graph/build.h"
#include "search/graph/connect.h"
#include "search/graph/copies.h"
#include "search/graph/link.h"

enum { CONSOLIDATE = 16 /* slots for every changed row */ };

static size_t hash(int64_t id)
{
	uint64_t state = (uint64_t)id;
	return (size_t)ims_random(&state);
}

/* The place of an id in the hash table, or the empty place where it would be. */
static size_t find_id(const graph *g, int64_t id)
{
	size_t mask = g->by_id_room - 1, at = hash(id) & mask;
	while (g->by_id[at] != GRAPH_NONE && g->ids[g->by_id[at]] != id)
		at = (at + 1) & mask;
	return at;
}

/* Makes room for one more id in the hash table. The first change makes it, and the chains. */
static int reserve_ids(graph *g, imgsearch_error *err)
{
	size_t room = 64;
	int rc = ims_graph_find_chains(g, err);
	if (rc || g->by_id_room > (g->live + 1) * 4 / 3)
		return rc;
	while (room < (g->live + 1) * 2)
		room *= 2;
	uint32_t *by_id = ims_alloc(room, sizeof *by_id);
	if (!by_id)
		return ims_nomem(err);
	ims_free(g->by_id);
	g->by_id = by_id;
	g->by_id_room = room;
	memset(by_id, 0xff, room * sizeof *by_id);
	for (uint32_t i = 0; i < g->n; i++)
		if (g->ids[i] != GRAPH_FREE && !ims_graph_is_deleted(g, i))
			by_id[find_id(g, g->ids[i])] = i;
	return 0;
}

/* Removes an id, and moves back the ids that were probed past its place. */
static void remove_id(graph *g, size_t at)
{
	size_t mask = g->by_id_room - 1, next = at;
	for (;;) {
		g->by_id[at] = GRAPH_NONE;
		for (;;) {
			next = (next + 1) & mask;
			if (g->by_id[next] == GRAPH_NONE)
				return;
			size_t home = hash(g->ids[g->by_id[next]]) & mask;
			if (((next - home) & mask) >= ((next - at) & mask))
				break;
		}
		g->by_id[at] = g->by_id[next];
		at = next;
	}
}

static void set_deleted(graph *g, uint32_t slot, bool deleted)
{
	uint64_t bit = (uint64_t)1 << (slot & 63);
	g->deleted[slot >> 6] = deleted ? g->deleted[slot >> 6] | bit : g->deleted[slot >> 6] & ~bit;
}

/* --------------------------------------------------------------------------- consolidation ---- */

/* Adds the live neighbours of a deleted node to n candidates. Returns how many there are then. */
static size_t add_neighbours_of(const graph *g, graph_scratch *s, uint32_t slot, uint32_t deleted,
	size_t n)
{
	const uint32_t *links = ims_graph_links(g, deleted);
	uint32_t live[IMGSEARCH_DEGREE_MAX];
	size_t some = 0;
	for (uint32_t i = 0; i < g->stride && links[i] != GRAPH_NONE; i++)
		if (links[i] != slot && !ims_graph_is_deleted(g, links[i]))
			live[some++] = links[i];
	ims_graph_add_candidates(g, s, slot, n, live, some);
	return n + some;
}

/* Replaces the links of a live node to deleted nodes. */
static bool consolidate_node(graph *g, graph_scratch *s, uint32_t slot)
{
	uint32_t *links = ims_graph_links(g, slot), kept[IMGSEARCH_DEGREE_MAX],
			 gone[IMGSEARCH_DEGREE_MAX];
	size_t kept_n = 0, gone_n = 0;
	for (uint32_t i = 0; i < g->stride && links[i] != GRAPH_NONE; i++)
		if (ims_graph_is_deleted(g, links[i]))
			gone[gone_n++] = links[i];
		else
			kept[kept_n++] = links[i];
	if (!gone_n)
		return true;
	if (!ims_graph_reserve_candidates(s, kept_n + gone_n * g->stride))
		return false;
	size_t n = kept_n;
	ims_graph_add_candidates(g, s, slot, 0, kept, kept_n);
	for (size_t i = 0; i < gone_n; i++)
		n = add_neighbours_of(g, s, slot, gone[i], n);
	if (n)
		n = ims_graph_prune(g, s, slot, n, g->alpha, links, g->degree);
	else if (!ims_graph_find_links(g, s, slot, g->beam, g->alpha, links))
		return false;
	else
		n = ims_graph_count(g, slot);
	if (n < g->stride)
		links[n] = GRAPH_NONE;
	return true;
}

/* Draws the entry points anew from all live nodes, so that new clusters have some. */
static int draw_entries(graph *g, imgsearch_error *err)
{
	size_t n = ims_graph_entry_count(g->live - g->copies);
	uint32_t *entry = ims_alloc(n + 1, sizeof *entry);
	uint64_t seed = g->live;
	if (!entry)
		return ims_nomem(err);
	for (size_t i = 0; i < n;) {
		uint32_t slot = (uint32_t)(ims_random(&seed) % g->n);
		if (g->ids[slot] != GRAPH_FREE && !ims_graph_is_deleted(g, slot)
			&& g->before[slot] == GRAPH_NONE)
			entry[i++] = slot;
	}
	int rc = ims_graph_entries(g, entry, n, err);
	ims_free(entry);
	return rc;
}

/* Ends the round: slots that were deleted when it began are free. Begins the next round. */
static int end_round(graph *g, imgsearch_error *err)
{
	size_t words = (g->n + 63) / 64, most = g->free_n + g->deleted_n;
	int rc = draw_entries(g, err);
	if (rc)
		return rc;
	if (most > g->free_room) {
		uint32_t *p = ims_realloc(g->free_slot, most, sizeof *p);
		if (!p)
			return ims_nomem(err);
		g->free_slot = p;
		g->free_room = most;
	}
	for (uint32_t i = 0; g->round && i < g->round_n; i++)
		if ((g->round[i >> 6] >> (i & 63) & 1) && g->ids[i] != GRAPH_FREE) {
			g->ids[i] = GRAPH_FREE;
			memset(ims_graph_links(g, i), 0xff, g->stride * sizeof(uint32_t));
			g->free_slot[g->free_n++] = i;
			g->deleted_n--;
		}
	uint64_t *grown = ims_realloc(g->round, words, sizeof *grown);
	if (!grown)
		return ims_nomem(err);
	memcpy(grown, g->deleted, words * sizeof *grown);
	g->round = grown;
	g->round_n = g->n;
	g->round_at = 0;
	return ims_graph_connect(g, err);
}

/* Consolidates so many slots further. */
static int consolidate(graph *g, graph_scratch *s, size_t slots, imgsearch_error *err)
{
	if (!g->deleted_n)
		return 0;
	for (; slots; slots--, g->round_at++) {
		if (g->round_at >= g->n)
			return end_round(g, err);
		if (!ims_graph_is_deleted(g, (uint32_t)g->round_at)
			&& !consolidate_node(g, s, (uint32_t)g->round_at))
			return ims_nomem(err);
	}
	return 0;
}

/* --------------------------------------------------------------------------------- changes ---- */

static void mark_deleted(graph *g, graph_scratch *s, size_t at)
{
	ims_graph_detach_copy(g, s, g->by_id[at]);
	set_deleted(g, g->by_id[at], true);
	g->deleted_n++;
	g->live--;
	remove_id(g, at);
}

/* Puts a row into a slot, with its code and without links. */
static int place_row(graph *g, graph_scratch *s, int64_t id, const float *row, uint32_t *slot,
	imgsearch_error *err)
{
	if (!g->free_n && g->n == g->room) {
		int rc = ims_graph_reserve(g, g->n + 1, err);
		if (rc)
			return rc;
	}
	*slot = g->free_n ? g->free_slot[--g->free_n] : (uint32_t)g->n++;
	g->ids[*slot] = id;
	ims_graph_encode(&g->quantiser, row, g->codes + (size_t)*slot * g->quantiser.size,
		ims_graph_residual(g, *slot), s->encoder);
	memset(ims_graph_links(g, *slot), 0xff, g->stride * sizeof(uint32_t));
	if (g->round && *slot < g->round_n)
		g->round[*slot >> 6] &= ~((uint64_t)1 << (*slot & 63));
	set_deleted(g, *slot, false);
	g->by_id[find_id(g, id)] = *slot;
	g->live++;
	return 0;
}

static int link_one(graph *g, graph_scratch *s, uint32_t slot, imgsearch_error *err)
{
	uint32_t *links = ims_graph_links(g, slot);
	if (!g->entries)
		return ims_graph_entries(g, &slot, 1, err);
	if (!ims_graph_find_links(g, s, slot, g->beam, g->alpha, links))
		return ims_nomem(err);
	for (uint32_t i = 0; i < g->stride && links[i] != GRAPH_NONE; i++)
		if (ims_graph_is_copy_of(g, slot, links[i])) {
			ims_graph_attach_copy(g, links[i], slot);
			return 0;
		}
	for (uint32_t i = 0; i < g->stride && links[i] != GRAPH_NONE; i++)
		if (!ims_graph_link_back(g, s, links[i], &slot, 1, g->alpha))
			return ims_nomem(err);
	return 0;
}

static int add_one(graph *g, int64_t id, const float *row, imgsearch_error *err)
{
	graph_scratch *s = NULL;
	uint32_t slot;
	size_t at;
	int rc = reserve_ids(g, err);
	if (!rc)
		rc = ims_graph_scratch_acquire(g, &s, err);
	if (!rc && g->by_id[at = find_id(g, id)] != GRAPH_NONE)
		mark_deleted(g, s, at);
	if (!rc)
		rc = place_row(g, s, id, row, &slot, err);
	if (rc)
		goto done;
	if (s->slots < g->room) { /* the graph has grown */
		ims_graph_scratch_free(s);
		s = NULL;
		rc = ims_graph_scratch_acquire(g, &s, err);
	}
	if (!rc)
		rc = link_one(g, s, slot, err);
	if (rc)
		mark_deleted(g, s, find_id(g, id));
	else
		rc = consolidate(g, s, CONSOLIDATE, err);
done:
	ims_graph_scratch_release(g, s);
	return rc;
}

int ims_graph_add(searcher *x, const int64_t *ids, const float *rows, size_t n, job *job,
	imgsearch_error *err)
{
	graph *g = (graph *)x;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		rc = ims_job_check(job, err);
		if (!rc)
			rc = add_one(g, ids[i], rows + i * g->quantiser.dim, err);
	}
	return rc;
}

int ims_graph_remove(searcher *x, const int64_t *ids, size_t n, imgsearch_error *err)
{
	graph *g = (graph *)x;
	graph_scratch *s = NULL;
	int rc = n ? reserve_ids(g, err) : 0;
	if (!rc)
		rc = ims_graph_scratch_acquire(g, &s, err);
	for (size_t i = 0; !rc && i < n; i++) {
		size_t at = find_id(g, ids[i]);
		if (g->by_id[at] != GRAPH_NONE)
			mark_deleted(g, s, at);
		rc = consolidate(g, s, CONSOLIDATE, err);
	}
	ims_graph_scratch_release(g, s);
	return rc;
}

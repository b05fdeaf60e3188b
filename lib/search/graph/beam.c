/*
 * Best-first search: expand the nearest node not yet expanded until none of the ef nearest is left. Three nodes are on
 * their way at a time, so that no step waits for memory: while the neighbours of one are scored, the codes of the next
 * one's neighbours are fetched, and the links of the one after that.
 * With a filter (or removed nodes about) the beam still goes through every node, but only what passes is accepted.
 */
#include "search/graph/graph.h"

enum { SEEDS = 4 };

int ims_graph_list_room(graph_list *l, size_t room)
{
	if (room > l->cap) {
		graph_item *item = ims_realloc(l->item, room, sizeof(*item));
		if (!item)
			return -1;
		l->item = item;
		l->cap = room;
	}
	l->room = room;
	l->n = l->next = 0;
	return 0;
}

void ims_graph_list_push(graph_list *l, graph_item item)
{
	size_t low = 0;
	if (l->n == l->room && (!l->n || item >= l->item[l->n - 1]))
		return;
	for (size_t left = l->n; left; left -= (left + 1) / 2) /* without branches: where it goes cannot be foreseen */
		low += (l->item[low + left / 2] < item) * ((left + 1) / 2);
	if (l->n < l->room)
		l->n++;
	memmove(l->item + low + 1, l->item + low, (l->n - 1 - low) * sizeof(item));
	l->item[low] = item;
	if (low < l->next)
		l->next = low;
}

static bool grow(void **array, size_t *cap, size_t need, size_t item)
{
	if (need <= *cap)
		return true;
	size_t room = need < 512 ? 1024 : need * 2;
	void *p = ims_realloc(*array, room, item);
	if (!p)
		return false;
	*array = p;
	*cap = room;
	return true;
}

static inline bool mark(graph_scratch *s, uint32_t slot)
{
	uint64_t bit = (uint64_t)1 << (slot & 63), *word = &s->seen[slot >> 6];
	if (*word & bit)
		return false;
	*word |= bit;
	s->touched[s->touched_n++] = slot;
	return true;
}

static inline bool passes(const graph *g, const graph_filter *f, uint32_t slot)
{
	return !ims_graph_is_deleted(g, slot) && (!f->request || ims_search_passes(f->request, g->ids[slot]));
}

/* Scores slots, puts them into the beam and, where they pass, among the accepted. */
static void score(const graph *g, graph_scratch *s, const int8_t *query, const uint32_t *slot, size_t n, const graph_filter *filter)
{
	graph_list *beam = &s->beam;
	ims_kernels()->dot_u8_i8(g->codes, g->coder.size, slot, n, query, s->dots);
	for (size_t i = 0; i < n; i++) {
		graph_item item = ims_graph_item(ims_graph_constant(ims_graph_code(g, slot[i]), g->coder.size) - s->dots[i], slot[i]);
		if (filter && (s->accepted.n < s->accepted.room || item < s->accepted.item[s->accepted.n - 1]) && passes(g, filter, slot[i]))
			ims_graph_list_push(&s->accepted, item);
		if (beam->n < beam->room || item < beam->item[beam->n - 1])
			ims_graph_list_push(beam, item);
	}
}

static inline void fetch_code(const uint8_t *code, uint32_t size)
{
	for (uint32_t i = 0; i < size; i += 64)
		__builtin_prefetch(code + i);
}

/* Begins at the entries nearest to the query. */
static void start(const graph *g, graph_scratch *s, const int8_t *query, const graph_filter *filter)
{
	graph_item seed[SEEDS];
	uint32_t slot[SEEDS];
	graph_list nearest = { .item = seed, .room = SEEDS };
	size_t n = 0;
	for (size_t at = 0; at < g->entries; at += 64) {
		size_t some = g->entries - at < 64 ? g->entries - at : 64;
		const uint8_t *codes = g->entry_codes + at * g->coder.size;
		ims_kernels()->dot_u8_i8(codes, g->coder.size, NULL, some, query, s->dots);
		for (size_t i = 0; i < some; i++)
			ims_graph_list_push(&nearest, ims_graph_item(ims_graph_constant(codes + i * g->coder.size, g->coder.size) - s->dots[i], g->entry[at + i]));
	}
	for (size_t i = 0; i < nearest.n; i++)
		if (mark(s, ims_graph_slot(seed[i])))
			slot[n++] = ims_graph_slot(seed[i]);
	score(g, s, query, slot, n, filter);
}

/* The nearest node that is not expanded yet, its links on their way into the cache. */
static bool choose(const graph *g, graph_scratch *s, uint32_t *slot, bool keep_trail)
{
	graph_list *beam = &s->beam;
	while (beam->next < beam->n && (beam->item[beam->next] & 1))
		beam->next++;
	if (beam->next == beam->n)
		return false;
	if (keep_trail)
		s->trail[s->trail_n++] = beam->item[beam->next];
	*slot = ims_graph_slot(beam->item[beam->next]);
	beam->item[beam->next++] |= 1;
	const uint32_t *links = ims_graph_links(g, *slot);
	for (uint32_t i = 0; i < g->stride; i += 16)
		__builtin_prefetch(links + i);
	return true;
}

/* Its neighbours that were not met before, their codes on their way into the cache. */
static size_t expand(const graph *g, graph_scratch *s, uint32_t slot, uint32_t *fresh)
{
	const uint32_t *links = ims_graph_links(g, slot);
	size_t n = 0;
	for (uint32_t i = 0; i < g->stride && links[i] != GRAPH_NONE; i++)
		if (mark(s, links[i])) {
			fetch_code(ims_graph_code(g, links[i]), g->coder.size);
			fresh[n++] = links[i];
		}
	return n;
}

const graph_list *ims_graph_search(const graph *g, graph_scratch *s, const int8_t *query, size_t ef, const graph_filter *filter, bool keep_trail)
{
	graph_list *beam = &s->beam;
	s->failed = false;
	s->trail_n = 0;
	size_t wide = filter ? ef + (ef * g->deleted_n + g->live) / (g->live + 1) : ef; /* deleted nodes take no places from others */
	if (ims_graph_list_room(beam, wide) || (filter && ims_graph_list_room(&s->accepted, ef)) ||
		!grow((void **)&s->touched, &s->touched_cap, SEEDS + 1, sizeof(uint32_t))) {
		s->failed = true;
		beam->n = s->accepted.n = 0;
		return filter ? &s->accepted : beam;
	}
	start(g, s, query, filter);
	uint32_t *waiting = s->fresh, *fresh = waiting + g->stride, at = 0, next;
	size_t n_waiting = 0;
	for (bool chosen = false;;) {
		if (!grow((void **)&s->touched, &s->touched_cap, s->touched_n + g->stride, sizeof(uint32_t)) ||
			(keep_trail && !grow((void **)&s->trail, &s->trail_cap, s->trail_n + 1, sizeof(graph_item)))) {
			s->failed = true;
			break;
		}
		bool more = choose(g, s, &next, keep_trail);
		if (!more && !chosen && !n_waiting)
			break;
		size_t n = chosen ? expand(g, s, at, fresh) : 0;
		score(g, s, query, waiting, n_waiting, filter);
		uint32_t *scored = waiting;
		waiting = fresh;
		n_waiting = n;
		fresh = scored;
		chosen = more;
		at = next;
	}
	for (size_t i = 0; i < s->touched_n; i++)
		s->seen[s->touched[i] >> 6] = 0;
	s->touched_n = 0;
	return filter ? &s->accepted : beam;
}

/* ------------------------------------------------------------------------------------------------ scratch ---- */

void ims_graph_scratch_free(void *scratch)
{
	graph_scratch *s = scratch;
	if (!s)
		return;
	ims_free(s->seen);
	ims_free(s->beam.item);
	ims_free(s->accepted.item);
	ims_free(s->trail);
	ims_free(s->touched);
	ims_free(s->pool);
	ims_free(s->dots);
	ims_free(s->fresh);
	ims_free(s->code);
	ims_free(s->other);
	ims_free(s->room);
	ims_free(s->rows);
	ims_free(s->found);
	ims_free(s);
}

static graph_scratch *scratch_new(const graph *g)
{
	graph_scratch *s = ims_zalloc(1, sizeof(*s));
	if (!s)
		return NULL;
	size_t list = (size_t)g->stride < 64 ? 64 : g->stride;
	s->slots = g->room;
	s->seen = ims_zalloc(g->room / 64 + 1, sizeof(*s->seen));
	s->dots = ims_alloc_aligned(list, sizeof(*s->dots));
	s->fresh = ims_alloc(2 * list, sizeof(*s->fresh));
	s->code = ims_alloc_aligned(g->coder.size, 1);
	s->other = ims_alloc_aligned(g->coder.size, 1);
	s->room = ims_alloc_aligned(ims_graph_coder_room(&g->coder), 1);
	s->rows = ims_alloc_aligned((size_t)GRAPH_FETCH * g->coder.dim, sizeof(float));
	s->found = ims_alloc(GRAPH_FETCH, 1);
	if (s->seen && s->dots && s->fresh && s->code && s->other && s->room && s->rows && s->found)
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

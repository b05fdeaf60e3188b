/*
 * Best-first search: the nearest node that is not expanded is expanded, until the ef nearest all
 * are. Three nodes are in the pipeline, so that no step waits for memory: while the neighbours of
 * one are scored, the codes of the next one's neighbours are fetched, and the links of the one
 * after that. The pipeline is our own.
 *
 * With a filter, or with deleted nodes, the beam goes through every node, but only nodes that pass
 * are accepted.
 *
 * The copies that hang behind a node (copies.h) are found with it, but take no place in the beam:
 * they lead nowhere, and would push out the nodes through which nearer ones are found.
 */
#include "search/graph/beam.h"

#include "search/graph/copies.h"

enum { SEEDS = 4 /* entry points that a search begins at */ };

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

/* Marks a slot as visited. False: it was. */
static inline bool mark(graph_scratch *s, uint32_t slot)
{
	uint64_t bit = (uint64_t)1 << (slot & 63), *word = &s->visited[slot >> 6];
	if (*word & bit)
		return false;
	*word |= bit;
	s->visited_slot[s->visited_n++] = slot;
	return true;
}

static inline bool passes(const graph *g, const graph_filter *f, uint32_t slot)
{
	return !ims_graph_is_deleted(g, slot)
		&& (!f->request || ims_search_passes(f->request, g->ids[slot]));
}

static bool fits(const graph_list *l, graph_item item)
{
	return l->n < l->room || item < l->item[l->n - 1];
}

/* Puts a node into the beam and, where it passes, among the accepted nodes. */
static inline void offer(const graph *g, graph_scratch *s, graph_item item,
	const graph_filter *filter)
{
	if (filter && fits(&s->accepted, item) && passes(g, filter, ims_graph_slot(item)))
		ims_graph_list_push(&s->accepted, item);
	if (fits(&s->beam, item))
		ims_graph_list_push(&s->beam, item);
}

/* Puts the chain behind a node, which begins with `item`, among the copies, while there is room. */
static void take_chain(const graph *g, graph_scratch *s, graph_item item,
	const graph_filter *filter)
{
	while (fits(&s->copies, item)) {
		uint32_t slot = ims_graph_slot(item), next = ims_graph_next_copy(g, slot);
		if (!filter || passes(g, filter, slot))
			ims_graph_list_push(&s->copies, item | 1);
		if (!grow((void **)&s->visited_slot, &s->visited_cap, s->visited_n + 1, sizeof slot))
			s->failed = true;
		if (s->failed || next == GRAPH_NONE || !mark(s, next))
			return;
		item = ims_graph_item(ims_graph_distance(item), next);
		if (!ims_graph_hangs_behind(g, slot, next)) {
			offer(g, s, item, filter);
			return;
		}
	}
}

/* Scores slots and offers them to the beam. from: the node that links to them, or 0. */
static void score(const graph *g, graph_scratch *s, const int8_t *query, const uint32_t *slot,
	size_t n, const graph_filter *filter, graph_item from)
{
	ims_kernels()->dot_u8_i8(g->codes, g->quantiser.size, slot, n, query, s->dots);
	for (size_t i = 0; i < n; i++) {
		graph_item item = ims_graph_item(ims_graph_constant(ims_graph_code(g, slot[i]),
											 g->quantiser.size)
				- s->dots[i],
			slot[i]);
		if (!i && from && ims_graph_distance(item) == ims_graph_distance(from)
			&& ims_graph_hangs_behind(g, ims_graph_slot(from), slot[i]))
			take_chain(g, s, item, filter);
		else
			offer(g, s, item, filter);
	}
}

static inline void fetch_code(const uint8_t *code, uint32_t size)
{
	for (uint32_t i = 0; i < size; i += 64)
		__builtin_prefetch(code + i);
}

/* Begins at the entry points nearest to the query. */
static void start(const graph *g, graph_scratch *s, const int8_t *query, const graph_filter *filter)
{
	graph_item seed[SEEDS];
	uint32_t slot[SEEDS];
	graph_list nearest = { .item = seed, .room = SEEDS };
	size_t n = 0;
	for (size_t at = 0; at < g->entries; at += 64) {
		size_t some = g->entries - at < 64 ? g->entries - at : 64;
		const uint8_t *codes = g->entry_codes + at * g->quantiser.size;
		ims_kernels()->dot_u8_i8(codes, g->quantiser.size, NULL, some, query, s->dots);
		for (size_t i = 0; i < some; i++)
			ims_graph_list_push(&nearest,
				ims_graph_item(ims_graph_constant(codes + i * g->quantiser.size, g->quantiser.size)
						- s->dots[i],
					g->entry[at + i]));
	}
	for (size_t i = 0; i < nearest.n; i++)
		if (mark(s, ims_graph_slot(seed[i])))
			slot[n++] = ims_graph_slot(seed[i]);
	score(g, s, query, slot, n, filter, 0);
}

/* The nearest node that is not expanded. Fetches its links into the cache. */
static bool choose(const graph *g, graph_scratch *s, graph_item *node, bool keep_expanded)
{
	graph_list *beam = &s->beam;
	while (beam->next < beam->n && (beam->item[beam->next] & 1))
		beam->next++;
	if (beam->next == beam->n)
		return false;
	if (keep_expanded)
		s->expanded[s->expanded_n++] = beam->item[beam->next];
	*node = beam->item[beam->next];
	beam->item[beam->next++] |= 1;
	const uint32_t *links = ims_graph_links(g, ims_graph_slot(*node));
	for (uint32_t i = 0; i < g->stride; i += 16)
		__builtin_prefetch(links + i);
	return true;
}

/*
 * The unvisited neighbours of a node. Fetches their codes into the cache. copies: g->before, to
 * leave out all but the first copy of each group; or NULL.
 */
static size_t expand(const graph *g, graph_scratch *s, uint32_t slot, const uint32_t *copies,
	uint32_t *fresh)
{
	const uint32_t *links = ims_graph_links(g, slot);
	size_t n = 0;
	for (uint32_t i = 0; i < g->stride && links[i] != GRAPH_NONE; i++)
		if ((!copies || copies[links[i]] == GRAPH_NONE) && mark(s, links[i])) {
			fetch_code(ims_graph_code(g, links[i]), g->quantiser.size);
			fresh[n++] = links[i];
		}
	return n;
}

/* Room for a search, and for copies beside what it finds. */
static bool make_room(graph_scratch *s, size_t ef, size_t wide, bool filter)
{
	if (ims_graph_list_room(&s->beam, wide) || ims_graph_list_room(&s->copies, ef + wide)
		|| (filter && ims_graph_list_room(&s->accepted, ef)))
		return false;
	s->copies.room = ef;
	return grow((void **)&s->visited_slot, &s->visited_cap, SEEDS + 1, sizeof(uint32_t));
}

/* What was found and its copies, which take no place of others. It is full where either was. */
static const graph_list *with_copies(graph_scratch *s, const graph_list *found)
{
	graph_list *all = &s->copies;
	if (!all->n)
		return found;
	bool full = all->n == all->room || found->n == found->room;
	all->room += s->beam.room;
	for (size_t i = 0; i < found->n; i++)
		ims_graph_list_push(all, found->item[i]);
	if (full)
		all->room = all->n;
	return all;
}

const graph_list *ims_graph_beam_search(const graph *g, graph_scratch *s, const int8_t *query,
	size_t ef, const graph_filter *filter, bool keep_expanded)
{
	graph_list *beam = &s->beam;
	s->failed = false;
	s->expanded_n = 0;
	size_t wide = ef;
	if (filter) /* the beam is wider by the share of deleted nodes */
		wide += (ef * g->deleted_n + g->live) / (g->live + 1);
	if (!make_room(s, ef, wide, filter)) {
		s->failed = true;
		beam->n = s->accepted.n = 0;
		return filter ? &s->accepted : beam;
	}
	start(g, s, query, filter);
	uint32_t *waiting = s->neighbour, *fresh = waiting + g->stride;
	graph_item at = 0, next = 0, from = 0; /* from: whose neighbours wait */
	size_t n_waiting = 0;
	for (bool chosen = false;;) {
		if (!grow((void **)&s->visited_slot, &s->visited_cap, s->visited_n + g->stride,
				sizeof(uint32_t))
			|| (keep_expanded
				&& !grow((void **)&s->expanded, &s->expanded_cap, s->expanded_n + 1,
					sizeof(graph_item)))) {
			s->failed = true;
			break;
		}
		bool more = choose(g, s, &next, keep_expanded);
		if (!more && !chosen && !n_waiting)
			break;
		size_t n = 0;
		if (chosen)
			n = expand(g, s, ims_graph_slot(at), keep_expanded ? g->before : NULL, fresh);
		score(g, s, query, waiting, n_waiting, filter, from);
		uint32_t *scored = waiting;
		waiting = fresh;
		n_waiting = n;
		fresh = scored;
		chosen = more;
		from = at;
		at = next;
	}
	for (size_t i = 0; i < s->visited_n; i++)
		s->visited[s->visited_slot[i] >> 6] = 0;
	s->visited_n = 0;
	return with_copies(s, filter ? &s->accepted : beam);
}

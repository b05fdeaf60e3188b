/*
 * Best-first search: the nearest node that is not expanded is expanded, until the ef nearest all
 * are. Three nodes are in the pipeline, so that no step waits for memory: while the neighbours of
 * one are scored, the codes of the next one's neighbours are fetched, and the links of the one
 * after that. The pipeline is our own.
 *
 * With a filter, or with deleted nodes, the beam goes through every node, but only nodes that pass
 * are accepted.
 *
 * A search ends when the nodes within the width are expanded. How wide that is may depend on the
 * query, as in Ada-ef (Zhang et al., "Distribution-aware exploration for adaptive HNSW search",
 * 2025): once the narrowest beam has ended, the distance of what it found is compared with the
 * distances of the entry points, a random sample of the rows. The contrast is the number of
 * standard deviations between their mean and the mean of the 2nd to the 5th nearest node; the first
 * one may be the query itself. A query that stands near to its neighbours has a high contrast, and
 * needs no wide beam.
 *
 * The copies that hang behind a node (copies.h) are found with it, but take no place in the beam:
 * they lead nowhere, and would push out the nodes through which nearer ones are found.
 */
#include "search/graph/beam.h"

#include "search/graph/copies.h"

#include <math.h>

enum {
	SEEDS = 4, /* entry points that a search begins at */
	FIFTH = 5,
	NEAREST = 10 /* that the points of an effort are for */
};

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

/* Begins at the entry points nearest to the query. Sums up the distances of all. */
static void start(const graph *g, graph_scratch *s, const int8_t *query, const graph_filter *filter)
{
	graph_item seed[SEEDS];
	uint32_t slot[SEEDS];
	graph_list nearest = { .item = seed, .room = SEEDS };
	size_t n = 0;
	s->entry_sum = s->entry_squares = 0;
	for (size_t at = 0; at < g->entries; at += 64) {
		size_t some = g->entries - at < 64 ? g->entries - at : 64;
		const uint8_t *codes = g->entry_codes + at * g->quantiser.size;
		ims_kernels()->dot_u8_i8(codes, g->quantiser.size, NULL, some, query, s->dots);
		for (size_t i = 0; i < some; i++) {
			int32_t d = ims_graph_constant(codes + i * g->quantiser.size, g->quantiser.size)
				- s->dots[i];
			s->entry_sum += d;
			s->entry_squares += (double)d * d;
			ims_graph_list_push(&nearest, ims_graph_item(d, g->entry[at + i]));
		}
	}
	for (size_t i = 0; i < nearest.n; i++)
		if (mark(s, ims_graph_slot(seed[i])))
			slot[n++] = ims_graph_slot(seed[i]);
	score(g, s, query, slot, n, filter, 0);
}

/* The nearest node within the width that is not expanded. Fetches its links into the cache. */
static bool choose(const graph *g, graph_scratch *s, size_t width, graph_item *node,
	bool keep_expanded)
{
	graph_list *beam = &s->beam;
	size_t end = beam->n < width ? beam->n : width;
	while (beam->next < end && (beam->item[beam->next] & 1))
		beam->next++;
	if (beam->next >= end)
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

/* With a filter the beam is wider by the share of deleted nodes. */
static size_t beam_width(const graph *g, size_t ef, const graph_filter *filter)
{
	return filter ? ef + (ef * g->deleted_n + g->live) / (g->live + 1) : ef;
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

/* The nodes beyond a width leave the list, which takes no others. */
static void narrow(graph_list *l, size_t width)
{
	l->n = l->n < width ? l->n : width;
	l->room = l->room < width ? l->room : width;
}

/* The standard deviations between the mean distance of the entry points and the found nodes. */
static float contrast_of(const graph *g, const graph_scratch *s)
{
	const graph_list *beam = &s->beam;
	double n = (double)g->entries, mean = s->entry_sum / n;
	double variance = s->entry_squares / n - mean * mean;
	if (beam->n < FIFTH || !(variance > 0))
		return 0;
	double sum = 0;
	for (size_t i = 1; i < FIFTH; i++)
		sum += ims_graph_distance(beam->item[i]);
	double contrast = (mean - sum / (FIFTH - 1)) / sqrt(variance);
	return contrast > 0 ? (float)contrast : 0;
}

size_t ims_graph_effort_width(const graph_effort *effort, const graph_operating_point *point)
{
	size_t width = effort->k > NEAREST ? point->ef * effort->k / NEAREST : point->ef;
	return width < effort->first ? effort->first : width;
}

/* The point of the query's class. */
static const graph_operating_point *classify(const graph_effort *effort, float contrast)
{
	uint32_t i = 0;
	while (i + 1 < effort->points && contrast < effort->point[i].contrast)
		i++;
	return &effort->point[i];
}

/* Expands nodes until all within the width are. */
static void expand_all(const graph *g, graph_scratch *s, const int8_t *query, size_t width,
	const graph_filter *filter, bool keep_expanded)
{
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
			return;
		}
		bool more = choose(g, s, width, &next, keep_expanded);
		if (!more && !chosen && !n_waiting)
			return;
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
}

/* Goes on to the width of the query's class; returns the ef of it. */
static size_t widen(const graph *g, graph_scratch *s, const int8_t *query,
	const graph_effort *effort, const graph_filter *filter)
{
	s->contrast = contrast_of(g, s);
	s->taken = classify(effort, s->contrast);
	size_t ef = ims_graph_effort_width(effort, s->taken);
	if (ef > effort->first && !s->failed)
		expand_all(g, s, query, beam_width(g, ef, filter), filter, false);
	return ef;
}

static const graph_list *search(const graph *g, graph_scratch *s, const int8_t *query,
	const graph_effort *effort, const graph_filter *filter, bool keep_expanded)
{
	graph_list *found = filter ? &s->accepted : &s->beam;
	size_t ef = effort->first, most = ef;
	for (uint32_t i = 0; i < effort->points; i++) {
		size_t width = ims_graph_effort_width(effort, &effort->point[i]);
		most = width > most ? width : most;
	}
	s->failed = !make_room(s, most, beam_width(g, most, filter), filter);
	s->expanded_n = 0;
	s->taken = NULL;
	if (s->failed) {
		s->beam.n = s->accepted.n = 0;
		return found;
	}
	start(g, s, query, filter);
	expand_all(g, s, query, beam_width(g, ef, filter), filter, keep_expanded);
	if (effort->points)
		ef = widen(g, s, query, effort, filter);
	for (size_t i = 0; i < s->visited_n; i++)
		s->visited[s->visited_slot[i] >> 6] = 0;
	s->visited_n = 0;
	narrow(&s->beam, beam_width(g, ef, filter));
	if (filter)
		narrow(&s->accepted, ef);
	return with_copies(s, found);
}

const graph_list *ims_graph_beam_search(const graph *g, graph_scratch *s, const int8_t *query,
	size_t ef, const graph_filter *filter, bool keep_expanded)
{
	const graph_effort effort = { .first = ef };
	return search(g, s, query, &effort, filter, keep_expanded);
}

const graph_list *ims_graph_adaptive_search(const graph *g, graph_scratch *s, const int8_t *query,
	const graph_effort *effort, const graph_filter *filter)
{
	return search(g, s, query, effort, filter, false);
}

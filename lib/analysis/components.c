/*
 * Connected components by union-find. For cliques the members of a component are linked in a ring,
 * and so are its conflicts: members of other components which some member does not fit. A component
 * only grows, so a conflict once found stays, and two components are compared at most once.
 */
#include "analysis/components.h"

/* A parent is never larger than its child, so the root is the smallest member. Halves the path. */
static uint32_t root_of(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i)
		i = parent[i] = parent[parent[i]];
	return i;
}

static bool is_separate(uint32_t *parent, uint32_t a, uint32_t b, const uint32_t (*separate)[2],
	size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t x = root_of(parent, separate[i][0]), y = root_of(parent, separate[i][1]);
		if ((x == a && y == b) || (x == b && y == a))
			return true;
	}
	return false;
}

void ims_analysis_components(uint32_t *label, size_t n, const uint32_t (*edge)[2], size_t m,
	const uint32_t (*separate)[2], size_t n_separate, uint8_t *joined)
{
	for (size_t i = 0; i < n; i++)
		label[i] = (uint32_t)i;
	for (size_t e = 0; e < m; e++) {
		uint32_t a = root_of(label, edge[e][0]), b = root_of(label, edge[e][1]);
		bool join = a != b && !is_separate(label, a, b, separate, n_separate);
		if (joined)
			joined[e] = join;
		if (join && a < b)
			label[b] = a;
		else if (join)
			label[a] = b;
	}
	for (size_t i = 0; i < n; i++)
		label[i] = label[label[i]]; /* parents are smaller, so theirs are final */
}

/* --------------------------------------------------------------------------------- cliques ---- */

#define NONE UINT32_MAX

typedef struct conflict {
	uint32_t other, next; /* next: in the ring of a component */
} conflict;

typedef struct clique_builder {
	uint32_t *parent, *next, *conflicts; /* of vertices; conflicts: of roots, any of their ring */
	conflict *conflict;
	size_t n_conflict, cap_conflict;
	ims_analysis_fits *fits;
	void *user;
} clique_builder;

static bool has_conflict(const clique_builder *b, uint32_t root, uint32_t with)
{
	uint32_t first = b->conflicts[root], at = first;
	while (at != NONE) {
		if (root_of(b->parent, b->conflict[at].other) == with)
			return true;
		at = b->conflict[at].next;
		if (at == first)
			break;
	}
	return false;
}

/* Exchanges what follows two items of rings: joins two rings. */
static void link_rings(uint32_t *next_a, uint32_t *next_b)
{
	uint32_t next = *next_a;
	*next_a = *next_b;
	*next_b = next;
}

static int add_conflict(clique_builder *b, uint32_t root, uint32_t other)
{
	conflict *grown = ims_grow(b->conflict, b->n_conflict, &b->cap_conflict, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	b->conflict = grown;
	uint32_t at = (uint32_t)b->n_conflict++;
	b->conflict[at] = (conflict){ other, at };
	if (b->conflicts[root] == NONE)
		b->conflicts[root] = at;
	else
		link_rings(&b->conflict[b->conflicts[root]].next, &b->conflict[at].next);
	return 0;
}

static bool all_fit(const clique_builder *b, uint32_t x, uint32_t y)
{
	uint32_t i = x;
	do {
		uint32_t k = y;
		do {
			if (!b->fits(b->user, i, k))
				return false;
			k = b->next[k];
		} while (k != y);
		i = b->next[i];
	} while (i != x);
	return true;
}

static void join_roots(clique_builder *b, uint32_t x, uint32_t y)
{
	uint32_t root = x < y ? x : y, child = x < y ? y : x;
	b->parent[child] = root;
	link_rings(&b->next[root], &b->next[child]);
	if (b->conflicts[root] == NONE)
		b->conflicts[root] = b->conflicts[child];
	else if (b->conflicts[child] != NONE)
		link_rings(&b->conflict[b->conflicts[root]].next, &b->conflict[b->conflicts[child]].next);
}

static int add_clique_edge(clique_builder *b, uint32_t x, uint32_t y, bool *joined)
{
	x = root_of(b->parent, x);
	y = root_of(b->parent, y);
	if (x == y || has_conflict(b, x, y))
		return 0;
	*joined = all_fit(b, x, y);
	if (*joined) {
		join_roots(b, x, y);
		return 0;
	}
	int rc = add_conflict(b, x, y);
	return rc ? rc : add_conflict(b, y, x);
}

int ims_analysis_cliques(uint32_t *label, size_t n, const uint32_t (*edge)[2], size_t m,
	const uint32_t (*separate)[2], size_t n_separate, ims_analysis_fits *fits, void *user,
	uint8_t *joined)
{
	clique_builder b = { .parent = label, .fits = fits, .user = user };
	b.next = ims_alloc(n + 1, sizeof *b.next);
	b.conflicts = ims_alloc(n + 1, sizeof *b.conflicts);
	int rc = b.next && b.conflicts ? 0 : IMGSEARCH_ENOMEM;
	for (size_t i = 0; i < n && !rc; i++)
		label[i] = b.next[i] = (uint32_t)i, b.conflicts[i] = NONE;
	for (size_t i = 0; i < n_separate && !rc; i++)
		for (int end = 0; end < 2 && !rc; end++)
			rc = add_conflict(&b, separate[i][end], separate[i][1 - end]);
	for (size_t e = 0; e < m && !rc; e++) {
		bool join = false;
		rc = add_clique_edge(&b, edge[e][0], edge[e][1], &join);
		if (joined)
			joined[e] = join;
	}
	for (size_t i = 0; i < n && !rc; i++)
		label[i] = label[label[i]];
	ims_free(b.next);
	ims_free(b.conflicts);
	ims_free(b.conflict);
	return rc;
}

#include "words/merges.h"

#include "base/alloc.h"
#include "base/error.h"

static uint64_t pair_of(int32_t left, int32_t right)
{
	return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

/* The slot of a pair, or the free one where it would be. There always is a free one. */
static merge *slot_of(merge *slot, size_t slots, uint64_t pair)
{
	uint64_t h = pair * 0x9e3779b97f4a7c15;
	size_t at = (size_t)(h ^ h >> 32) & (slots - 1);
	while (slot[at].rank && slot[at].pair != pair)
		at = (at + 1) & (slots - 1);
	return &slot[at];
}

static bool grow(merges *m)
{
	size_t slots = m->slots ? 2 * m->slots : 1024;
	merge *slot = ims_zalloc(slots, sizeof *slot);
	if (!slot)
		return false;
	for (size_t i = 0; i < m->slots; i++)
		if (m->slot[i].rank)
			*slot_of(slot, slots, m->slot[i].pair) = m->slot[i];
	ims_free(m->slot);
	m->slot = slot;
	m->slots = slots;
	return true;
}

bool ims_merges_add(merges *m, int32_t left, int32_t right, int32_t id)
{
	if (2 * (m->n + 1) > m->slots && !grow(m))
		return false;
	uint64_t pair = pair_of(left, right);
	merge *slot = slot_of(m->slot, m->slots, pair);
	if (!slot->rank)
		*slot = (merge){ pair, (uint32_t)++m->n, id };
	return true;
}

void ims_merges_free(merges *m)
{
	ims_free(m->slot);
	*m = (merges){ 0 };
}

/* -------------------------------------------------------------------------------- applying ---- */

/* A pair that may be merged: the rank and the place of its left token, which order the heap. */
typedef struct candidate {
	uint32_t rank, at;
	uint64_t pair; /* as it was; another one there now makes this candidate void */
} candidate;

typedef struct work {
	const merges *m;
	int32_t *ids;            /* -1: merged into the one before */
	uint32_t *next, *before; /* the neighbours' places; n: none */
	candidate *heap;
	size_t n, in_heap;
} work;

static bool is_before(const candidate *a, const candidate *b)
{
	return a->rank < b->rank || (a->rank == b->rank && a->at < b->at);
}

static void push(work *w, candidate c)
{
	size_t i = w->in_heap++;
	while (i && is_before(&c, &w->heap[(i - 1) / 2])) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = c;
}

static candidate pop(work *w)
{
	candidate top = w->heap[0], c = w->heap[--w->in_heap];
	size_t i = 0, child;
	while ((child = 2 * i + 1) < w->in_heap) {
		child += child + 1 < w->in_heap && is_before(&w->heap[child + 1], &w->heap[child]);
		if (!is_before(&w->heap[child], &c))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = c;
	return top;
}

/* The pair of the token at a place and the next one becomes a candidate if it is known. */
static void consider(work *w, uint32_t at)
{
	if (at >= w->n || w->next[at] >= w->n)
		return;
	uint64_t pair = pair_of(w->ids[at], w->ids[w->next[at]]);
	const merge *m = slot_of(w->m->slot, w->m->slots, pair);
	if (m->rank)
		push(w, (candidate){ m->rank, at, pair });
}

static void merge_at(work *w, const candidate *c)
{
	uint32_t at = c->at, right = w->next[at];
	if (w->ids[at] < 0 || right >= w->n || pair_of(w->ids[at], w->ids[right]) != c->pair)
		return;
	w->ids[at] = slot_of(w->m->slot, w->m->slots, c->pair)->id;
	w->ids[right] = -1;
	w->next[at] = w->next[right];
	if (w->next[at] < w->n)
		w->before[w->next[at]] = at;
	consider(w, w->before[at]);
	consider(w, at);
}

int ims_merges_apply(const merges *m, int32_t *ids, size_t *n, imgsearch_error *err)
{
	if (*n < 2 || !m->n)
		return 0;
	work w = { .m = m, .ids = ids, .n = *n };
	uint32_t *places = *n < UINT32_MAX ? ims_alloc(*n, 2 * sizeof *places) : NULL;
	w.heap = ims_alloc(*n, 3 * sizeof *w.heap); /* a merge takes one token and adds two pairs */
	int rc = places && w.heap ? 0 : ims_nomem(err);
	w.next = places;
	w.before = places ? places + *n : NULL;
	for (uint32_t i = 0; !rc && i < *n; i++) {
		w.next[i] = i + 1;
		w.before[i] = i ? i - 1 : (uint32_t)*n;
	}
	for (uint32_t i = 0; !rc && i < *n; i++)
		consider(&w, i);
	while (!rc && w.in_heap) {
		candidate c = pop(&w);
		merge_at(&w, &c);
	}
	size_t left = 0;
	for (size_t i = 0; !rc && i < *n; i++)
		if (ids[i] >= 0)
			ids[left++] = ids[i];
	if (!rc)
		*n = left;
	ims_free(places);
	ims_free(w.heap);
	return rc;
}

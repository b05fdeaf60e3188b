/* The k nearest seen so far, as a binary max-heap. */
#include "base/topk.h"

#include "base/alloc.h"
#include "imgsearch.h"

#include <stdlib.h>

int ims_topk_init(topk *t, size_t k)
{
	*t = (topk){ .item = ims_alloc(k, sizeof(neighbour)), .k = k };
	return t->item ? 0 : IMGSEARCH_ENOMEM;
}

void ims_topk_free(topk *t)
{
	ims_free(t->item);
	*t = (topk){ 0 };
}

void ims_topk_clear(topk *t)
{
	t->n = 0;
}

static inline bool before(const neighbour *a, const neighbour *b)
{
	return ims_nearer(a->distance, a->id, b->distance, b->id);
}

static void sift_up(neighbour *heap, size_t i)
{
	neighbour moving = heap[i];
	while (i && before(&heap[(i - 1) / 2], &moving)) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = moving;
}

static void sift_down(neighbour *heap, size_t n)
{
	neighbour moving = heap[0];
	size_t i = 0;
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && before(&heap[child], &heap[child + 1]))
			child++;
		if (!before(&moving, &heap[child]))
			break;
		heap[i] = heap[child];
	}
	heap[i] = moving;
}

void ims_topk_push(topk *t, float distance, int64_t id)
{
	neighbour candidate = { .distance = distance, .id = id };
	if (distance != distance)
		return;
	if (t->n < t->k) {
		t->item[t->n] = candidate;
		sift_up(t->item, t->n++);
	} else if (t->k && before(&candidate, &t->item[0])) {
		t->item[0] = candidate;
		sift_down(t->item, t->n);
	}
}

static int compare(const void *a, const void *b)
{
	return before(a, b) ? -1 : before(b, a);
}

void ims_topk_sort(topk *t)
{
	if (t->n)
		qsort(t->item, t->n, sizeof *t->item, compare);
}

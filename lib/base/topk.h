/*
 * The k nearest neighbours seen so far, in the one order of results: nearer first, ties by smaller
 * id.
 */
#ifndef IMS_BASE_TOPK_H
#define IMS_BASE_TOPK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct neighbour {
	float distance; /* smaller is nearer */
	uint32_t part;  /* of a picture; 0: the whole (handle/regions.h) */
	int64_t id;
} neighbour;

static inline bool ims_nearer(float da, int64_t ia, float db, int64_t ib)
{
	return da < db || (da == db && ia < ib);
}

/*
 * A max-heap of n <= k neighbours, the worst one first. item has room for k. One thread at a time.
 */
typedef struct topk {
	neighbour *item;
	size_t k, n;
} topk;

int ims_topk_init(topk *t, size_t k); /* 0 or ENOMEM */
void ims_topk_free(topk *t);
void ims_topk_clear(topk *t);
void ims_topk_push(topk *t, float distance, int64_t id); /* a NaN distance is ignored */

/* Nearest first. Afterwards only reading, clear and free are allowed. */
void ims_topk_sort(topk *t);

/* The distance that a row must beat to get in: +infinity until there are k. */
static inline float ims_topk_worst(const topk *t)
{
	if (!t->k)
		return -__builtin_inff();
	return t->n < t->k ? __builtin_inff() : t->item[0].distance;
}

#endif

/*
 * A k-d tree over the leading coordinates of rows (Bentley 1975): buckets of neighbouring rows,
 * each node with the box of its rows' coordinates and the range of the lengths of their residuals.
 * A walk visits buckets in the order of their lower bounds (best bin first: Arya, Mount, Netanyahu,
 * Silverman and Wu 1998). The residuals in the bounds are our own.
 *
 * Boxes lie in memory in groups of four coordinates; those past the last one have no bounds.
 */
#ifndef IMS_SEARCH_BOUND_KD_TREE_H
#define IMS_SEARCH_BOUND_KD_TREE_H

#include "search/search.h"

typedef struct kd_node {
	uint32_t left;     /* its first child; the second one follows. 0: a bucket */
	uint32_t from, to; /* its rows, in the order of the tree */
	float residual_low, residual_high;
} kd_node;

typedef struct kd_tree {
	uint32_t coordinates; /* of the boxes */
	uint32_t n, nodes;
	kd_node *node;
	float *box; /* for each node the least values, then the largest: ims_kd_stride each */
} kd_tree;

static inline uint32_t ims_kd_stride(uint32_t coordinates)
{
	return (coordinates + 3) / 4 * 4;
}

/*
 * points: (n, coordinates). residual: (n, 2), a lower and an upper bound of each row's residual;
 * NULL: all are 0. slot[i]: where row i lies in the order of the tree. A bucket has at most
 * `bucket` rows, or more that are all equal; its first row's slot is a multiple of `unit`.
 */
int ims_kd_build(kd_tree *t, const float *points, const float *residual, uint32_t n,
	uint32_t coordinates, uint32_t bucket, uint32_t unit, uint32_t *slot, const job *job,
	imgsearch_error *err);
void ims_kd_free(kd_tree *t);
void ims_kd_save(const kd_tree *t, buf *out);

/* A tree of n rows from untrusted bytes. EFORMAT: no valid tree. On failure ims_kd_free frees t. */
int ims_kd_load(kd_tree *t, reader *r, uint32_t n, imgsearch_error *err);

typedef struct kd_visit {
	double bound;
	uint32_t node;
} kd_visit;

enum { KD_ROOM = 64 };

/*
 * A query on its way through the tree. One thread at a time.
 */
typedef struct kd_walk {
	const kd_tree *t;
	imgsearch_metric metric;
	const float *point;              /* coordinates of the query, zeros up to ims_kd_stride */
	double residual, residual_error; /* of the query */
	double error;                    /* of the coordinates of query and rows together */
	double offset;                   /* inner product: added to every bound */
	/* the rest is the walk's */
	uint32_t stride;
	bool plain;          /* the gap between point and box is the bound, but for rounding: */
	double rounded_down; /* of differences, squares and additions in f32 */
	kd_visit *heap;      /* nodes to visit, the least bound first */
	size_t n, room;
	kd_visit own[KD_ROOM]; /* where the heap begins */
} kd_walk;

/* The walk is not copied or moved after this. */
void ims_kd_begin(kd_walk *w);
/*
 * The bucket with the least lower bound of the true distance. *found is false: none is left within
 * `limit`. The limits of a walk do not grow. ENOMEM.
 */
int ims_kd_next(kd_walk *w, double limit, uint32_t *node, bool *found, imgsearch_error *err);
void ims_kd_end(kd_walk *w);

#endif

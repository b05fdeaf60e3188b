/*
 * A k-d tree over the first coordinates of rows: buckets of neighbouring rows, each node with the box that its rows lie in
 * and the range of what their other coordinates measure. Bentley 1975; best bin first with such bounds: Arya, Mount,
 * Netanyahu, Silverman and Wu 1998.
 */
#ifndef IMS_SEARCH_KD_H
#define IMS_SEARCH_KD_H

#include "search/search.h"

typedef struct kd_node {
	uint32_t left;           /* its other child follows; 0: a bucket */
	uint32_t from, to;       /* rows, in the tree's order */
	float rest_low, rest_high;
} kd_node;

typedef struct kd_tree {
	uint32_t coordinates;    /* of the box */
	uint32_t n, nodes;
	kd_node *node;
	float *box;              /* a node each: coordinates lowest, coordinates highest values */
} kd_tree;

/* points: (n, coordinates); rest: (n, 2), least and most; NULL: 0. slot[i]: where row i goes in the tree's order. Buckets are multiples of `unit` rows. */
int ims_kd_build(kd_tree *t, const float *points, const float *rest, uint32_t n, uint32_t coordinates, uint32_t bucket, uint32_t unit,
	uint32_t *slot, imgsearch_error *err);
void ims_kd_free(kd_tree *t);
void ims_kd_save(const kd_tree *t, buf *out);
int ims_kd_load(kd_tree *t, reader *r, uint32_t n, imgsearch_error *err);

/* A query on its way through the tree: nodes to visit, nearest bound first. */
typedef struct kd_visit {
	double bound;
	uint32_t node;
} kd_visit;

typedef struct kd_walk {
	const kd_tree *t;
	imgsearch_metric metric;
	const float *point;      /* of the query; coordinates */
	double rest, rest_error; /* of the query */
	double error;            /* of the points' and the query's coordinates together */
	double offset;           /* inner product: added to every bound */
	kd_visit *heap;
	size_t n, cap;
} kd_walk;

int ims_kd_begin(kd_walk *w, imgsearch_error *err);
/* The bucket with the least bound of the true distance; false: none left, or none whose bound is at most `limit`. */
bool ims_kd_next(kd_walk *w, double limit, uint32_t *node);
void ims_kd_end(kd_walk *w);

#endif

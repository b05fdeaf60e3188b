/*
 * The graph's quantiser: codes of rows and queries, and distances from codes alone. Any thread.
 *
 * A code has `components` bytes 128 + round(component / step), then 128s, and in its last four
 * bytes the constant: what a distance needs besides the dot product, in units of 2 step^2.
 * Distances between codes are integers in that unit.
 *
 * A residual code has two bits for each dimension of what the code leaves out, then four bytes: the
 * factor (8 bits) and a constant (24 bits).
 */
#ifndef IMS_SEARCH_GRAPH_QUANTISER_H
#define IMS_SEARCH_GRAPH_QUANTISER_H

#include "kernels/kernels.h"
#include "search/search.h"

#include <string.h>

typedef struct graph_quantiser {
	uint32_t dim, components;
	uint32_t size;          /* bytes of a code, a multiple of 64 */
	uint32_t axis_size;     /* bytes of an axis: dim rounded up to 256 */
	uint32_t residual_size; /* bytes of a residual code */
	bool augmented;         /* inner product: the last component makes all rows equally long */
	float step, axis_step;
	float length; /* of the longest row, where augmented */
	float residual_factor_max;
	float *mean;   /* dim */
	uint8_t *axes; /* for each component 128 + round(axis / axis_step) */
	/* derived from these: */
	uint8_t *axes_transposed; /* dim rows of `size` */
	float residual_factor[256];
} graph_quantiser;

/* A quantised query. Its distance to a node is about base + unit * (the node's constant - dot). */
typedef struct graph_query_code {
	int8_t *code;          /* size; the caller's memory */
	const int8_t *rounded; /* the query in the rows' coordinates, for residuals; in the scratch */
	int32_t rounded_sum;
	float rounded_step;
	float base, unit;
	float slack; /* a bound of what the residuals of query and row add to a distance */
} graph_query_code;

/* Sets the sizes for rows of this dimension. */
void ims_graph_quantiser_shape(graph_quantiser *qz, uint32_t dim, bool augmented);
/* Allocates the arrays of a shaped quantiser. */
int ims_graph_quantiser_alloc(graph_quantiser *qz, imgsearch_error *err);
/* Shapes, allocates and fits a quantiser on a sample of rows. */
int ims_graph_quantiser_fit(graph_quantiser *qz, const row_source *rows, const search_params *p,
	job *job, imgsearch_error *err);
/* Derives what is not saved. */
void ims_graph_quantiser_derive(graph_quantiser *qz);
void ims_graph_quantiser_free(graph_quantiser *qz);

/* Bytes of scratch memory that encoding takes, 64-byte aligned. */
size_t ims_graph_quantiser_scratch(const graph_quantiser *qz);
void ims_graph_encode(const graph_quantiser *qz, const float *row, uint8_t *code, uint8_t *residual,
	void *scratch);
/* Fills in out->code, and the other fields. out->rounded points into the scratch. */
void ims_graph_encode_query(const graph_quantiser *qz, const float *query, graph_query_code *out,
	void *scratch);

/* Better distances of n nodes, from the distances of their codes and from their residual codes. */
void ims_graph_refine_distances(const graph_quantiser *qz, const graph_query_code *q,
	const uint8_t *residuals, const uint32_t *slot, const int32_t *distance, size_t n, float *out);

/* The constant of a code. */
static inline int32_t ims_graph_constant(const uint8_t *code, uint32_t size)
{
	int32_t v;
	memcpy(&v, code + size - 4, 4);
	return v;
}

/*
 * A node's code as a query of other nodes' codes, and its share of the distances: the distance to
 * another node is the returned number + the other's constant - the product of dot_u8_i8. The share
 * has 128 times the sum of the query's numbers, because the bytes of the other code are its numbers
 * plus 128.
 */
int32_t ims_graph_node_query(const uint8_t *code, uint32_t size, int8_t *out);

#endif

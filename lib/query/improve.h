/*
 * Better answers from the same features: query expansion, re-ranking, several views of a query
 * picture. Queries and evaluation use the same functions. Any thread.
 */
#ifndef IMS_QUERY_IMPROVE_H
#define IMS_QUERY_IMPROVE_H

#include "handle/handle.h"
#include "handle/space.h"

/* The fields of that name in imgsearch_query_options. */
typedef struct improvement {
	uint32_t expand, reciprocal, views, plain;
	float expand_power;
} improvement;

enum { RERANK_DEPTH = IMGSEARCH_RECIPROCAL_MAX + 1 }; /* results that are re-ranked */

/* EINVAL: a value is above its limit, or options contradict each other. */
int ims_improve_check(const improvement *o, const space *sp, imgsearch_error *err);

/* The query (dim) becomes its weighted mean with its n first results: rows (n, dim), score (n). */
void ims_improve_expand(const improvement *o, const space *sp, float *query, const float *rows,
	const float *score, size_t n);

/*
 * order (n) receives the result that comes i-th after re-ranking; rows (n, dim). pool may be NULL.
 * ENOMEM.
 */
int ims_improve_rank(const improvement *o, const space *sp, const float *query, const float *rows,
	size_t n, uint32_t *order, pool *pool, imgsearch_error *err);

/*
 * row (dim), the feature of the picture in the space, becomes the mean over its views. Runs the
 * network. EMODEL, ENOMEM, and the errors of reading the picture.
 */
int ims_improve_views(imgsearch *s, job *j, const space *sp, const imgsearch_input *in,
	uint32_t views, float *row, imgsearch_error *err);

#endif

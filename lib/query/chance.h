/* The expected number of pictures that score as high as a hit by chance. */
#ifndef IMS_QUERY_CHANCE_H
#define IMS_QUERY_CHANCE_H

#include "handle/view.h"

/* What a query is made of; vectors count as pictures. */
typedef enum query_kind { QUERY_PICTURES, QUERY_WORDS, QUERY_MIXED } query_kind;

/*
 * Fills in the chance of the hits of a query, and removes hits above max_chance (0: none). query
 * (dim) and the scores belong to the space of the view; m is the model of the view for scores of
 * whole pictures, or of their best parts. region_row (dim): what regions are compared with; NULL:
 * the query. The n_own rows that the query is made of have chance 0. A mixed query has the greater
 * one of its chances as a picture and as words. Without a chance model of the kind nothing changes.
 * EDB, EIO, ENOMEM.
 */
int ims_chance_fill(imgsearch *s, view *v, chance_model *m, query_kind kind, const float *query,
	const float *region_row, const int64_t *own, size_t n_own, double max_chance,
	imgsearch_hits *hits, imgsearch_error *err);

/*
 * How far the scores of each of n queries (n, dim) with the rows of the index spread: over the
 * cohort of the view; in another space than its own, or without a cohort, over an even choice of
 * rows. Of a single row all spreads are 1. EDB, EIO, ENOMEM, ECANCELED, EDEADLINE.
 */
int ims_chance_spread(imgsearch *s, view *v, const space *sp, const float *queries, size_t n,
	const job *j, float *spread, imgsearch_error *err);

#endif

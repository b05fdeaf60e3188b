/* The expected number of pictures that score as high as a hit by chance. */
#ifndef IMS_QUERY_CHANCE_H
#define IMS_QUERY_CHANCE_H

#include "handle/view.h"

/*
 * Fills in the chance of the hits of a query, and removes hits above max_chance (0: none). query
 * (dim) and the scores belong to the space of the view. The n_own rows that the query is made of
 * have chance 0. Without a chance model nothing changes. EDB, EIO, ENOMEM.
 */
int ims_chance_fill(imgsearch *s, view *v, const float *query, const int64_t *own, size_t n_own,
	double max_chance, imgsearch_hits *hits, imgsearch_error *err);

#endif

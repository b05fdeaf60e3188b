/* How many pictures would score as high by chance as each hit of a query. */
#ifndef IMS_QUERY_CHANCE_H
#define IMS_QUERY_CHANCE_H

#include "handle/view.h"

/*
 * Fills in the chance of a query's hits, and leaves out hits above max_chance (0: none). query
 * (dim) and the scores are of the view's space. The n_own rows that the query is made of have
 * chance 0. Without a chance model nothing changes.
 */
int ims_chance_fill(imgsearch *s, view *v, const float *query, const int64_t *own, size_t n_own,
	double max_chance, imgsearch_hits *hits, imgsearch_error *err);

#endif

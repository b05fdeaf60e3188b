#ifndef IMS_QUERY_CHANCE_H
#define IMS_QUERY_CHANCE_H

#include "handle/view.h"

/*
 * Fills in the chance of a query's hits, both in the view's space, and leaves out those above max_chance (> 0). The
 * rows `own` that the query is made of are not found by chance.
 */
int ims_chance_tell(imgsearch *s, view *v, const float *query, const int64_t *own, size_t n_own, double max_chance, imgsearch_hits *hits, imgsearch_error *err);

#endif

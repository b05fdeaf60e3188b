/* The k best rows for query vectors, with query expansion and re-ranking. */
#ifndef IMS_QUERY_SEARCH_H
#define IMS_QUERY_SEARCH_H

#include "query/request.h"

/* How many results a heap of ims_query_search must have room for. */
size_t ims_query_heap_room(const query *q);

/*
 * Finds the k best rows for each of request.n queries (n, dim) in the space of the view. found (n)
 * receives them, sorted. Expansion changes the queries. *name receives the name of the searcher.
 * ENOTFOUND: the searcher asked for is not built. EDB, EIO, ENOMEM, ECANCELED.
 */
int ims_query_search(imgsearch *s, view *v, query *q, float *queries, topk *found,
	search_report *report, const char **name, imgsearch_error *err);

#endif

/* The answer of one query: its hits, their chances, and how it was searched. */
#ifndef IMS_QUERY_ANSWER_H
#define IMS_QUERY_ANSWER_H

#include "query/request.h"

/* How a query was searched. */
typedef struct query_report {
	const char *searcher; /* its name */
	search_report search;
	double feature_seconds, search_seconds;
} query_report;

/*
 * Fills *out of the results that a query found, sorted. vector (dim) is the query in the space of
 * the view; q->own are the stored rows that it is made of. Ownership of *out: as ims_hits_make. On
 * failure *out is NULL. EDB, EIO, ENOMEM.
 */
int ims_answer_make(void *result, imgsearch *s, view *v, const query *q, const float *vector,
	const topk *found, const query_report *report, imgsearch_hits **out, imgsearch_error *err);

/* The answer of an index without a dimension, which has no rows. `result` as above. ENOMEM. */
int ims_answer_empty(void *result, imgsearch_hits **out, imgsearch_error *err);

#endif

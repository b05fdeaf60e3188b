/* k-nearest-neighbour self-join: the nearest other rows of every row. */
#ifndef IMS_COLLECTION_SELF_JOIN_H
#define IMS_COLLECTION_SELF_JOIN_H

#include "search/search.h"

/*
 * `found` is the rank-th nearest (from 0) of row number `row`. Non-zero stops the join and is
 * returned by it.
 */
typedef int join_each(void *user, size_t row, size_t rank, neighbour found);

typedef struct self_join {
	search_index *index; /* of all rows */
	size_t k;
	float max_distance;
	join_each *each; /* runs on the calling thread, rows in order */
	void *user;
	size_t done, total; /* rows, for progress: done grows over several calls */
} self_join;

/*
 * Finds the k nearest other rows of each of n rows (n, dim), nearest first, none farther than
 * max_distance. ids (n) are the ids of the rows in the index. Reports stage "compare". EDB, ENOMEM,
 * ECANCELED.
 */
int ims_self_join(self_join *j, const float *rows, const int64_t *ids, size_t n, uint32_t dim,
	job *job, imgsearch_error *err);

#endif

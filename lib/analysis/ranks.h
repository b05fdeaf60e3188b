/*
 * Order statistics of floats: the value of any rank without sorting all. Values go into buckets by
 * size, as in bucket sort; a bucket is sorted when a rank in it is asked for.
 */
#ifndef IMS_ANALYSIS_RANKS_H
#define IMS_ANALYSIS_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IMS_RANK_BUCKETS = 512 };

typedef struct ranks {
	float *value; /* in order of buckets */
	size_t n;
	uint32_t start[IMS_RANK_BUCKETS + 1]; /* of each bucket in value */
	bool sorted[IMS_RANK_BUCKETS];
} ranks;

/* From n finite values, less than 2^32. room: n floats that the ranks borrow. */
void ims_ranks_make(ranks *r, const float *value, size_t n, float *room);

/* The value of rank i, from 0 for the least to n - 1. */
float ims_ranks_get(ranks *r, size_t i);

#endif

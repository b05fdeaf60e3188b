/*
 * Byte-pair encoding: Sennrich, Haddow and Birch, "Neural machine translation of rare words with
 * subword units" (2016). Of neighbours in a list of tokens the pair that was learnt first becomes
 * one, until no pair is known. Reading by any thread.
 */
#ifndef IMS_WORDS_MERGES_H
#define IMS_WORDS_MERGES_H

#include "imgsearch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct merge {
	uint64_t pair; /* left and right id */
	uint32_t rank; /* 1: learnt first; 0: a free slot */
	int32_t id;    /* what they become */
} merge;

typedef struct merges {
	merge *slot;
	size_t slots, n; /* slots: a power of two */
} merges;

/* Ranks in the order of the calls; a pair that is there twice keeps its first. False: no memory. */
bool ims_merges_add(merges *m, int32_t left, int32_t right, int32_t id);

/* Merges ids[0..*n) in place. Takes n log n. ENOMEM. */
int ims_merges_apply(const merges *m, int32_t *ids, size_t *n, imgsearch_error *err);

void ims_merges_free(merges *m); /* makes it empty */

#endif

/* The codes of all rows of a source. */
#ifndef IMS_SEARCH_BOUND_CODES_BUILD_H
#define IMS_SEARCH_BOUND_CODES_BUILD_H

#include "search/bound/codes.h"

/*
 * Encodes every row of the source, on the threads of the job. slot[i] is the slot of the i-th row
 * of the scan, a permutation; NULL: neighbours lie together. *out is NULL and the result 0 where
 * codes do not pay: too few rows, or numbers too large or too small for bounds in f32. EBUSY: rows
 * were removed meanwhile.
 */
int ims_codes_build(codes **out, const row_source *rows, const rotation *axes, const uint32_t *slot,
	job *job, imgsearch_error *err);

#endif

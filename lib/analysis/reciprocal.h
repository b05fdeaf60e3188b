/* Re-ranking by k-reciprocal neighbours. */
#ifndef IMS_ANALYSIS_RECIPROCAL_H
#define IMS_ANALYSIS_RECIPROCAL_H

#include "base/base.h"

/*
 * New scores of the results of a query. score (n, n): cosines of all pairs of n items, of which the
 * first is the query. out (n - 1): scores of the others; higher is nearer. ENOMEM.
 */
int ims_analysis_reciprocal(float *out, const float *score, size_t n, size_t k,
	imgsearch_error *err);

#endif

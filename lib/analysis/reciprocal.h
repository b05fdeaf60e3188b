/* Re-ranking. */
#ifndef IMS_ANALYSIS_RECIPROCAL_H
#define IMS_ANALYSIS_RECIPROCAL_H

#include "base/base.h"

/*
 * k-reciprocal re-ranking of a query's results. score (n, n): cosine of every pair among n items, of which the first is the
 * query. out (n - 1): new scores of the others. ENOMEM.
 */
int ims_analysis_reciprocal(float *out, const float *score, size_t n, size_t k, imgsearch_error *err);

#endif

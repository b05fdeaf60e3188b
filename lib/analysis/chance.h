/* The distribution of scores of unrelated pictures. */
#ifndef IMS_ANALYSIS_CHANCE_H
#define IMS_ANALYSIS_CHANCE_H

#include "base/base.h"

/*
 * How scores of unrelated pictures are distributed. Each query's scores lie elsewhere and more or less wide, so they are
 * first normalised by those of a cohort: some hundred pictures of the collection.
 */
enum { IMS_CHANCE_BODY = 32, IMS_CHANCE_PAIRS = 2000 };

typedef struct chance { /* of normalised scores: quantiles of the lower 95 %, a generalised Pareto tail above */
	float body[IMS_CHANCE_BODY + 1];
	float scale, shape;
} chance;

typedef struct chance_norm {
	float location, spread;
} chance_norm;

/*
 * score (n, n): of all pairs of a cohort. Those of one group may be related, and do not count. ENOTFOUND: fewer than
 * IMS_CHANCE_PAIRS are left. ENOMEM.
 */
int ims_analysis_chance_fit(chance *out, const float *score, const uint64_t *group, size_t n, imgsearch_error *err);

/* From a query's scores of the n pictures of a cohort, which are sorted; related ones among them do no harm. */
chance_norm ims_analysis_chance_norm(const chance *c, float *score, size_t n);

/* The probability that an unrelated picture scores at least so high; times n: how many of n do so. */
double ims_analysis_chance_above(const chance *c, chance_norm norm, double score);

#endif

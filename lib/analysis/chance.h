/* The distribution of scores of unrelated pictures. */
#ifndef IMS_ANALYSIS_CHANCE_H
#define IMS_ANALYSIS_CHANCE_H

#include "base/base.h"

/*
 * Location and spread of the scores differ between queries. They are therefore normalised by the
 * scores that the query has with a cohort: some hundred pictures of the index.
 */
enum { IMS_CHANCE_BODY = 32, IMS_CHANCE_PAIRS = 2000 };

/* The distribution of normalised scores. */
typedef struct chance {
	float body[IMS_CHANCE_BODY + 1]; /* quantiles of the lower 95 % */
	float scale, shape;              /* of the generalised Pareto tail above; scale 0: no tail */
} chance;

typedef struct chance_norm {
	float location, spread;
} chance_norm;

/*
 * From the scores (n, n) of all pairs of a cohort. Pairs of one group (n) may be related and do not
 * count. job may be NULL. ENOTFOUND: fewer than IMS_CHANCE_PAIRS are left; ENOMEM.
 */
int ims_analysis_chance_fit(chance *out, const float *score, const uint64_t *group, size_t n,
	const job *job, imgsearch_error *err);

/*
 * From the scores (m, n) of m texts with a cohort of n pictures: those of each text are normalised
 * by their own location and spread. Pictures that a text describes count as chance, so few of the
 * texts should be about many of the pictures. job may be NULL. ENOTFOUND, ENOMEM as above.
 */
int ims_analysis_chance_fit_texts(chance *out, const float *score, size_t m, size_t n,
	const job *job, imgsearch_error *err);

/*
 * From the scores of a query with the n pictures of a cohort. Few may be related. scratch: n
 * floats.
 */
chance_norm ims_analysis_chance_norm(const chance *c, const float *score, size_t n, float *scratch);

/* Location and spread of n scores as they are, related ones or not. scratch: n floats. */
chance_norm ims_analysis_norm(const float *score, size_t n, float *scratch);

/* The probability that an unrelated picture scores at least so high. */
double ims_analysis_chance_above(const chance *c, chance_norm norm, double score);

#endif

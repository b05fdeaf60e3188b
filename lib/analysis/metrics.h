/* Retrieval measures, of one query and of many. Pure functions: any thread. */
#ifndef IMS_ANALYSIS_METRICS_H
#define IMS_ANALYSIS_METRICS_H

#include "base/base.h"

enum { IMS_CUTS = 4 };
extern const uint32_t ims_analysis_cuts[IMS_CUTS]; /* 1, 5, 10, 100 */

/* The relation of an item to a query. */
enum { IMS_IRRELEVANT = 0, IMS_RELEVANT = 1, IMS_IGNORED = 2 /* the query itself */ };

/* The measures of one query. Without a relevant item all are 0. */
typedef struct retrieval {
	double average_precision; /* as scikit-learn: items of equal score share a rank */
	/* At each cut; items of equal score rank by number. */
	double precision[IMS_CUTS], recall[IMS_CUTS], ndcg[IMS_CUTS];
	uint32_t relevant;
	bool first;               /* the first item is a relevant one */
} retrieval;

/* score (n): higher is nearer; relation (n). ENOMEM only. */
int ims_analysis_retrieval(retrieval *out, const float *score, const uint8_t *relation, size_t n,
	imgsearch_error *err);

/* Histograms of the scores of relevant and irrelevant pairs between lo and hi. */
enum { IMS_AGREEMENT_BINS = 8192 };

typedef struct agreement {
	double lo, hi;
	uint64_t relevant[IMS_AGREEMENT_BINS], irrelevant[IMS_AGREEMENT_BINS];
} agreement;

/* Adds the pairs of one query: score (n), relation (n). */
void ims_analysis_agreement_add(agreement *a, const float *score, const uint8_t *relation,
	size_t n);
void ims_analysis_agreement_merge(agreement *a, const agreement *other); /* of the same lo and hi */

/* F1 of calling every pair from the threshold on relevant; and the threshold of the best F1. */
double ims_analysis_agreement_f1(const agreement *a, double threshold);
double ims_analysis_agreement_best(const agreement *a, double *f1);

/* 95 % confidence interval of the mean of n values, from 1000 bootstrap samples. */
void ims_analysis_bootstrap(double ci[2], const double *value, size_t n, uint64_t seed);

#endif

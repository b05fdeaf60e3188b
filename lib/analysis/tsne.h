/* t-SNE. */
#ifndef IMS_ANALYSIS_TSNE_H
#define IMS_ANALYSIS_TSNE_H

#include "base/base.h"

/* Zero takes the paper's values, given behind each. */
typedef struct tsne_options {
	float perplexity;    /* 30; lowered to (n - 1) / 3 where there are few points */
	float theta;         /* 0.5 */
	float exaggeration;  /* 12, for the first quarter of the iterations */
	uint32_t iterations; /* 1000 */
	uint64_t seed;
} tsne_options;

/* How many neighbours of each point t-SNE wants to know: three times the perplexity, at most n - 1. */
size_t ims_analysis_tsne_neighbors(size_t n, float perplexity);

/*
 * t-SNE of n points from their k nearest neighbours: neighbor (n, k) row numbers, distance2 (n, k) squared
 * distances. A negative neighbour is none. xy (n, 2): the start (all zero: a small random cloud) and the result.
 * The result depends on neither the number of threads nor the machine's load. ECANCELED, ENOMEM.
 */
int ims_analysis_tsne(float *xy, size_t n, size_t k, const int32_t *neighbor, const float *distance2,
	const tsne_options *options, job *job, imgsearch_error *err);

#endif

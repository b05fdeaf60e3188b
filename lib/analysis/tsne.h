/* t-SNE: places points on a plane so that near ones stay near. */
#ifndef IMS_ANALYSIS_TSNE_H
#define IMS_ANALYSIS_TSNE_H

#include "base/base.h"

/* Zero means the value of the paper, in the comment. */
typedef struct tsne_options {
	float perplexity;    /* 0: the default; at most k / 3 for k neighbours */
	float theta;         /* 0.5 */
	float exaggeration;  /* 12, for the first quarter of the iterations */
	uint32_t iterations; /* 1000 */
	uint64_t seed;
} tsne_options;

/*
 * The number of neighbours that t-SNE uses of each point: three times the perplexity, at most n -
 * 1.
 */
size_t ims_analysis_tsne_neighbours(size_t n, float perplexity);

/*
 * t-SNE of n points from their k nearest neighbours: neighbour (n, k) row numbers, negative for
 * none, and distance2 (n, k) squared distances. xy (n, 2) is the start (all zero: a small random
 * cloud) and receives the result. The result does not depend on the number of threads. options and
 * job may be NULL. ELIMIT: n or k is too large; ECANCELED, ENOMEM.
 */
int ims_analysis_tsne(float *xy, size_t n, size_t k, const int32_t *neighbour,
	const float *distance2, const tsne_options *options, job *job, imgsearch_error *err);

#endif

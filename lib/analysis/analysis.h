/*
 * Looking at a whole collection: where its pictures lie on a plane, which of them are one, how good its answers are.
 * Plain numbers in and out; knows no pictures, files or databases.
 */
#ifndef IMS_ANALYSIS_H
#define IMS_ANALYSIS_H

#include "base/base.h"

/* -------------------------------------------------------------------------------------------------- plane ---- */

/*
 * Projects n rows (n, dim) onto their two leading principal components: xy (n, 2), centred. The components are learnt
 * from at most some thousand rows, evenly taken; their signs are fixed, so that the answer is always the same.
 */
int ims_analysis_plane(float *xy, const float *rows, size_t n, size_t dim, pool *pool, imgsearch_error *err);

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

/*
 * Gives each of n points on a plane its own cell of a grid, near its place: cell[i] = row * columns + column.
 * The points' box is laid over the grid. EINVAL when columns * rows < n.
 */
int ims_analysis_grid(uint32_t *cell, const float *xy, size_t n, uint32_t columns, uint32_t rows, imgsearch_error *err);

/* ---------------------------------------------------------------------------------------------- sameness ---- */

/*
 * label[i] = the smallest member of i's connected component, from m edges taken in order. An edge that would bring
 * together a pair of `apart` (n_apart pairs) is left out. joined[e], where not NULL, is 1 for an edge that joined two.
 */
void ims_analysis_components(uint32_t *label, size_t n, const uint32_t (*edge)[2], size_t m,
	const uint32_t (*apart)[2], size_t n_apart, uint8_t *joined);

#define IMS_SIGNATURE_SIDE 32
#define IMS_INVARIANT_DIM 35

/* A picture in small: its luminance squeezed into a square. */
typedef struct signature {
	uint8_t luma[IMS_SIGNATURE_SIDE * IMS_SIGNATURE_SIDE];
} signature;

/* From upright RGB pixels, rows without padding. */
void ims_analysis_signature(signature *out, const uint8_t *rgb, uint32_t width, uint32_t height);

/*
 * What the eight turnings and mirrorings of a picture have in common: length 1, or all zero for a picture without
 * structure. Copies of one picture lie within IMS_INVARIANT_RADIUS (squared Euclidean distance) of each other.
 */
#define IMS_INVARIANT_RADIUS 0.02f
void ims_analysis_invariant(float out[IMS_INVARIANT_DIM], const signature *s);

/*
 * Do two signatures show the same picture, perhaps resized, recompressed, turned by quarters or mirrored? Compared
 * pixel by pixel in each of the eight positions; *turn, when not NULL, receives the one that fits (0: as it is).
 */
bool ims_analysis_same_picture(const signature *a, const signature *b, int *turn);

/*
 * How alike two pictures are laid out: the largest correlation of one with the other or its mirror image, whole or cropped to
 * 0.9 or 0.8 of its sides at the middle, an edge or a corner. -1..1; 0 where either has no structure.
 */
float ims_analysis_layout(const signature *a, const signature *b);

/* --------------------------------------------------------------------------------------------- retrieval ---- */

enum { IMS_CUTS = 4 };
extern const uint32_t ims_analysis_cuts[IMS_CUTS]; /* 1, 5, 10, 100 */

/* What an item is to a query. */
enum { IMS_UNRELATED = 0, IMS_RELATED = 1, IMS_UNCOUNTED = 2 /* the query itself */ };

/* How well one query's answer ranks. Without a related item everything is 0. */
typedef struct retrieval {
	double average_precision; /* as scikit-learn's: items of equal score share their place */
	double precision[IMS_CUTS], recall[IMS_CUTS], ndcg[IMS_CUTS]; /* of the first 1, 5, 10, 100; equal scores by number */
	uint32_t related;
	bool first;               /* the first item is a related one */
} retrieval;

/* score (n), higher is nearer; relation (n). ENOMEM only. */
int ims_analysis_retrieval(retrieval *out, const float *score, const uint8_t *relation, size_t n, imgsearch_error *err);

/* Scores of related and unrelated pairs between lo and hi, counted: what a threshold would make of them. */
enum { IMS_AGREEMENT_BINS = 8192 };

typedef struct agreement {
	double lo, hi;
	uint64_t related[IMS_AGREEMENT_BINS], unrelated[IMS_AGREEMENT_BINS];
} agreement;

void ims_analysis_agreement_add(agreement *a, const float *score, const uint8_t *relation, size_t n);
void ims_analysis_agreement_merge(agreement *a, const agreement *other); /* of the same lo and hi */
double ims_analysis_agreement_f1(const agreement *a, double threshold);
double ims_analysis_agreement_best(const agreement *a, double *f1); /* the threshold of the best F1 */

/* 95 % confidence interval of the mean of n values: percentiles of 1000 bootstrap samples. */
void ims_analysis_bootstrap(double ci[2], const double *value, size_t n, uint64_t seed);

/* ----------------------------------------------------------------------------------------------- re-ranking ---- */

/*
 * k-reciprocal re-ranking of a query's results. score (n, n): cosine of every pair among n items, of which the first is the
 * query. out (n - 1): new scores of the others. ENOMEM.
 */
int ims_analysis_reciprocal(float *out, const float *score, size_t n, size_t k, imgsearch_error *err);

/* ------------------------------------------------------------------------------------------------ chance ---- */

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

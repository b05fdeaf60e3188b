/*
 * A query prepared for bounds: the numbers that the stages of the codes (stage.h) are compared
 * with, what the candidates of the filter step are, and how far away the k-th row is at most.
 * filter.h and refine.h work on it. One thread at a time.
 *
 * Here a score is an estimate of a distance: lower is nearer.
 */
#ifndef IMS_SEARCH_BOUND_QUERY_H
#define IMS_SEARCH_BOUND_QUERY_H

#include "search/lease.h"
#include "search/bound/codes.h"

enum { FILTER_BLOCKS = 64 /* blocks scored at once */ };

/* What one stage needs. A stage adds scale * (sum of digit * number) and constant to a score. */
typedef struct stage_query {
	query_i16 digits; /* the query's values times the scales, as integers */
	double scale;     /* of a sum of products */
	double constant;  /* of this stage; blocks: and of the stages before */
	double error;     /* of the query's components: error_q of codes.h */
	double slack;     /* rounding errors of a score, over this stage and those before */
	double residual;  /* r_q of codes.h */
} stage_query;

/* A row between two stages. */
typedef struct staged_row {
	size_t slot;
	double score, error; /* of the last stage that it passed */
} staged_row;

typedef struct candidate {
	double lower; /* bound of its distance */
	int64_t id;
} candidate;

typedef struct bound_query {
	lease lease;
	const codes *codes;
	const search_request *request;
	const row_source *rows;
	const float *vector;     /* the query itself */
	const float *components; /* its principal components */
	stage_query stage[CODE_STAGES];
	double length;          /* of the vector; L2: of the vector less the mean */
	double offset;          /* inner product: minus the product of vector and mean; L2: 0 */
	double relative_error;  /* of final distances: |computed - true| is at most */
	double absolute_error;  /*   relative_error * true + absolute_error */
	bool keeps_upper;       /* k is small enough to keep upper bounds */
	topk seed_upper, upper; /* the k least upper bounds: of seed rows; of candidates */
	double limit;           /* the k-th final distance is at most this */
	double limit_root;      /* L2: the root of the limit, widened by the final errors */
	candidate *candidate;
	size_t candidates, candidate_cap;
	float *score; /* of the first stage, 16 a block: only for a pass over all rows */
	size_t score_cap;
	void *scratch; /* the centred vector, components, digits */
	size_t scratch_size;
	float block_score[FILTER_BLOCKS * IMS_BLOCK_ROWS];
	staged_row row[FILTER_BLOCKS * IMS_BLOCK_ROWS];
	imgsearch_error *err;
	int rc;
} bound_query;

/* An idle query of the pool, or a new one. NULL: no memory. ims_lease_release gives it back. */
bound_query *ims_bound_query_acquire(lease_pool *p);
void ims_bound_query_free(void *query);

/*
 * Prepares query i of a request. components: of the query, where they are known, else NULL.
 * Everything is borrowed until the query is released. False with q->rc 0: bounds do not hold or do
 * not pay for this query, and the caller scans.
 */
bool ims_bound_query_begin(bound_query *q, const codes *c, const row_source *rows,
	const search_request *request, size_t i, const float *components, imgsearch_error *err);

/* Sets the limit. */
void ims_bound_query_set_limit(bound_query *q, double limit);

#endif

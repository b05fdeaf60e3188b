/*
 * The filter and refine steps over quantised rows (codes.h), exact. For one query, a kernel scores level 0 of some blocks of
 * rows. Rows that the k-th upper bound does not exclude go through the further levels. The last level bounds distances from
 * above too, and so lowers the k-th upper bound. The rows that remain are read in full, the smallest lower bound first, until
 * no lower bound is below the k-th distance.
 */
#ifndef IMS_SEARCH_CASCADE_H
#define IMS_SEARCH_CASCADE_H

#include "search/bound/codes.h"

#include "kernels/kernels.h"

#include <math.h>

enum { CASCADE_STEP = 64 /* blocks scored at once */, CASCADE_GROUP = 32 /* queries that share a pass, at most */ };

typedef struct level_query {
	query_i16 code;
	double scale;    /* of a sum of products */
	double constant; /* of this level's term; blocks: and of those before */
	double error;    /* of the query's components: e_q */
	double slack;    /* of the arithmetic, over this and the levels before */
	double rest;     /* r_q */
} level_query;

/* One on its way through the levels: its score and its error at the last of them. */
typedef struct coded_row {
	size_t at;
	double score, e;
} coded_row;

typedef struct candidate {
	double low;      /* bound of its distance from below */
	int64_t id;
} candidate;

typedef struct cascade {
	const codes *c;
	const search_request *q;
	const row_source *rows;
	const float *query;
	level_query level[CODE_LEVELS];
	double length;   /* inner product: of the query; otherwise of the query less the mean */
	double ends[2];  /* final distances: computed <= (1 + ends[0]) * true + ends[1], and the other way round */
	topk seed, high; /* k smallest upper bounds: of the seeds, and of the rows that came through */
	bool bounded;    /* k is small enough for the heaps to be of use */
	double limit;    /* what the k-th distance does not exceed, as is known so far */
	double root;     /* for L2, its square root, with the final errors */
	candidate *found;
	size_t n_found, cap_found;
	float *score;    /* of level 0, 16 a block: only for a full pass */
	size_t score_cap;
	void *memory;    /* digits, work */
	size_t memory_size;
	float step[CASCADE_STEP * IMS_BLOCK_ROWS];
	coded_row row[CASCADE_STEP * IMS_BLOCK_ROWS];
	struct cascade *next; /* in the pool of idle ones */
	imgsearch_error *err;
	int rc;
} cascade;

static inline size_t ims_code_padded(const code_level *v) /* digits of a level */
{
	return ((size_t)v->count + 63) / 64 * 64;
}

/* The k-th final distance is surely no larger. */
static inline void ims_cascade_limit(cascade *x, double limit)
{
	x->limit = limit;
	double most = limit * (1 + x->ends[0]) + x->ends[1];
	x->root = x->c->metric == IMGSEARCH_METRIC_IP ? most : most > 0 ? sqrt(most) : -INFINITY;
}

/* Idle ones, kept for the next query. */
typedef struct cascade_pool {
	pthread_mutex_t lock;
	cascade *idle;
} cascade_pool;

void ims_cascade_pool_init(cascade_pool *p);
void ims_cascade_pool_free(cascade_pool *p);
cascade *ims_cascade_take(cascade_pool *p);             /* NULL: no memory */
void ims_cascade_give(cascade_pool *p, cascade *x);

/* One query of a request; its components where they are known, or NULL. False with rc 0: too large or too small a query for bounds: scan. */
bool ims_cascade_begin(cascade *x, const codes *c, const row_source *rows, const search_request *q, size_t query,
	const float *components, imgsearch_error *err);

/*
 * Are so many rows as near as the nearest that no bound excludes them (duplicates, mostly)? A scan is cheaper from about
 * an eighth on, but only if little has been done before: so a sample of rows decides, a larger one where it says so.
 */
bool ims_cascade_crowded(cascade *x);

/* Blocks first .. first + n - 1 (at most CASCADE_STEP, in one chunk): scored and seen through all levels. */
void ims_cascade_blocks(cascade *x, size_t first, size_t n);

/* Every block, for `n` queries that share the pass. */
void ims_cascade_pass(cascade *const *x, size_t n);

/* Full rows of what is left, into out. False with rc 0: so much is left that a scan is cheaper. checks: rows at most, or 0. */
bool ims_cascade_finish(cascade *x, size_t checks, topk *out, search_report *report);

/* The whole request over coded rows, by passes or scans; checks as above. */
int ims_cascade_query(cascade_pool *pool, const codes *c, const row_source *rows, const search_request *q, size_t checks,
	topk *out, search_report *report, imgsearch_error *err);

#endif

/* The space in which distances are measured, and the stored features as rows of that space. */
#ifndef IMS_HANDLE_SPACE_H
#define IMS_HANDLE_SPACE_H

#include "search/search.h"
#include "store/store.h"

/*
 * Converts features to rows: the mean is subtracted; then, for cosine, the row is scaled to length
 * 1.
 */
typedef struct space {
	imgsearch_metric metric;
	uint32_t dim;
	const float *mean; /* (dim), borrowed; NULL: none is subtracted */
} space;

/*
 * in and out (dim); they may be the same. A row of zeros stays one. Under cosine every other finite
 * row gets length 1, also one of denormal numbers and one whose squared length overflows.
 */
void ims_space_apply(const space *sp, const float *in, float *out);

/* Whether a stored row (dim) can be in an answer: false for one of zeros under cosine. */
bool ims_space_accepts(const space *sp, const float *row);
/*
 * EINVAL for the first of rows (n, dim) that ims_space_accepts refuses: a sentence with `what` and
 * its number, counted from `first`.
 */
int ims_space_check(const space *sp, const float *rows, size_t n, const char *what, size_t first,
	imgsearch_error *err);

/* Scales rows (n, dim) to length 1 in place. */
void ims_space_normalise(float *rows, size_t n, uint32_t dim);

/* The stored features as a row_source; both pointers are borrowed. */
typedef struct space_rows {
	store *store;
	const space *space;
} space_rows;

/*
 * n: the number of rows. The source borrows `rows`, and leaves out what ims_space_accepts refuses.
 * Any thread.
 */
row_source ims_space_source(space_rows *rows, uint64_t n);

/*
 * How many stored rows ims_space_accepts refuses, and the id of the first one. EDB, EIO, ENOMEM,
 * ECANCELED, EDEADLINE.
 */
int ims_space_zeros(const space_rows *rows, uint64_t *n, int64_t *first, job *j,
	imgsearch_error *err);

/* Scores are what callers see, distances what searchers see (search/search.h). */
float ims_score(imgsearch_metric metric, float distance);
/* The largest distance that scores at least `score`. */
float ims_score_distance(imgsearch_metric metric, float score);

#endif

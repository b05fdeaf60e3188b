/*
 * The codes of all rows of a source, kept in memory instead of the rows, with what lower and
 * upper bounds of distances need. A code is the quantised representation of one row (the
 * approximation of the VA-file, Weber, Schek and Blott 1998). exact, kdtree and pca share it.
 *
 * The stages (stage.h) hold the parts of a code. Beside the numbers of a stage stand
 *	N         the squared length of the decoded numbers,
 *	residual  the length of what this stage and the stages before it leave out of the row, and
 *	error     a bound of the distance between (decoded, residual) and the true (projected, left
 *	          out), rounding included.
 * A projection with the length of its residual as one more coordinate never lengthens a distance.
 * With q' and x' the decoded parts and r the residuals, so
 *	|q - x| >= |(q', r_q) - (x', r_x)| - error_q - error_x
 * and the kernels compute the first term from integers. This use of residuals is our own.
 *
 * The files, in the order in which a row and a query meet them:
 *	projection.h     principal components of a row, and their rounding errors
 *	stage.h          the quantiser: the parts of a code
 *	column.h         where codes lie; chunks.h: how arrays are cut into chunks
 *	codes.h          the codes of all rows
 *	codes_build.h    building them
 *	codes_change.h   adding, replacing and removing rows
 *	codes_state.h    saving and loading
 *	query.h          a query prepared for the stages, and its bounds
 *	filter.h         the filter step: rows that the bounds do not exclude
 *	refine.h         the refine step: full rows in the order of their lower bounds
 *	filter_refine.h  whole requests
 *	kd_tree.h        a k-d tree over leading components
 *	coded_searcher.h what the searchers share: exact.c, kdtree_searcher.c, pca.c
 *	kdtree.h         the kdtree searcher, and its saved form
 *
 * Threads: queries read side by side. A change holds off every reader.
 */
#ifndef IMS_SEARCH_BOUND_CODES_H
#define IMS_SEARCH_BOUND_CODES_H

#include "search/bound/projection.h"
#include "search/bound/stage.h"

#define CODES_MAX (UINT32_MAX - 1024) /* rows */

typedef struct codes {
	uint32_t dim;
	imgsearch_metric metric;
	float *mean; /* subtracted from every row */
	projection axes;
	double radius; /* the length of the longest row, less the mean */
	code_stage stage[CODE_STAGES];
	unsigned stages;
	column ids;       /* i64 a slot */
	size_t block_cap; /* of every block_error */
	size_t n, live;   /* slots in use, and those whose row is not removed */
	/* changes: made when first needed */
	uint32_t *by_id, *free_slot; /* live slots in order of id; slots of removed rows */
	size_t by_id_cap, n_free, free_cap;
	bool has_by_id;
	pthread_mutex_t lock; /* reading runs; raising bounds while many threads encode */
} codes;

/* Whether there are enough rows for codes to be faster than a scan, and few enough to number. */
bool ims_codes_suit(const row_source *rows);

/* Codes without rows and stages. NULL: no memory. */
codes *ims_codes_new(imgsearch_error *err);
void ims_codes_free(codes *c);
uint64_t ims_codes_memory(const codes *c); /* NULL: 0 */

/* Room for n slots in every column. New slots are removed ones. */
int ims_codes_reserve(codes *c, size_t n, imgsearch_error *err);

/* A row less the mean. */
void ims_codes_centre(const codes *c, const float *row, float *centred);

/* Encodes a centred row with its components into a slot that has room. */
void ims_codes_encode(codes *c, int64_t id, const float *centred, const float *components,
	size_t slot);

/* Whether bounds in f32 hold: squares and products are neither infinite nor denormal. */
bool ims_codes_are_sound(const codes *c);

/* A removed row scores infinity in the first stage. The slot's item is in memory. */
bool ims_codes_is_removed(codes *c, size_t slot);
void ims_codes_set_removed(codes *c, size_t slot);

/* Blocks of so many rows. */
static inline size_t ims_codes_blocks(size_t rows)
{
	return (rows + IMS_BLOCK_ROWS - 1) / IMS_BLOCK_ROWS;
}

#endif

/*
 * The filter step over codes, exact. A kernel scores the first stage of some blocks of rows. Rows
 * that the limit of the query does not exclude go through the further stages. The last stage bounds
 * distances from above too, and so lowers the limit. The rows that pass all stages are candidates.
 *
 * Scanning approximations and excluding rows by bounds is the VA-file's filter step (Weber, Schek
 * and Blott 1998). The stages, the first limit from seed rows and the check for ties are our own.
 *
 * Errors are left in q->rc. Every function needs q->rc 0.
 */
#ifndef IMS_SEARCH_BOUND_FILTER_H
#define IMS_SEARCH_BOUND_FILTER_H

#include "search/bound/query.h"

/*
 * Whether more than an eighth of the rows are as near as the nearest ones, so that no bound
 * excludes them: duplicates, mostly. A scan is cheaper then. A sample of rows decides, and a larger
 * sample where the first one says so.
 */
bool ims_filter_has_ties(bound_query *q);

/* Filters blocks first .. first + n - 1: at most FILTER_BLOCKS, all in one run of the column. */
void ims_filter_blocks(bound_query *q, size_t first, size_t n);

/*
 * The share of rows that the stages of blocks do not exclude, on a sample of blocks. q->rc: it
 * failed.
 */
double ims_filter_share(bound_query *q);

/* Filters every block, for n > 0 queries over the same codes that share the pass over memory. */
void ims_filter_all(bound_query *const *queries, size_t n);

#endif

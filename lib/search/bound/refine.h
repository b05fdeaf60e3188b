/*
 * The refine step: full rows of the candidates in the order of their lower bounds, until no bound
 * is below the k-th distance. This is the optimal multi-step k-NN search of Seidl and Kriegel
 * (1998).
 */
#ifndef IMS_SEARCH_BOUND_REFINE_H
#define IMS_SEARCH_BOUND_REFINE_H

#include "search/bound/query.h"

/*
 * Refines the candidates of q, whose rc is 0, into out. checks: full rows that are read at most, or
 * 0 for all; report->exact is false where that leaves candidates out. report->rows_checked grows.
 * False with q->rc 0: there are so many candidates that a scan is cheaper, or a row is no longer in
 * the source; the caller scans.
 */
bool ims_refine(bound_query *q, size_t checks, topk *out, search_report *report);

#endif

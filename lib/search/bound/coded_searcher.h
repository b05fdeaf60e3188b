/*
 * What the searchers over codes (exact, pca, kdtree) share: making and freeing, whole requests,
 * added and removed rows. Without codes a request is scanned, and changes need nothing.
 */
#ifndef IMS_SEARCH_BOUND_CODED_SEARCHER_H
#define IMS_SEARCH_BOUND_CODED_SEARCHER_H

#include "search/bound/codes.h"
#include "search/lease.h"

/* The first member of these searchers. */
typedef struct coded_searcher {
	searcher base;
	codes *codes;       /* NULL: scan */
	lease_pool queries; /* of bound_query */
} coded_searcher;

/* A zeroed searcher of `size` bytes, without codes. NULL: no memory. */
void *ims_coded_new(const searcher_ops *ops, size_t size, const row_source *rows,
	imgsearch_error *err);

/* Frees the codes, the queries and the searcher. */
void ims_coded_free(searcher *s);

/* The end of build and load: the searcher goes to *out, or is freed where rc is not 0. Is rc. */
int ims_coded_finish(searcher **out, coded_searcher *s, int rc);

/* checks: as for ims_refine. The others: see searcher_ops. */
int ims_coded_query(const searcher *s, const search_request *q, size_t checks, topk *out,
	search_report *report, imgsearch_error *err);
int ims_coded_add(searcher *s, const int64_t *ids, const float *rows, size_t n, job *job,
	imgsearch_error *err);
int ims_coded_remove(searcher *s, const int64_t *ids, size_t n, imgsearch_error *err);

#endif

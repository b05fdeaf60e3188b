/* What the files of this room share: filters, the searchers' tables. */
#ifndef IMS_SEARCH_INTERNAL_H
#define IMS_SEARCH_INTERNAL_H

#include "search/search.h"

#include <string.h>

extern const searcher_ops ims_search_exact, ims_search_graph, ims_search_kdtree, ims_search_pca,
	ims_search_pgvector;

/* Does the request want this row? */
bool ims_search_passes(const search_request *q, int64_t id);

/* Clears out; EINVAL for a query with NaN or infinity in it. */
int ims_search_check(const row_source *rows, const search_request *q, topk *out,
	imgsearch_error *err);

/* The plain scan into heaps that may hold something already; they stay unsorted. */
int ims_search_scan_into(const row_source *rows, const search_request *q, topk *out,
	search_report *report, imgsearch_error *err);

/*
 * The nearest rows of a source that finds them itself, into heaps that may hold something already.
 * near_exact: as the plain scan, bit for bit; *done is false where a filter of the caller's makes
 * that impossible. near_index: by the source's index, as wide as ef, compared by full rows.
 */
int ims_near_exact(const row_source *rows, const search_request *q, topk *out,
	search_report *report, bool *done, imgsearch_error *err);
int ims_near_index(const row_source *rows, const search_request *q, uint32_t ef, topk *out,
	search_report *report, imgsearch_error *err);

#endif

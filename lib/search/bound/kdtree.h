/* The kdtree searcher: its members, and their saved form. kdtree_searcher.c describes it. */
#ifndef IMS_SEARCH_BOUND_KDTREE_H
#define IMS_SEARCH_BOUND_KDTREE_H

#include "search/bound/coded_searcher.h"
#include "search/bound/kd_tree.h"

enum { KDTREE_RAW_DIM = 32 }; /* the tree is over the rows' own coordinates up to this dimension */

typedef struct kdtree {
	coded_searcher coded; /* codes for more dimensions */
	kd_tree tree;         /* no nodes: every query is a scan */
	float *rows;          /* few dimensions: the rows in the order of the tree; else NULL */
	int64_t *ids;         /* of these rows */
	double longest;       /* the length of the longest of these rows */
} kdtree;

/* As in search/search.h. */
int ims_kdtree_save(const searcher *base, const chunk_sink *sink, imgsearch_error *err);
int ims_kdtree_load(searcher **out, const row_source *rows, const chunk_source *source,
	imgsearch_error *err);

#endif

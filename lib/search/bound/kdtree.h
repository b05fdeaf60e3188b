/* The kdtree searcher: its members, and their saved form. kdtree_searcher.c describes it. */
#ifndef IMS_SEARCH_BOUND_KDTREE_H
#define IMS_SEARCH_BOUND_KDTREE_H

#include "search/bound/coded_searcher.h"
#include "search/bound/kd_tree.h"

enum { KDTREE_RAW_DIM = 32 }; /* the tree is over the rows' own coordinates up to this dimension */

typedef struct kdtree {
	coded_searcher coded; /* codes for more dimensions */
	kd_tree tree;         /* no nodes: every query is a scan */
	float *rows;    /* few dimensions: the rows in the order of the tree, in blocks; or NULL */
	int64_t *ids;   /* of these rows */
	double longest; /* the length of the longest of these rows */
} kdtree;

/*
 * Room for n rows in blocks as near_f32 reads them; the places past the last row are NaN. NULL: out
 * of memory.
 */
float *ims_kdtree_rows(size_t n, size_t dim);
void ims_kdtree_put_row(float *rows, size_t i, const float *row, size_t dim);

/* As in search/search.h. */
int ims_kdtree_save(const searcher *base, const chunk_sink *sink, imgsearch_error *err);
int ims_kdtree_load(searcher **out, const row_source *rows, const chunk_source *source,
	imgsearch_error *err);

#endif

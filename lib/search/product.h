/*
 * Distances of rows to a batch of queries by a matrix product, which is several times as fast as
 * one distance after the other. Sums in another order differ by rounding: the product tells only
 * which rows may be near enough, and their distances are computed anew in the one fixed order.
 */
#ifndef IMS_SEARCH_PRODUCT_H
#define IMS_SEARCH_PRODUCT_H

#include "kernels/kernels.h"
#include "search/search.h"

enum {
	PRODUCT_QUERIES = 16, /* with fewer queries the product does not pay */
	PRODUCT_ROWS = 128    /* rows that are multiplied at once */
};

/* The queries of a request, in panels of IMS_PANEL. */
typedef struct product {
	const search_request *request;
	uint32_t dim;
	imgsearch_metric metric;
	size_t panels;
	float *panel;  /* (panels, dim, IMS_PANEL) */
	float *square; /* (panels * IMS_PANEL): squared lengths of the queries */
} product;

/* ENOMEM. The request outlives *out. */
int ims_product_init(product *out, const row_source *rows, const search_request *request,
	imgsearch_error *err);
void ims_product_free(product *p);

/*
 * Pushes into out, the heaps of the request, what one panel finds among n <= PRODUCT_ROWS rows.
 * square (n): their squared lengths; take[r] 0: leave a row out.
 */
void ims_product_scan(const product *p, size_t panel, const int64_t *ids, const float *rows,
	const float *square, const uint8_t *take, size_t n, topk *out);

#endif

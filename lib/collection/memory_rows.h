/* Rows in memory as a row_source, for self-joins of rows that the index does not store. */
#ifndef IMS_COLLECTION_MEMORY_ROWS_H
#define IMS_COLLECTION_MEMORY_ROWS_H

#include "search/search.h"

/* (n, dim) rows in memory, borrowed; the row number is the id. */
typedef struct memory_rows {
	row_source source; /* its ctx points to this struct, which must not move */
	const float *rows;
} memory_rows;

/* m->source then reads rows (n, dim), which m borrows. Any thread. */
void ims_memory_rows_init(memory_rows *m, const float *rows, size_t n, uint32_t dim,
	imgsearch_metric metric);

#endif

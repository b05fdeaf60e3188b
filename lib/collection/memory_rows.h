#ifndef IMS_COLLECTION_MEMORY_ROWS_H
#define IMS_COLLECTION_MEMORY_ROWS_H

#include "search/search.h"

/* (n, dim) rows in memory, borrowed; the row number is the id. */
typedef struct memory_rows {
	row_source source;
	const float *rows;
} memory_rows;

void ims_memory_rows(memory_rows *m, const float *rows, size_t n, uint32_t dim, imgsearch_metric metric);

#endif

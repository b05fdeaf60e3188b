/* Codes as chunks. docs/searchers.md has the layout. */
#ifndef IMS_SEARCH_BOUND_CODES_STATE_H
#define IMS_SEARCH_BOUND_CODES_STATE_H

#include "search/bound/codes.h"

/* Both begin at chunk *number and move it past the last chunk. */
int ims_codes_save(const codes *c, const chunk_sink *sink, uint32_t *number, imgsearch_error *err);

/* Columns are read when they are touched: source outlives *out. EFORMAT: the chunks are damaged. */
int ims_codes_load(codes **out, const row_source *rows, const chunk_source *source,
	uint32_t *number, imgsearch_error *err);

#endif

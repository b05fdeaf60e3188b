/*
 * The rows of a source on another machine, read once: what a build reads again and again lies in
 * memory meanwhile.
 */
#ifndef IMS_SEARCH_KEPT_H
#define IMS_SEARCH_KEPT_H

#include "search/search.h"

typedef struct kept_block kept_block;

typedef struct kept_rows {
	row_source source; /* finds no near rows itself */
	const row_source *of;
	kept_block *block; /* (n), in order of id */
	size_t n, cap;
	const job *job; /* or NULL */
	imgsearch_error *err;
} kept_rows;

/*
 * The source is that of the rows as they are now; of more than 512 MiB of rows, and of rows of this
 * machine, the one that was given, but for what it finds itself. It is used until ims_kept_free,
 * which is also called on failure; then *kept must not move.
 */
int ims_kept_read(kept_rows *kept, const row_source *of, const job *job, imgsearch_error *err);
void ims_kept_free(kept_rows *kept);

#endif

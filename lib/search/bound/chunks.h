/* Arrays as runs of numbered chunks, 1 MiB each, the last one shorter. */
#ifndef IMS_SEARCH_BOUND_CHUNKS_H
#define IMS_SEARCH_BOUND_CHUNKS_H

#include "search/search.h"

/* The number of chunks that `size` bytes take. */
size_t ims_chunks_count(size_t size);

/* Both begin at chunk *number and move it past the last chunk. EFORMAT: a chunk's size is wrong. */
int ims_chunks_put(const chunk_sink *sink, uint32_t *number, const void *data, size_t size,
	imgsearch_error *err);
int ims_chunks_get(const chunk_source *source, uint32_t *number, void *data, size_t size,
	imgsearch_error *err);

#endif

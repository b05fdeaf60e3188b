/*
 * A column: items of one size, in runs of the largest power of two that fits 16 MiB. A built column
 * lies in memory. A loaded column reads a run from its source when the run is first touched.
 *
 * Any number of threads read at once. A writer holds off every reader.
 */
#ifndef IMS_SEARCH_BOUND_COLUMN_H
#define IMS_SEARCH_BOUND_COLUMN_H

#include "search/search.h"

typedef struct column {
	size_t stride;               /* bytes of an item */
	unsigned shift;              /* a run has 1 << shift items */
	size_t runs, run_cap;        /* runs in use; allocated length of `run` */
	size_t last_cap;             /* items that the last run has room for; other runs are full */
	_Atomic(uint8_t *) *run;     /* NULL: not read yet */
	const chunk_source *source;  /* of a loaded column; borrowed */
	uint32_t first_chunk;        /* of the first run in the source */
	pthread_mutex_t *lock;       /* held while a run is read; borrowed */
} column;

/* An empty column. lock outlives it. */
void ims_column_init(column *col, size_t stride, pthread_mutex_t *lock);
void ims_column_free(column *col);
uint64_t ims_column_memory(const column *col);

/* Room for n items. New items are zero. */
int ims_column_reserve(column *col, size_t n, imgsearch_error *err);

/* The first n items, as chunks from *number on. *number moves past them. */
int ims_column_save(const column *col, size_t n, const chunk_sink *sink, uint32_t *number,
	imgsearch_error *err);

/* n > 0 items, to be read when touched. *number moves past their chunks. source outlives col. */
int ims_column_load(column *col, size_t n, const chunk_source *source, uint32_t *number,
	imgsearch_error *err);

/* Reads every run that is not in memory. */
int ims_column_read_all(const column *col, imgsearch_error *err);

/* Reads run i where it is not in memory. NULL with err set where that fails. */
const uint8_t *ims_column_read_run(const column *col, size_t i, imgsearch_error *err);

static inline size_t ims_column_run_items(const column *col)
{
	return (size_t)1 << col->shift;
}

/* Item i. NULL with err set where its run cannot be read. */
static inline const uint8_t *ims_column_at(const column *col, size_t i, imgsearch_error *err)
{
	size_t in_run = i & (ims_column_run_items(col) - 1);
	const uint8_t *run = atomic_load_explicit(&col->run[i >> col->shift], memory_order_acquire);
	if (!run)
		run = ims_column_read_run(col, i >> col->shift, err);
	return run ? run + in_run * col->stride : NULL;
}

/* Item i, to be written. Its run is in memory. */
static inline uint8_t *ims_column_item(column *col, size_t i)
{
	size_t in_run = i & (ims_column_run_items(col) - 1);
	uint8_t *run = atomic_load_explicit(&col->run[i >> col->shift], memory_order_relaxed);
	return run + in_run * col->stride;
}

/* Fetches the first `most` bytes of item i into the cache, where its run is in memory. */
static inline void ims_column_prefetch(const column *col, size_t i, size_t most)
{
	size_t in_run = i & (ims_column_run_items(col) - 1), size = col->stride;
	const uint8_t *run = atomic_load_explicit(&col->run[i >> col->shift], memory_order_relaxed);
	for (size_t b = 0; run && b < size && b < most; b += 64)
		__builtin_prefetch(run + in_run * size + b);
}

#endif

/* Columns. A run lies in memory as it is saved. */
#include "search/bound/column.h"

#include "search/bound/chunks.h"

#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "columns are saved as they lie in memory, and the file format is little-endian"
#endif

enum {
	RUN_BYTES = 1 << 24, /* large enough for huge pages */
	PADDING = 64         /* bytes that kernels may read past the last item */
};

void ims_column_init(column *col, size_t stride, pthread_mutex_t *lock)
{
	*col = (column){ .stride = stride, .lock = lock };
	while (((size_t)2 << col->shift) * stride <= RUN_BYTES)
		col->shift++;
}

void ims_column_free(column *col)
{
	for (size_t i = 0; i < col->runs; i++)
		ims_free(atomic_load_explicit(&col->run[i], memory_order_relaxed));
	ims_free(col->run);
}

/* Items that run i has room for. */
static size_t run_items(const column *col, size_t i)
{
	return i + 1 < col->runs ? ims_column_run_items(col) : col->last_cap;
}

uint64_t ims_column_memory(const column *col)
{
	uint64_t bytes = col->run_cap * sizeof *col->run;
	for (size_t i = 0; i < col->runs; i++)
		if (atomic_load_explicit(&col->run[i], memory_order_relaxed))
			bytes += run_items(col, i) * col->stride + PADDING;
	return bytes;
}

/* ------------------------------------------------------------------------------------ room ---- */

static uint8_t *new_run(const column *col, size_t n, imgsearch_error *err)
{
	uint8_t *run = ims_alloc_aligned(n * col->stride + PADDING, 1);
	if (!run)
		ims_nomem(err);
	else
		memset(run, 0, n * col->stride + PADDING);
	return run;
}

static int reserve_runs(column *col, size_t runs, imgsearch_error *err)
{
	if (runs <= col->run_cap)
		return 0;
	_Atomic(uint8_t *) *run = ims_realloc(col->run, runs, sizeof *run);
	if (!run)
		return ims_nomem(err);
	for (size_t i = col->run_cap; i < runs; i++)
		atomic_init(&run[i], NULL);
	col->run = run;
	col->run_cap = runs;
	return 0;
}

/* Makes the last run hold n items, or twice what it holds. */
static int widen_last(column *col, size_t n, imgsearch_error *err)
{
	if (!col->runs || n <= col->last_cap)
		return 0;
	size_t full = ims_column_run_items(col), last = col->runs - 1;
	size_t doubled = col->last_cap * 2 > full ? full : col->last_cap * 2;
	n = n > doubled ? n : doubled;
	uint8_t *old = (uint8_t *)ims_column_read_run(col, last, err);
	if (!old)
		return err ? err->code : IMGSEARCH_EFORMAT;
	uint8_t *wide = new_run(col, n, err);
	if (!wide)
		return IMGSEARCH_ENOMEM;
	memcpy(wide, old, col->last_cap * col->stride);
	atomic_store_explicit(&col->run[last], wide, memory_order_relaxed);
	ims_free(old);
	col->last_cap = n;
	return 0;
}

int ims_column_reserve(column *col, size_t n, imgsearch_error *err)
{
	size_t full = ims_column_run_items(col), runs = (n + full - 1) >> col->shift;
	if (!n)
		return 0;
	size_t last = n - ((runs - 1) << col->shift);
	int rc = reserve_runs(col, runs, err);
	if (!rc)
		rc = widen_last(col, runs > col->runs ? full : last, err);
	while (!rc && col->runs < runs) {
		size_t wanted = col->runs + 1 < runs ? full : last;
		uint8_t *run = new_run(col, wanted, err);
		if (!run)
			return IMGSEARCH_ENOMEM;
		atomic_store_explicit(&col->run[col->runs++], run, memory_order_relaxed);
		col->last_cap = wanted;
	}
	return rc;
}

/* --------------------------------------------------------------------------- save and load ---- */

int ims_column_save(const column *col, size_t n, const chunk_sink *sink, uint32_t *number,
	imgsearch_error *err)
{
	size_t full = ims_column_run_items(col);
	int rc = 0;
	for (size_t at = 0; !rc && at < n; at += full) {
		const uint8_t *run = ims_column_at(col, at, err);
		if (!run)
			return err ? err->code : IMGSEARCH_EFORMAT;
		rc = ims_chunks_put(sink, number, run, (n - at < full ? n - at : full) * col->stride, err);
	}
	return rc;
}

int ims_column_load(column *col, size_t n, const chunk_source *source, uint32_t *number,
	imgsearch_error *err)
{
	size_t full = ims_column_run_items(col), runs = (n + full - 1) >> col->shift;
	size_t last = n - ((runs - 1) << col->shift);
	size_t chunks = (runs - 1) * ims_chunks_count(full * col->stride)
		+ ims_chunks_count(last * col->stride);
	if (*number > source->chunks || chunks > source->chunks - *number)
		return ims_fail(err, IMGSEARCH_EFORMAT, "a column of %zu items in %u chunks", n,
			source->chunks);
	int rc = reserve_runs(col, runs, err);
	if (rc)
		return rc;
	col->runs = runs;
	col->last_cap = last;
	col->source = source;
	col->first_chunk = *number;
	*number += (uint32_t)chunks;
	return 0;
}

static uint8_t *read_run(const column *col, size_t i, imgsearch_error *err)
{
	size_t size = run_items(col, i) * col->stride;
	size_t chunks = ims_chunks_count(ims_column_run_items(col) * col->stride);
	uint32_t number = col->first_chunk + (uint32_t)(i * chunks);
	uint8_t *run = ims_alloc_aligned(size + PADDING, 1);
	if (!run) {
		ims_nomem(err);
		return NULL;
	}
	if (ims_chunks_get(col->source, &number, run, size, err)) {
		ims_free(run);
		return NULL;
	}
	memset(run + size, 0, PADDING);
	return run;
}

const uint8_t *ims_column_read_run(const column *col, size_t i, imgsearch_error *err)
{
	pthread_mutex_lock(col->lock);
	uint8_t *run = atomic_load_explicit(&col->run[i], memory_order_acquire);
	if (!run && (run = read_run(col, i, err)))
		atomic_store_explicit(&col->run[i], run, memory_order_release);
	pthread_mutex_unlock(col->lock);
	return run;
}

int ims_column_read_all(const column *col, imgsearch_error *err)
{
	for (size_t i = 0; i < col->runs; i++)
		if (!ims_column_at(col, i << col->shift, err))
			return err ? err->code : IMGSEARCH_EFORMAT;
	return 0;
}

#include "search/kept.h"

#include "base/ids.h"

#include <string.h>

enum { KEPT_BYTES = 512 << 20 };

struct kept_block {
	int64_t *ids;
	float *rows;
	size_t n;
};

static int keep(void *user, const int64_t *ids, const float *rows, size_t n)
{
	kept_rows *k = user;
	size_t dim = k->of->dim;
	kept_block *grown = ims_grow(k->block, k->n, &k->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(k->err);
	k->block = grown;
	kept_block *b = &grown[k->n++];
	*b = (kept_block){ ims_alloc(n, sizeof *ids), ims_alloc_aligned(n, dim * sizeof *rows), n };
	if (!b->ids || !b->rows)
		return ims_nomem(k->err);
	memcpy(b->ids, ids, n * sizeof *ids);
	memcpy(b->rows, rows, n * dim * sizeof *rows);
	return ims_job_check(k->job, k->err);
}

static int scan(void *ctx, int (*each)(void *user, const int64_t *ids, const float *rows, size_t n),
	void *user, imgsearch_error *err)
{
	const kept_rows *k = ctx;
	int rc = 0;
	(void)err;
	for (size_t i = 0; !rc && i < k->n; i++)
		rc = each(user, k->block[i].ids, k->block[i].rows, k->block[i].n);
	return rc;
}

/* The row of an id; NULL: there is none. */
static const float *find(const kept_rows *k, int64_t id)
{
	size_t low = 0, high = k->n, at;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const kept_block *b = &k->block[middle];
		if (b->ids[b->n - 1] < id)
			low = middle + 1;
		else
			high = middle;
	}
	const kept_block *b = &k->block[low];
	return low < k->n && ims_id_find(b->ids, b->n, id, &at) ? b->rows + at * k->of->dim : NULL;
}

static int fetch(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found,
	imgsearch_error *err)
{
	const kept_rows *k = ctx;
	size_t dim = k->of->dim;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		const float *row = find(k, ids[i]);
		found[i] = row != NULL;
		if (row)
			memcpy(out + i * dim, row, dim * sizeof *row);
	}
	return 0;
}

int ims_kept_read(kept_rows *k, const row_source *of, const job *job, imgsearch_error *err)
{
	*k = (kept_rows){ .source = *of, .of = of, .job = job, .err = err };
	k->source.near = NULL;
	k->source.near_build = NULL;
	k->source.expect = NULL;
	if (!of->far || of->n > KEPT_BYTES / (of->dim * sizeof(float)))
		return 0;
	k->source.ctx = k;
	k->source.scan = scan;
	k->source.scan_parts = NULL;
	k->source.fetch = fetch;
	return of->scan(of->ctx, keep, k, err);
}

void ims_kept_free(kept_rows *k)
{
	for (size_t i = 0; i < k->n; i++) {
		ims_free(k->block[i].ids);
		ims_free(k->block[i].rows);
	}
	ims_free(k->block);
	*k = (kept_rows){ 0 };
}

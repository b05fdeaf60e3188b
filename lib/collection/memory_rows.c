#include "collection/memory_rows.h"

#include <string.h>

enum { BLOCK = 256 };

static int scan(void *ctx, int (*each)(void *user, const int64_t *ids, const float *rows, size_t n),
	void *user, imgsearch_error *err)
{
	(void)err;
	const memory_rows *m = ctx;
	int64_t ids[BLOCK];
	for (size_t at = 0; at < m->source.n; at += BLOCK) {
		size_t n = m->source.n - at < BLOCK ? m->source.n - at : BLOCK;
		for (size_t i = 0; i < n; i++)
			ids[i] = (int64_t)(at + i);
		int rc = each(user, ids, m->rows + at * m->source.dim, n);
		if (rc)
			return rc;
	}
	return 0;
}

static int fetch(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found,
	imgsearch_error *err)
{
	(void)err;
	const memory_rows *m = ctx;
	size_t dim = m->source.dim;
	for (size_t i = 0; i < n; i++) {
		found[i] = ids[i] >= 0 && (uint64_t)ids[i] < m->source.n;
		if (found[i])
			memcpy(out + i * dim, m->rows + (size_t)ids[i] * dim, dim * sizeof *out);
	}
	return 0;
}

void ims_memory_rows_init(memory_rows *m, const float *rows, size_t n, uint32_t dim,
	imgsearch_metric metric)
{
	m->rows = rows;
	m->source = (row_source){ .ctx = m,
		.n = n,
		.dim = dim,
		.metric = metric,
		.scan = scan,
		.fetch = fetch };
}

/*
 * Converts stored features to rows when they are read. The store has them as the network made them.
 */
#include "handle/space.h"

#include <math.h>

void ims_space_apply(const space *sp, const float *in, float *out)
{
	double sum = 0;
	for (uint32_t i = 0; i < sp->dim; i++) {
		out[i] = sp->mean ? in[i] - sp->mean[i] : in[i];
		sum += (double)out[i] * out[i];
	}
	if (sp->metric != IMGSEARCH_METRIC_COSINE)
		return;
	float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
	for (uint32_t i = 0; i < sp->dim; i++)
		out[i] *= scale;
}

void ims_space_normalise(float *rows, size_t n, uint32_t dim)
{
	const space plain = { .metric = IMGSEARCH_METRIC_COSINE, .dim = dim };
	for (size_t i = 0; i < n; i++)
		ims_space_apply(&plain, rows + i * dim, rows + i * dim);
}

float ims_score(imgsearch_metric metric, float distance)
{
	switch (metric) {
	case IMGSEARCH_METRIC_COSINE:
		return 1 - distance / 2;
	case IMGSEARCH_METRIC_IP:
		return -distance;
	default:
		return -sqrtf(distance);
	}
}

float ims_score_distance(imgsearch_metric metric, float score)
{
	switch (metric) {
	case IMGSEARCH_METRIC_COSINE:
		return 2 * (1 - score);
	case IMGSEARCH_METRIC_IP:
		return -score;
	default:
		return score > 0 ? -1 : score * score;
	}
}

/* ------------------------------------------------------------------------- rows in a space ---- */

enum { BLOCK = 256 };

typedef struct scan {
	const space *space;
	int (*each)(void *user, const int64_t *ids, const float *rows, size_t n);
	void *user;
	float *block;
} scan;

static int scan_block(void *arg, const int64_t *ids, const float *rows, size_t n)
{
	scan *s = arg;
	size_t dim = s->space->dim;
	for (size_t done = 0; done < n; done += BLOCK) {
		size_t now = n - done < BLOCK ? n - done : BLOCK;
		for (size_t i = 0; i < now; i++)
			ims_space_apply(s->space, rows + (done + i) * dim, s->block + i * dim);
		int rc = s->each(s->user, ids + done, s->block, now);
		if (rc)
			return rc;
	}
	return 0;
}

static int scan_rows(void *ctx,
	int (*each)(void *user, const int64_t *ids, const float *rows, size_t n), void *user,
	imgsearch_error *err)
{
	const space_rows *r = ctx;
	scan s = { r->space, each, user, ims_alloc_aligned(BLOCK, r->space->dim * sizeof(float)) };
	if (!s.block)
		return ims_nomem(err);
	int rc = ims_store_vectors_scan(r->store, false, r->space->dim, scan_block, &s, err);
	ims_free(s.block);
	return rc;
}

static int fetch_rows(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found,
	imgsearch_error *err)
{
	const space_rows *r = ctx;
	int rc = ims_store_vectors_fetch(r->store, ids, n, r->space->dim, out, found, err);
	for (size_t i = 0; !rc && i < n; i++)
		if (found[i])
			ims_space_apply(r->space, out + i * r->space->dim, out + i * r->space->dim);
	return rc;
}

row_source ims_space_source(space_rows *rows, uint64_t n)
{
	return (row_source){
		.ctx = rows,
		.n = (size_t)n,
		.dim = rows->space->dim,
		.metric = rows->space->metric,
		.scan = scan_rows,
		.fetch = fetch_rows,
	};
}

/*
 * Converts stored features to rows when they are read. The store has them as the network made them.
 */
#include "handle/space.h"

#include "kernels/kernels.h"

#include <math.h>

/* Squared lengths between which the length and its inverse are normal floats. */
static const double SMALL = 1e-70, LARGE = 1e70;

/* Scales a row to length 1 where 1 / length, or the row itself, is no normal float. */
static void scale_extreme(const space *sp, const float *in, float *out)
{
	double most = 0, sum = 0;
	for (uint32_t i = 0; i < sp->dim; i++)
		most = fmax(most, fabs(ims_widen(in[i]) - (sp->mean ? sp->mean[i] : 0)));
	for (uint32_t i = 0; most > 0 && i < sp->dim; i++) {
		double part = (ims_widen(in[i]) - (sp->mean ? sp->mean[i] : 0)) / most;
		sum += part * part;
	}
	double length = most * sqrt(sum);
	for (uint32_t i = 0; i < sp->dim; i++)
		out[i] = length > 0 ? (float)((ims_widen(in[i]) - (sp->mean ? sp->mean[i] : 0)) / length)
							: 0;
}

/* in, less the mean, times scale. */
static void scale_row(const space *sp, const float *in, float scale, float *out)
{
	for (uint32_t i = 0; sp->mean && i < sp->dim; i++)
		out[i] = (in[i] - sp->mean[i]) * scale;
	for (uint32_t i = 0; !sp->mean && i < sp->dim; i++)
		out[i] = in[i] * scale;
}

void ims_space_apply(const space *sp, const float *in, float *out)
{
	if (sp->metric != IMGSEARCH_METRIC_COSINE) {
		scale_row(sp, in, 1, out);
		return;
	}
	double sum = ims_kernels()->squares_f32(in, sp->mean, sp->dim);
	if (sum > SMALL && sum < LARGE)
		scale_row(sp, in, (float)(1 / sqrt(sum)), out);
	else
		scale_extreme(sp, in, out);
}

bool ims_space_accepts(const space *sp, const float *row)
{
	return sp->metric != IMGSEARCH_METRIC_COSINE || !ims_all_zeros(row, sp->dim);
}

int ims_space_check(const space *sp, const float *rows, size_t n, const char *what, size_t first,
	imgsearch_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!ims_space_accepts(sp, rows + i * sp->dim))
			return ims_fail(err, IMGSEARCH_EINVAL,
				"%s %zu is all zeros: cosine compares directions, and it has none", what,
				first + i);
	return 0;
}

void ims_space_normalise(float *rows, size_t n, uint32_t dim)
{
	const space plain = { .metric = IMGSEARCH_METRIC_COSINE, .dim = dim };
	for (size_t i = 0; i < n; i++)
		if (ims_all_finite(rows + i * dim, dim)) /* that of an input that failed stays NaN */
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
	int64_t ids[BLOCK]; /* of the rows in block */
} scan;

static int scan_block(void *arg, const int64_t *ids, const float *rows, size_t n)
{
	scan *s = arg;
	size_t dim = s->space->dim;
	for (size_t done = 0; done < n; done += BLOCK) {
		size_t now = n - done < BLOCK ? n - done : BLOCK, kept = 0;
		for (size_t i = done; i < done + now; i++) {
			if (!ims_space_accepts(s->space, rows + i * dim))
				continue;
			s->ids[kept] = ids[i];
			ims_space_apply(s->space, rows + i * dim, s->block + kept++ * dim);
		}
		int rc = kept ? s->each(s->user, s->ids, s->block, kept) : 0;
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
	scan s = { .space = r->space, .each = each, .user = user };
	s.block = ims_alloc_aligned(BLOCK, r->space->dim * sizeof(float));
	if (!s.block)
		return ims_nomem(err);
	int rc = ims_store_vectors_scan(r->store, false, r->space->dim, scan_block, &s, err);
	ims_free(s.block);
	return rc;
}

static int scan_parts(void *ctx, pool *pool,
	int (*each)(void *user, const int64_t *ids, const float *rows, size_t n), void *const *users,
	size_t parts, bool *done, imgsearch_error *err)
{
	const space_rows *r = ctx;
	scan *all = ims_zalloc(parts, sizeof *all);
	void **scans = ims_zalloc(parts, sizeof *scans);
	int rc = all && scans ? 0 : ims_nomem(err);
	*done = false;
	for (size_t i = 0; !rc && i < parts; i++) {
		all[i] = (scan){ .space = r->space, .each = each, .user = users[i] };
		scans[i] = &all[i];
		if (!(all[i].block = ims_alloc_aligned(BLOCK, r->space->dim * sizeof(float))))
			rc = ims_nomem(err);
	}
	if (!rc)
		rc = ims_store_vectors_scan_parts(r->store, r->space->dim, pool, scan_block, scans, parts,
			done, err);
	for (size_t i = 0; all && i < parts; i++)
		ims_free(all[i].block);
	ims_free(all);
	ims_free(scans);
	return rc;
}

static int fetch_rows(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found,
	imgsearch_error *err)
{
	const space_rows *r = ctx;
	int rc = ims_store_vectors_fetch(r->store, ids, n, r->space->dim, out, found, err);
	for (size_t i = 0; !rc && i < n; i++) {
		float *row = out + i * r->space->dim;
		found[i] = found[i] && ims_space_accepts(r->space, row);
		if (found[i])
			ims_space_apply(r->space, row, row);
	}
	return rc;
}

static store_space space_of(const space_rows *r)
{
	return (store_space){ r->space->metric, r->space->dim, r->space->mean };
}

static int find_near(void *ctx, const near_request *q, near_row **out, size_t *n,
	imgsearch_error *err)
{
	const space_rows *r = ctx;
	store_near_request asked = {
		.space = space_of(r),
		.queries = q->queries,
		.n = q->n,
		.k = q->k,
		.subset = q->subset,
		.n_subset = q->n_subset,
		.ef = q->ef,
		.slack = q->slack,
		.sure = q->sure,
	};
	store_near *found;
	int rc = ims_store_near(r->store, &asked, &found, n, err);
	*out = rc ? NULL : ims_alloc(*n, sizeof **out);
	for (size_t i = 0; *out && i < *n; i++)
		(*out)[i] = (near_row){ found[i].query, found[i].id, found[i].bound };
	ims_free(found);
	return rc || *out ? rc : ims_nomem(err);
}

static int build_near(void *ctx, bool index, uint32_t degree, uint32_t beam, job *j,
	imgsearch_error *err)
{
	const space_rows *r = ctx;
	store_space space = space_of(r);
	return ims_store_near_build(r->store, &space, index, degree, beam, j, err);
}

static int expect_rows(void *ctx, const int64_t *ids, size_t n, imgsearch_error *err)
{
	return ims_store_expect(((const space_rows *)ctx)->store, ids, n, err);
}

row_source ims_space_source(space_rows *rows, uint64_t n)
{
	bool near = ims_store_finds_near(rows->store);
	return (row_source){
		.far = near,
		.near = near ? find_near : NULL,
		.near_build = near ? build_near : NULL,
		.expect = near ? expect_rows : NULL,
		.ctx = rows,
		.n = (size_t)n,
		.dim = rows->space->dim,
		.metric = rows->space->metric,
		.scan = scan_rows,
		.scan_parts = scan_parts,
		.fetch = fetch_rows,
	};
}

/* --------------------------------------------------------------------------- rows of zeros ---- */

typedef struct zero_counter {
	const space *space;
	uint64_t n;
	int64_t first;
	job *job;
	imgsearch_error *err;
} zero_counter;

static int count_zeros(void *user, const int64_t *ids, const float *rows, size_t n)
{
	zero_counter *z = user;
	for (size_t i = 0; i < n; i++)
		if (!ims_space_accepts(z->space, rows + i * z->space->dim) && !z->n++)
			z->first = ids[i];
	return ims_job_check(z->job, z->err);
}

int ims_space_zeros(const space_rows *rows, uint64_t *n, int64_t *first, job *j,
	imgsearch_error *err)
{
	zero_counter z = { .space = rows->space, .job = j, .err = err };
	if (z.space->metric == IMGSEARCH_METRIC_COSINE && ims_store_counts_zeros(rows->store))
		return ims_store_vectors_zeros(rows->store, n, first, err);
	int rc = z.space->metric == IMGSEARCH_METRIC_COSINE && z.space->dim
		? ims_store_vectors_scan(rows->store, false, z.space->dim, count_zeros, &z, err)
		: 0;
	*n = z.n;
	*first = z.first;
	return rc;
}

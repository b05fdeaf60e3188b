/*
 * The pca searcher: filter and refine (exact.c) over codes whose components are chosen, by number
 * or by share of the variance. It keeps the projection for imgsearch_vectors_reduce. With `checks`
 * it reads at most so many full rows, and the answer is exact only where that was enough. Whitening
 * divides reduced coordinates by their standard deviation. Distances are not measured in whitened
 * coordinates.
 */
#include "search/bound/chunks.h"
#include "search/bound/coded_searcher.h"
#include "search/bound/codes_build.h"
#include "search/bound/codes_state.h"
#include "search/internal.h"

#include <math.h>

/*
 * Components that are fitted when a share of the variance decides: at first, and in a second try.
 */
enum { FIRST_FIT = 512, SECOND_FIT = 1024 };

typedef struct pca {
	coded_searcher coded;
	rotation axes;
	bool whiten;
} pca;

static void pca_free(searcher *base)
{
	if (base)
		ims_rotation_free(&((pca *)base)->axes);
	ims_coded_free(base);
}

/* How many leading components hold the share of the variance. 0: all that were fitted hold less. */
static uint32_t components_for(const rotation *axes, double share)
{
	double sum = 0;
	for (uint32_t i = 0; i < axes->parts; i++) {
		sum += axes->variance[i];
		if (sum >= share * axes->total)
			return i + 1;
	}
	return 0;
}

static int fit(pca *s, const row_source *rows, const search_params *p, job *job,
	imgsearch_error *err)
{
	double share = p->variance > 0 && p->variance <= 1 ? p->variance : IMGSEARCH_VARIANCE_DEFAULT;
	uint32_t most = p->components ? p->components : rows->dim < FIRST_FIT ? rows->dim : FIRST_FIT;
	int rc = ims_rotation_fit(&s->axes, rows, most, p->seed + 1, job, err);
	if (rc || p->components)
		return rc;
	uint32_t m = components_for(&s->axes, share);
	if (!m && rows->dim > FIRST_FIT) {
		ims_rotation_free(&s->axes);
		most = rows->dim < SECOND_FIT ? rows->dim : SECOND_FIT;
		rc = ims_rotation_fit(&s->axes, rows, most, p->seed + 1, job, err);
		m = rc ? 0 : components_for(&s->axes, share);
	}
	s->axes.parts = m ? m : s->axes.parts;
	return rc;
}

static int pca_build(searcher **out, const row_source *rows, const search_params *p, job *job,
	imgsearch_error *err)
{
	pca *s = ims_coded_new(&ims_search_pca, sizeof *s, rows, err);
	if (!s)
		return IMGSEARCH_ENOMEM;
	s->whiten = p->whiten;
	int rc = fit(s, rows, p, job, err);
	if (!rc)
		rc = ims_codes_build(&s->coded.codes, rows, &s->axes, NULL, job, err);
	return ims_coded_finish(out, &s->coded, rc);
}

static int pca_save(const searcher *base, const chunk_sink *sink, imgsearch_error *err)
{
	const pca *s = (const pca *)base;
	uint32_t number = 1;
	size_t axes = (size_t)s->axes.parts * s->axes.dim;
	buf b = { 0 };
	ims_buf_put(&b, "IMSPCA\0", 8);
	ims_buf_u32(&b, s->coded.codes != NULL);
	ims_buf_u32(&b, s->whiten);
	ims_buf_u32(&b, s->axes.parts);
	ims_buf_f32(&b, (float)s->axes.total);
	ims_buf_put(&b, s->axes.mean, s->axes.dim * sizeof(float));
	ims_buf_put(&b, s->axes.variance, s->axes.parts * sizeof(float));
	int rc = b.failed ? ims_nomem(err) : sink->put(sink->ctx, 0, b.data, b.len, err);
	if (!rc)
		rc = ims_chunks_put(sink, &number, s->axes.axes, axes * sizeof(float), err);
	if (!rc && s->coded.codes)
		rc = ims_codes_save(s->coded.codes, sink, &number, err);
	ims_buf_free(&b);
	return rc;
}

static int read_axes(pca *s, reader *r, const chunk_source *source, uint32_t *number, bool *coded,
	imgsearch_error *err)
{
	rotation *a = &s->axes;
	const void *magic = ims_read_bytes(r, 8);
	a->dim = s->coded.base.rows->dim;
	*coded = ims_read_u32(r);
	s->whiten = ims_read_u32(r);
	a->parts = ims_read_u32(r);
	a->total = ims_read_f32(r);
	const void *mean = ims_read_bytes(r, a->dim * sizeof(float));
	if (r->failed || memcmp(magic, "IMSPCA\0", 8) || !a->parts || a->parts > a->dim)
		return ims_fail(err, IMGSEARCH_EFORMAT, "not the state of a pca searcher");
	const void *variance = ims_read_bytes(r, a->parts * sizeof(float));
	if (!variance)
		return ims_fail(err, IMGSEARCH_EFORMAT, "the state of the pca searcher is cut off");
	a->mean = ims_alloc(a->dim, sizeof(float));
	a->variance = ims_alloc(a->parts, sizeof(float));
	a->axes = ims_alloc_aligned(a->parts, a->dim * sizeof(float));
	if (!a->mean || !a->variance || !a->axes)
		return ims_nomem(err);
	memcpy(a->mean, mean, a->dim * sizeof(float));
	memcpy(a->variance, variance, a->parts * sizeof(float));
	return ims_chunks_get(source, number, a->axes, (size_t)a->parts * a->dim * sizeof(float), err);
}

static int pca_load(searcher **out, const row_source *rows, const chunk_source *source,
	imgsearch_error *err)
{
	uint32_t number = 1;
	bool coded = false;
	buf b = { 0 };
	pca *s = ims_coded_new(&ims_search_pca, sizeof *s, rows, err);
	if (!s)
		return IMGSEARCH_ENOMEM;
	int rc = source->get(source->ctx, 0, &b, err);
	reader r = { .data = b.data, .len = b.len };
	if (!rc)
		rc = read_axes(s, &r, source, &number, &coded, err);
	if (!rc && coded)
		rc = ims_codes_load(&s->coded.codes, rows, source, &number, err);
	ims_buf_free(&b);
	return ims_coded_finish(out, &s->coded, rc);
}

static int pca_query(const searcher *base, const search_request *q, topk *out,
	search_report *report, imgsearch_error *err)
{
	return ims_coded_query(base, q, q->params.checks, out, report, err);
}

static int pca_reduce(const searcher *base, const float *rows, size_t n, float *out, size_t m,
	imgsearch_error *err)
{
	const pca *s = (const pca *)base;
	const rotation *a = &s->axes;
	if (m > a->parts)
		return ims_fail(err, IMGSEARCH_EINVAL, "%zu components are wanted, %u were built", m,
			a->parts);
	float *v = ims_alloc_aligned(a->dim, sizeof(float));
	if (!v)
		return ims_nomem(err);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < a->dim; j++)
			v[j] = rows[i * a->dim + j] - a->mean[j];
		for (size_t k = 0; k < m; k++) {
			float y = ims_kernels()->dot_f32(v, a->axes + k * a->dim, a->dim);
			out[i * m + k] = !s->whiten ? y : a->variance[k] > 0 ? y / sqrtf(a->variance[k]) : 0;
		}
	}
	ims_free(v);
	return 0;
}

static uint64_t pca_memory(const searcher *base)
{
	const pca *s = (const pca *)base;
	uint64_t dim = s->axes.dim, components = s->axes.parts;
	uint64_t floats = components * (dim + 1) + dim;
	return sizeof *s + ims_codes_memory(s->coded.codes) + floats * sizeof(float);
}

const searcher_ops ims_search_pca = {
	.name = "pca",
	.version = 3,
	.change_cost = 64,
	.build = pca_build,
	.save = pca_save,
	.load = pca_load,
	.query = pca_query,
	.add = ims_coded_add,
	.remove = ims_coded_remove,
	.reduce = pca_reduce,
	.memory = pca_memory,
	.free = pca_free,
};

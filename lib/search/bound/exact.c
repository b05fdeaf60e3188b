/*
 * The exact searcher: filter and refine over quantised rows.
 *
 * Scanning compact approximations of all rows, excluding rows by lower bounds of their distance and
 * reading full rows for the others is the VA-file (Weber, Schek and Blott 1998). Quantising on
 * principal components is the VA+-file (Ferhatosmanoglu et al. 2000). Reading full rows in the
 * order of their lower bounds until no bound is below the k-th distance is the optimal multi-step
 * k-NN search (Seidl and Kriegel 1998). Our own: the filter step in stages, the residual in every
 * bound, and integer kernels over interleaved rows.
 *
 * Answers equal the plain scan's bit for bit. Few rows, and numbers too large or too small for
 * bounds in f32, are scanned.
 */
#include "search/bound/codes_build.h"
#include "search/bound/codes_change.h"
#include "search/bound/codes_state.h"
#include "search/bound/filter_refine.h"
#include "search/internal.h"

typedef struct exact {
	searcher base;
	codes *codes;       /* NULL: scan */
	lease_pool queries; /* of bound_query */
} exact;

static exact *exact_new(const row_source *rows, imgsearch_error *err)
{
	exact *s = ims_zalloc(1, sizeof *s);
	if (!s) {
		ims_nomem(err);
		return NULL;
	}
	s->base = (searcher){ &ims_search_exact, rows };
	ims_lease_pool_init(&s->queries);
	return s;
}

static void exact_free(searcher *base)
{
	exact *s = (exact *)base;
	if (!s)
		return;
	ims_codes_free(s->codes);
	ims_lease_pool_free(&s->queries, ims_bound_query_free);
	ims_free(s);
}

static int exact_build(searcher **out, const row_source *rows, const search_params *p, job *job,
	imgsearch_error *err)
{
	rotation axes = { 0 };
	exact *s = exact_new(rows, err);
	if (!s)
		return IMGSEARCH_ENOMEM;
	uint32_t components = ims_stage_components(rows->dim);
	int rc = 0;
	if (ims_codes_suit(rows))
		rc = ims_rotation_fit(&axes, rows, components, p->seed + 1, job, err);
	if (!rc)
		rc = ims_codes_build(&s->codes, rows, &axes, NULL, job, err);
	ims_rotation_free(&axes);
	if (rc)
		exact_free(&s->base);
	else
		*out = &s->base;
	return rc;
}

static int exact_save(const searcher *base, const chunk_sink *sink, imgsearch_error *err)
{
	const exact *s = (const exact *)base;
	uint32_t number = 1;
	uint8_t kind = s->codes != NULL;
	int rc = sink->put(sink->ctx, 0, &kind, 1, err);
	return rc || !s->codes ? rc : ims_codes_save(s->codes, sink, &number, err);
}

static int exact_load(searcher **out, const row_source *rows, const chunk_source *source,
	imgsearch_error *err)
{
	uint32_t number = 1;
	buf b = { 0 };
	exact *s = exact_new(rows, err);
	if (!s)
		return IMGSEARCH_ENOMEM;
	int rc = source->get(source->ctx, 0, &b, err);
	if (!rc && (b.len != 1 || b.data[0] > 1))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "not the state of an exact searcher");
	if (!rc && b.data[0])
		rc = ims_codes_load(&s->codes, rows, source, &number, err);
	ims_buf_free(&b);
	if (rc)
		exact_free(&s->base);
	else
		*out = &s->base;
	return rc;
}

static int exact_query(const searcher *base, const search_request *q, topk *out,
	search_report *report, imgsearch_error *err)
{
	const exact *s = (const exact *)base;
	if (!s->codes)
		return ims_search_scan_into(base->rows, q, out, report, err);
	lease_pool *queries = (lease_pool *)&s->queries;
	return ims_filter_refine(queries, s->codes, base->rows, q, 0, out, report, err);
}

static int exact_add(searcher *base, const int64_t *ids, const float *rows, size_t n, job *job,
	imgsearch_error *err)
{
	(void)job;
	exact *s = (exact *)base;
	return s->codes ? ims_codes_add(s->codes, ids, rows, n, err) : 0;
}

static int exact_remove(searcher *base, const int64_t *ids, size_t n, imgsearch_error *err)
{
	exact *s = (exact *)base;
	return s->codes ? ims_codes_remove(s->codes, ids, n, err) : 0;
}

static uint64_t exact_memory(const searcher *base)
{
	const exact *s = (const exact *)base;
	return sizeof *s + ims_codes_memory(s->codes);
}

const searcher_ops ims_search_exact = {
	.name = "exact",
	.version = 4,
	.change_cost = 64,
	.build = exact_build,
	.save = exact_save,
	.load = exact_load,
	.query = exact_query,
	.add = exact_add,
	.remove = exact_remove,
	.memory = exact_memory,
	.free = exact_free,
};

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
#include "search/bound/coded_searcher.h"
#include "search/bound/codes_build.h"
#include "search/bound/codes_state.h"
#include "search/internal.h"

static int exact_build(searcher **out, const row_source *rows, const search_params *p, job *job,
	imgsearch_error *err)
{
	rotation axes = { 0 };
	coded_searcher *s = ims_coded_new(&ims_search_exact, sizeof *s, rows, err);
	if (!s)
		return IMGSEARCH_ENOMEM;
	uint32_t components = ims_stage_components(rows->dim);
	int rc = rows->near ? rows->near_build(rows->ctx, false, 0, 0, job, err) : 0;
	if (rc || rows->near) /* the source searches */
		return ims_coded_finish(out, s, rc);
	if (ims_codes_suit(rows))
		rc = ims_rotation_fit(&axes, rows, components, p->seed + 1, job, err);
	if (!rc)
		rc = ims_codes_build(&s->codes, rows, &axes, NULL, job, err);
	ims_rotation_free(&axes);
	return ims_coded_finish(out, s, rc);
}

static int exact_save(const searcher *base, const chunk_sink *sink, imgsearch_error *err)
{
	const coded_searcher *s = (const coded_searcher *)base;
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
	coded_searcher *s = ims_coded_new(&ims_search_exact, sizeof *s, rows, err);
	if (!s)
		return IMGSEARCH_ENOMEM;
	int rc = source->get(source->ctx, 0, &b, err);
	if (!rc && (b.len != 1 || b.data[0] > 1))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "not the state of an exact searcher");
	if (!rc && b.data[0] && !rows->near) /* the source searches */
		rc = ims_codes_load(&s->codes, rows, source, &number, err);
	ims_buf_free(&b);
	return ims_coded_finish(out, s, rc);
}

static int exact_query(const searcher *base, const search_request *q, topk *out,
	search_report *report, imgsearch_error *err)
{
	return ims_coded_query(base, q, 0, out, report, err);
}

static uint64_t exact_memory(const searcher *base)
{
	const coded_searcher *s = (const coded_searcher *)base;
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
	.add = ims_coded_add,
	.remove = ims_coded_remove,
	.memory = exact_memory,
	.free = ims_coded_free,
};

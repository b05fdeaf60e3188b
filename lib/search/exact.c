/* The exact searcher. */
#include "search/internal.h"

typedef struct exact {
	searcher base;
} exact;

static int exact_build(searcher **out, const row_source *rows, const search_params *p, job *job, imgsearch_error *err)
{
	(void)p, (void)job;
	exact *s = ims_zalloc(1, sizeof(*s));
	if (!s)
		return ims_nomem(err);
	s->base = (searcher){ &ims_search_exact, rows };
	*out = &s->base;
	return 0;
}

static int exact_save(const searcher *s, const chunk_sink *sink, imgsearch_error *err)
{
	(void)s;
	return sink->put(sink->ctx, 0, "EXACT", 5, err);
}

static int exact_load(searcher **out, const row_source *rows, const chunk_source *source, imgsearch_error *err)
{
	(void)source;
	return exact_build(out, rows, NULL, NULL, err);
}

static int exact_query(const searcher *s, const search_request *q, topk *out, search_report *report, imgsearch_error *err)
{
	return ims_search_scan_into(s->rows, q, out, report, err);
}

static uint64_t exact_memory(const searcher *s)
{
	return sizeof(*s);
}

static void exact_free(searcher *s)
{
	ims_free(s);
}

const searcher_ops ims_search_exact = {
	.name = "exact",
	.version = 1,
	.build = exact_build,
	.save = exact_save,
	.load = exact_load,
	.query = exact_query,
	.memory = exact_memory,
	.free = exact_free,
};

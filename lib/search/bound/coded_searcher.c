#include "search/bound/coded_searcher.h"

#include "search/bound/codes_change.h"
#include "search/bound/filter_refine.h"
#include "search/internal.h"

void *ims_coded_new(const searcher_ops *ops, size_t size, const row_source *rows,
	imgsearch_error *err)
{
	coded_searcher *s = ims_zalloc(1, size);
	if (!s) {
		ims_nomem(err);
		return NULL;
	}
	s->base = (searcher){ ops, rows };
	ims_lease_pool_init(&s->queries);
	return s;
}

void ims_coded_free(searcher *base)
{
	coded_searcher *s = (coded_searcher *)base;
	if (!s)
		return;
	ims_codes_free(s->codes);
	ims_lease_pool_free(&s->queries, ims_bound_query_free);
	ims_free(s);
}

int ims_coded_finish(searcher **out, coded_searcher *s, int rc)
{
	if (rc)
		s->base.ops->free(&s->base);
	else
		*out = &s->base;
	return rc;
}

int ims_coded_query(const searcher *base, const search_request *q, size_t checks, topk *out,
	search_report *report, imgsearch_error *err)
{
	const coded_searcher *s = (const coded_searcher *)base;
	if (!s->codes)
		return ims_search_scan_into(base->rows, q, out, report, err);
	lease_pool *queries = (lease_pool *)&s->queries;
	return ims_filter_refine(queries, s->codes, base->rows, q, checks, out, report, err);
}

int ims_coded_add(searcher *base, const int64_t *ids, const float *rows, size_t n, job *job,
	imgsearch_error *err)
{
	(void)job;
	codes *c = ((coded_searcher *)base)->codes;
	return c ? ims_codes_add(c, ids, rows, n, err) : 0;
}

int ims_coded_remove(searcher *base, const int64_t *ids, size_t n, imgsearch_error *err)
{
	codes *c = ((coded_searcher *)base)->codes;
	return c ? ims_codes_remove(c, ids, n, err) : 0;
}

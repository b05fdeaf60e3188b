/* Chooses the searcher, or a scan. */
#include "query/nearest.h"

#include "base/regions.h"
#include "store/store.h"

#include <string.h>

const row_source *ims_query_rows(const view *v, const query *q, const row_set *set)
{
	bool plain = q->options.plain && v->space.mean;
	if (set == &v->regions)
		return plain ? &v->plain_region_rows : &v->region_rows;
	return plain ? &v->plain_rows : &v->rows;
}

/* A view is older than rows that were added since; how to scan depends on their number. */
static int scan(imgsearch *s, const row_set *set, const row_source *rows,
	const search_request *request, topk *out, search_report *report, imgsearch_error *err)
{
	store_counts counts;
	row_source now = *rows;
	int rc = ims_store_counts(s->store, &counts, err);
	now.n = rc ? 0 : (size_t)(set->parts > 1 ? counts.regions * set->parts : counts.vectors);
	return rc ? rc : ims_search_scan(&now, request, out, report, err);
}

int ims_query_nearest(imgsearch *s, view *v, row_set *set, const query *q,
	const search_request *request, topk *out, search_report *report, const char **name,
	imgsearch_error *err)
{
	const char *wanted = q->options.searcher;
	const row_source *rows = ims_query_rows(v, q, set);
	/* regions are never searched by an index of a server */
	bool takes = !wanted || set->parts == 1 || ims_search_takes(wanted, rows);
	if (!wanted || !strcmp(wanted, "auto") || !takes)
		wanted = set->chosen;
	search_index *index = NULL;
	bool lags = false;
	int rc = 0;
	if (rows == set->rows && *wanted && strcmp(wanted, "scan")) {
		rc = ims_view_searcher_for(s, v, set, wanted, request->n, q->job, &index, &lags, err);
		/* in the place of "exact" a scan gives the same answer */
		if (!rc && !index && !lags && wanted != set->chosen && strcmp(wanted, "exact"))
			rc = ims_fail(err, IMGSEARCH_ENOTFOUND, "%s: no usable %s searcher is built%s",
				ims_store_name(s->store), wanted, set->parts > 1 ? " over the regions" : "");
	}
	if (rc)
		return rc;
	*name = index ? ims_search_name(index) : "scan";
	if (index)
		return ims_search_query(index, request, out, report, err);
	rc = scan(s, set, rows, request, out, report, err);
	if (!rc && lags)
		report->plan = "scan: cheaper than the changes that the searcher lacks";
	return rc;
}

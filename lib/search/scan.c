/*
 * The plain scan: every full-precision row against every query. It is the definition of a right
 * answer: what a searcher calls exact is this, bit for bit. A batch of queries shares the pass; a
 * small subset is fetched by id instead.
 */
#include "kernels/kernels.h"
#include "search/internal.h"

#include "base/ids.h"

#include <math.h>

float ims_search_distance(imgsearch_metric metric, const float *a, const float *b, uint32_t dim)
{
	const kernels *k = ims_kernels();
	return metric == IMGSEARCH_METRIC_IP ? -k->dot_f32(a, b, dim) : k->l2_f32(a, b, dim);
}

int ims_search_check(const row_source *rows, const search_request *q, topk *out,
	imgsearch_error *err)
{
	for (size_t i = 0; i < q->n; i++) {
		ims_topk_clear(&out[i]);
		if (!ims_all_finite(q->queries + i * rows->dim, rows->dim))
			return ims_fail(err, IMGSEARCH_EINVAL, "query %zu has a value that is no finite number",
				i);
	}
	if (q->max_distance != q->max_distance)
		return ims_fail(err, IMGSEARCH_EINVAL, "the largest distance is no number");
	return 0;
}

bool ims_search_passes(const search_request *q, int64_t id)
{
	if (q->subset && !ims_id_find(q->subset, q->filter_count, id, NULL))
		return false;
	return !q->filter || q->filter(q->filter_user, id);
}

typedef struct pass {
	const search_request *q;
	const row_source *source;
	topk *out;
	uint64_t checked;
	imgsearch_error *err;
	/* the block at work */
	const int64_t *ids;
	const float *rows;
	const uint8_t *take;
	size_t n;
} pass;

static void scan_query(void *arg, size_t i, unsigned worker)
{
	(void)worker;
	pass *p = arg;
	size_t dim = p->source->dim;
	float limit = p->q->max_distance;
	const float *query = p->q->queries + i * dim;
	for (size_t r = 0; r < p->n; r++) {
		if (!p->take[r])
			continue;
		float d = ims_search_distance(p->source->metric, query, p->rows + r * dim, (uint32_t)dim);
		if (d <= limit)
			ims_topk_push(&p->out[i], d, p->ids[r]);
	}
}

enum { SCAN_ROWS = 32 }; /* at once against every query: they stay in the cache */

static int scan_block(void *user, const int64_t *ids, const float *rows, size_t n)
{
	pass *p = user;
	uint8_t take[SCAN_ROWS];
	int rc = ims_stop_check(p->q->stop, p->err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i += SCAN_ROWS) {
		p->n = n - i < SCAN_ROWS ? n - i : SCAN_ROWS;
		p->ids = ids + i;
		p->rows = rows + i * p->source->dim;
		p->take = take;
		for (size_t r = 0; r < p->n; r++) {
			take[r] = ims_search_passes(p->q, p->ids[r]);
			p->checked += take[r];
		}
		ims_parallel(p->q->n >= 8 ? p->q->pool : NULL, p->q->n, scan_query, p);
	}
	return 0;
}

/* Subset rows by id, some hundred at a time. */
static int scan_subset(pass *p)
{
	enum { AT_ONCE = 256 };
	const search_request *q = p->q;
	size_t dim = p->source->dim, room = q->filter_count < AT_ONCE ? q->filter_count : AT_ONCE;
	int64_t ids[AT_ONCE];
	uint8_t found[AT_ONCE];
	float *rows = ims_alloc(room * dim, sizeof(float));
	int rc = rows || !room ? 0 : ims_nomem(p->err);
	for (size_t i = 0; !rc && i < q->filter_count; i += room) {
		size_t n = q->filter_count - i < room ? q->filter_count - i : room, kept = 0;
		rc = p->source->fetch(p->source->ctx, q->subset + i, n, rows, found, p->err);
		for (size_t r = 0; !rc && r < n; r++)
			if (found[r]) {
				ids[kept] = q->subset[i + r];
				if (kept != r)
					memmove(rows + kept * dim, rows + r * dim, dim * sizeof(float));
				kept++;
			}
		if (!rc)
			rc = scan_block(p, ids, rows, kept);
	}
	ims_free(rows);
	return rc;
}

int ims_search_scan_into(const row_source *rows, const search_request *q, topk *out,
	search_report *report, imgsearch_error *err)
{
	pass p = { .q = q, .source = rows, .out = out, .err = err };
	bool by_id = q->subset && q->filter_count <= rows->n / 8;
	int rc = by_id ? scan_subset(&p) : rows->scan(rows->ctx, scan_block, &p, err);
	if (rc)
		return rc;
	*report = (search_report){ true,
		by_id                        ? "filter: subset scanned"
			: q->subset || q->filter ? "scan, filtered"
									 : "scan",
		p.checked };
	return 0;
}

int ims_search_scan(const row_source *rows, const search_request *q, topk *out,
	search_report *report, imgsearch_error *err)
{
	search_report unwanted;
	int rc = ims_search_check(rows, q, out, err);
	if (!rc)
		rc = ims_search_scan_into(rows, q, out, report ? report : &unwanted, err);
	for (size_t i = 0; !rc && i < q->n; i++)
		ims_topk_sort(&out[i]);
	return rc;
}

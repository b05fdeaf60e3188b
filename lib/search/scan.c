/*
 * The plain scan: every full-precision row against every query. It is the definition of a right
 * answer: what a searcher calls exact is this, bit for bit. A batch of queries shares the pass; a
 * small subset is fetched by id instead.
 */
#include "kernels/kernels.h"
#include "search/internal.h"
#include "search/product.h"

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
	const product *product; /* NULL: distances one by one */
	/* the block at work */
	const int64_t *ids;
	const float *rows;
	const float *square; /* with a product */
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

static void scan_panel(void *arg, size_t i, unsigned worker)
{
	(void)worker;
	pass *p = arg;
	ims_product_scan(p->product, i, p->ids, p->rows, p->square, p->take, p->n, p->out);
}

/* Rows of a block at once against every query: they stay in the cache. */
static void scan_rows(pass *p)
{
	uint8_t take[PRODUCT_ROWS];
	float square[PRODUCT_ROWS];
	size_t dim = p->source->dim;
	p->take = take;
	p->square = square;
	for (size_t r = 0; r < p->n; r++) {
		take[r] = ims_search_passes(p->q, p->ids[r]);
		p->checked += take[r];
		if (p->product)
			square[r] = ims_kernels()->dot_f32(p->rows + r * dim, p->rows + r * dim, dim);
	}
	if (p->product)
		ims_parallel(p->q->pool, p->product->panels, scan_panel, p);
	else
		ims_parallel(p->q->n >= 8 ? p->q->pool : NULL, p->q->n, scan_query, p);
}

static int scan_block(void *user, const int64_t *ids, const float *rows, size_t n)
{
	enum { FEW = 32 }; /* rows at once without a product */
	pass *p = user;
	size_t step = p->product ? PRODUCT_ROWS : FEW;
	int rc = ims_stop_check(p->q->stop, p->err);
	for (size_t i = 0; !rc && i < n; i += step) {
		p->n = n - i < step ? n - i : step;
		p->ids = ids + i;
		p->rows = rows + i * p->source->dim;
		scan_rows(p);
	}
	return rc;
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
		size_t n = q->filter_count - i < room ? q->filter_count - i : room;
		memcpy(ids, q->subset + i, n * sizeof *ids);
		rc = ims_search_fetch(p->source, ids, &n, rows, found, p->err);
		if (!rc)
			rc = scan_block(p, ids, rows, n);
	}
	ims_free(rows);
	return rc;
}

int ims_search_scan_into(const row_source *rows, const search_request *q, topk *out,
	search_report *report, imgsearch_error *err)
{
	pass p = { .q = q, .source = rows, .out = out, .err = err };
	bool by_id = q->subset && q->filter_count <= rows->n / 8, done = false;
	product batch = { 0 };
	if (rows->near) {
		int rc = ims_near_exact(rows, q, out, report, &done, err);
		if (rc || done)
			return rc;
	}
	int rc = q->n >= PRODUCT_QUERIES ? ims_product_init(&batch, rows, q, err) : 0;
	p.product = batch.panel ? &batch : NULL;
	if (!rc)
		rc = by_id ? scan_subset(&p) : rows->scan(rows->ctx, scan_block, &p, err);
	ims_product_free(&batch);
	if (rc)
		return rc;
	*report = (search_report){ true,
		by_id                        ? "filter: subset scanned"
			: q->subset || q->filter ? "scan, filtered"
									 : "scan",
		p.checked };
	return 0;
}

/* ----------------------------------------------------------------------- several threads ---- */

enum {
	FEW_QUERIES = 8,   /* from here on the threads share out the queries */
	LARGE_ROWS = 10000 /* below, waking threads costs more than it saves */
};

/* A pass of each part, with heaps of its own: the heaps of pass i begin at i * q->n. */
typedef struct team {
	pass *pass;
	void **user;
	topk *heap;
	imgsearch_error *err;
	size_t n, heaps;
} team;

static void team_free(team *t)
{
	for (size_t i = 0; t->heap && i < t->heaps; i++)
		ims_topk_free(&t->heap[i]);
	ims_free(t->heap);
	ims_free(t->pass);
	ims_free(t->user);
	ims_free(t->err);
}

static int team_new(team *t, const row_source *rows, const search_request *one, topk *out,
	imgsearch_error *err)
{
	t->heaps = t->n * one->n;
	t->pass = ims_zalloc(t->n, sizeof *t->pass);
	t->user = ims_zalloc(t->n, sizeof *t->user);
	t->err = ims_zalloc(t->n, sizeof *t->err);
	t->heap = ims_zalloc(t->heaps, sizeof *t->heap);
	if (!t->pass || !t->user || !t->err || !t->heap)
		return ims_nomem(err);
	for (size_t i = 0; i < t->heaps; i++)
		if (ims_topk_init(&t->heap[i], out[i % one->n].k))
			return ims_nomem(err);
	for (size_t i = 0; i < t->n; i++) {
		t->pass[i] =
			(pass){ .q = one, .source = rows, .out = t->heap + i * one->n, .err = &t->err[i] };
		t->user[i] = &t->pass[i];
	}
	return 0;
}

static void gather(const team *t, size_t queries, topk *out, search_report *report)
{
	*report = (search_report){ true, "scan", 0 };
	for (size_t i = 0; i < t->n; i++)
		report->rows_checked += t->pass[i].checked;
	for (size_t i = 0; i < t->heaps; i++)
		for (size_t j = 0; j < t->heap[i].n; j++)
			ims_topk_push(&out[i % queries], t->heap[i].item[j].distance, t->heap[i].item[j].id);
}

/* One pass of few queries over many rows, on several threads where that can be. */
static int scan_together(const row_source *rows, const search_request *q, topk *out,
	search_report *report, bool *done, imgsearch_error *err)
{
	team t = { .n = ims_pool_threads(q->pool) };
	t.n = t.n < ROW_PARTS ? t.n : ROW_PARTS;
	search_request one = *q;
	one.pool = NULL;
	*done = false;
	if (rows->near || !rows->scan_parts || t.n < 2 || !q->n || q->n >= FEW_QUERIES
		|| rows->n < LARGE_ROWS || q->filter || q->subset)
		return 0;
	int rc = team_new(&t, rows, &one, out, err);
	if (!rc)
		rc = rows->scan_parts(rows->ctx, q->pool, scan_block, t.user, t.n, done, err);
	for (size_t i = 0; rc && err && t.err && i < t.n; i++)
		if (t.err[i].code == rc) /* the pass was stopped */
			*err = t.err[i];
	if (!rc && *done)
		gather(&t, q->n, out, report);
	team_free(&t);
	return rc;
}

int ims_search_scan(const row_source *rows, const search_request *q, topk *out,
	search_report *report, imgsearch_error *err)
{
	search_report unwanted;
	bool done = false;
	report = report ? report : &unwanted;
	int rc = ims_search_check(rows, q, out, err);
	if (!rc)
		rc = scan_together(rows, q, out, report, &done, err);
	if (!rc && !done)
		rc = ims_search_scan_into(rows, q, out, report, err);
	for (size_t i = 0; !rc && i < q->n; i++)
		ims_topk_sort(&out[i]);
	return rc;
}

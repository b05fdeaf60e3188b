/*
 * Answers. The beam finds candidates by code. Residual codes order them, and full rows are read in
 * that order until a row's bound is above the k-th distance found: its distance by residual code,
 * less `margin` times what the residuals of query and row may add. The width of the beam and the
 * margin decide the recall; tune.h measures how much of each a class of queries takes.
 *
 * Plans. Where a filter lets little through, the nodes that pass are listed once for all queries.
 * The full rows of a short list are scanned (exact), the codes of a longer one. Where the beam ends
 * with fewer than k nodes although more pass, the full rows are scanned.
 */
#include "search/graph/query.h"

#include "base/ids.h"
#include "search/graph/beam.h"

#include <math.h>
#include <stdlib.h>

enum {
	STEP = 2,         /* full rows read at once after the first k */
	SOME_MORE = 6,    /* and a quarter of k: full rows that are asked for at once beyond k */
	SCAN_ROWS = 2000, /* at most so many full rows are scanned instead of searched */
	DEPTH = 20        /* a scan of codes keeps so many times k candidates */
};

typedef struct plan {
	const graph *g;
	const search_request *q;
	topk *out;
	graph_effort effort;
	float margin;      /* where a search takes no point */
	float *contrast;   /* of each query; NULL: not wanted */
	bool filtered;     /* not every node may be in the answer */
	uint32_t *passing; /* the nodes that pass; NULL: the beam finds them */
	size_t passing_n;
	_Atomic uint64_t checked;
	atomic_int failed;
	imgsearch_error *errors; /* of every worker */
	graph_scratch **scratch;
} plan;

/* ------------------------------------------------------------------------------ candidates ---- */

/* The candidates into s->candidate, the nearest by residual code first, at sortable floats. */
static bool order_by_residual(const graph *g, graph_scratch *s, const graph_query_code *query_code,
	const graph_list *found)
{
	uint32_t slot[64];
	int32_t code[64];
	float better[64];
	if (!ims_graph_reserve_candidates(s, found->n))
		return false;
	for (size_t at = 0; at < found->n; at += 64) {
		size_t n = found->n - at < 64 ? found->n - at : 64;
		for (size_t i = 0; i < n; i++) {
			slot[i] = ims_graph_slot(found->item[at + i]);
			code[i] = ims_graph_distance(found->item[at + i]);
			for (uint32_t b = 0; b < g->quantiser.residual_size; b += 64)
				__builtin_prefetch(ims_graph_residual(g, slot[i]) + b);
		}
		ims_graph_refine_distances(&g->quantiser, query_code, g->residuals, slot, code, n, better);
		for (size_t i = 0; i < n; i++)
			s->candidate[at + i] = ims_graph_item(ims_float_sortable(better[i]), slot[i]);
	}
	ims_graph_sort(s->candidate, found->n);
	return true;
}

/*
 * Asks for all rows at once that are probably read of the candidates from `at` to n, where each
 * call takes a round trip: those within the limit, or where k are not read yet, some more than k
 * and all within what the limit will probably be. *end: behind them.
 */
static int expect(const plan *p, const graph_scratch *s, size_t at, size_t n, float limit,
	float slack, size_t *end, imgsearch_error *err)
{
	const row_source *rows = p->g->base.rows;
	int64_t ids[EXPECT_MOST];
	size_t k = p->q->k < n ? p->q->k : n, want = 0;
	if (!rows->expect)
		return 0;
	if (at < k)
		limit = ims_float_unsortable(ims_graph_distance(s->candidate[k - 1])) + 2 * slack;
	for (; at + want < n && want < EXPECT_MOST
		 && (at + want < k + k / 4 + SOME_MORE
			 || ims_float_unsortable(ims_graph_distance(s->candidate[at + want])) <= limit);
		 want++)
		ids[want] = p->g->ids[ims_graph_slot(s->candidate[at + want])];
	*end = at + want;
	return rows->expect(rows->ctx, ids, want, err);
}

/* Reads full rows of candidates, the nearest first, until the bound excludes the others. */
static int rerank(plan *p, graph_scratch *s, const graph_query_code *query_code, const float *query,
	const graph_list *found, topk *out, imgsearch_error *err)
{
	const row_source *rows = p->g->base.rows;
	float slack = (s->taken ? s->taken->margin : p->margin) * query_code->slack;
	int64_t ids[GRAPH_FETCH];
	size_t expected = 0;
	int rc = 0;
	if (!order_by_residual(p->g, s, query_code, found))
		return ims_nomem(err);
	for (size_t at = 0; at < found->n;) {
		size_t n = 0, want = at < p->q->k ? p->q->k - at : STEP;
		want = want > GRAPH_FETCH ? GRAPH_FETCH : want;
		float worst = ims_topk_worst(out) + slack;
		for (; n < want && at + n < found->n
			 && ims_float_unsortable(ims_graph_distance(s->candidate[at + n])) <= worst;
			 n++)
			ids[n] = p->g->ids[ims_graph_slot(s->candidate[at + n])];
		if (!n)
			break;
		if (at + n > expected)
			rc = expect(p, s, at, found->n, worst, slack, &expected, err);
		if (!rc)
			rc = rows->fetch(rows->ctx, ids, n, s->rows, s->found, err);
		if (rc)
			return rc;
		for (size_t i = 0; i < n; i++) {
			if (!s->found[i])
				continue;
			float d = ims_search_distance(rows->metric, query, s->rows + i * rows->dim, rows->dim);
			if (d <= p->q->max_distance)
				ims_topk_push(out, d, ids[i]);
		}
		at += n;
		atomic_fetch_add_explicit(&p->checked, n, memory_order_relaxed);
	}
	return 0;
}

/* The nearest of the listed nodes by code. */
static const graph_list *scan_codes(plan *p, graph_scratch *s, const graph_query_code *query_code)
{
	const graph *g = p->g;
	s->taken = NULL;
	s->failed = ims_graph_list_room(&s->beam, p->q->k * DEPTH) != 0;
	for (size_t at = 0; !s->failed && at < p->passing_n; at += 64) {
		size_t n = p->passing_n - at < 64 ? p->passing_n - at : 64;
		ims_kernels()->dot_u8_i8(g->codes, g->quantiser.size, p->passing + at, n, query_code->code,
			s->dots);
		for (size_t i = 0; i < n; i++) {
			uint32_t slot = p->passing[at + i];
			ims_graph_list_push(&s->beam,
				ims_graph_item(ims_graph_constant(ims_graph_code(g, slot), g->quantiser.size)
						- s->dots[i],
					slot));
		}
	}
	return &s->beam;
}

static int answer(plan *p, graph_scratch *s, size_t i, imgsearch_error *err)
{
	const graph *g = p->g;
	const search_request *q = p->q;
	const float *query = q->queries + i * g->quantiser.dim;
	graph_filter filter = { q->filter || q->subset ? q : NULL };
	graph_query_code query_code = { .code = s->query_code };
	ims_graph_encode_query(&g->quantiser, query, &query_code, s->encoder);
	graph_effort effort = p->effort;
	for (size_t ef = effort.first;; ef *= 2) {
		const graph_list *found = p->passing ? scan_codes(p, s, &query_code)
											 : ims_graph_adaptive_search(g, s, query_code.code,
												 &effort, p->filtered ? &filter : NULL);
		if (s->failed)
			return ims_nomem(err);
		if (p->contrast && s->taken)
			p->contrast[i] = s->contrast;
		ef = s->taken ? ims_graph_effort_width(&effort, s->taken) : ef;
		effort = (graph_effort){ .first = 2 * ef };
		ims_topk_clear(&p->out[i]);
		int rc = rerank(p, s, &query_code, query, found, &p->out[i], err);
		if (rc)
			return rc;
		size_t all = q->filter_count < g->live ? q->filter_count : g->live;
		bool cut = found->n == found->room && q->max_distance < INFINITY
			&& p->out[i].n < q->k; /* more rows may be within the distance */
		bool short_of = !p->passing && p->out[i].n < q->k && p->out[i].n < all
			&& q->max_distance == INFINITY;
		if (!short_of && !cut)
			return 0;
		if (p->passing || ef >= g->n || ef > GRAPH_EF_MAX || short_of) {
			/* scan every full row */
			search_request one = *q;
			search_report report;
			one.queries = query;
			one.n = 1;
			one.pool = NULL;
			ims_topk_clear(&p->out[i]);
			rc = ims_search_scan_into(g->base.rows, &one, &p->out[i], &report, err);
			atomic_fetch_add(&p->checked, rc ? 0 : report.rows_checked);
			return rc;
		}
	}
}

static void answer_chunk(void *arg, size_t chunk, unsigned worker)
{
	enum { CHUNK = 16 };
	plan *p = arg;
	for (size_t i = chunk * CHUNK; i < p->q->n && i < (chunk + 1) * CHUNK; i++) {
		if (atomic_load_explicit(&p->failed, memory_order_relaxed))
			return;
		int rc = ims_stop_check(p->q->stop, &p->errors[worker]);
		if (!rc)
			rc = answer(p, p->scratch[worker], i, &p->errors[worker]);
		if (rc)
			atomic_store(&p->failed, rc);
	}
}

/* ------------------------------------------------------------------------------------ plan ---- */

/* How many points have the recall of the i-th. */
static uint32_t points_of_recall(const graph *g, uint32_t i)
{
	uint32_t n = 1;
	while (i + n < g->points && g->point[i + n - 1].contrast > 0)
		n++;
	return n;
}

const graph_operating_point *ims_graph_points_for(const graph *g, double recall, uint32_t *n)
{
	const float tolerance = 0.005f; /* both recalls were measured on some hundred queries */
	const graph_operating_point *p = NULL;
	for (uint32_t i = 0; i < g->points; i += *n) {
		p = &g->point[i];
		*n = points_of_recall(g, i);
		if ((double)(fminf(p->recall_in, p->recall_out) + tolerance) >= recall)
			break;
	}
	return p;
}

/* A beam of the given width, with the margin of the first point that is as wide. */
static void choose_fixed(plan *p, size_t ef)
{
	const graph *g = p->g;
	p->margin = 0.5f;
	for (uint32_t i = 0; i < g->points; i++) {
		p->margin = g->point[i].margin;
		if (g->point[i].ef >= ef)
			break;
	}
	p->effort = (graph_effort){ .first = ef < p->q->k ? p->q->k : ef };
}

/*
 * The effort for the wanted recall. The contrast says nothing of the rows that a filter lets
 * through: then every query counts as one of the hardest class.
 */
static void choose_effort(plan *p, bool filter)
{
	enum { UNTUNED = 64, NARROWEST = 10 };
	const search_params *want = &p->q->params;
	double recall = want->recall > 0 ? want->recall : IMGSEARCH_RECALL_DEFAULT;
	size_t k = p->q->k;
	uint32_t n = 0;
	const graph_operating_point *point = ims_graph_points_for(p->g, recall, &n);
	if (want->ef || !point) {
		choose_fixed(p, want->ef ? want->ef : k > 10 ? UNTUNED * k / 10 : UNTUNED);
		return;
	}
	p->effort = (graph_effort){ k > NARROWEST ? k : NARROWEST, k, point, n };
	p->margin = point[n - 1].margin;
	if (filter || n == 1)
		p->effort = (graph_effort){ .first = ims_graph_effort_width(&p->effort, &point[n - 1]) };
}

/* The share of nodes that pass. The entry points are a random sample. */
static double share(const graph *g, const search_request *q)
{
	size_t hit = 0;
	for (size_t i = 0; i < g->entries; i++)
		hit += ims_search_passes(q, g->ids[g->entry[i]]);
	return (double)hit / (double)(g->entries ? g->entries : 1);
}

static int list_passing(plan *p, imgsearch_error *err)
{
	const graph *g = p->g;
	p->passing = ims_alloc(g->live, sizeof *p->passing);
	if (!p->passing)
		return ims_nomem(err);
	for (uint32_t i = 0; i < g->n && p->passing_n < g->live; i++)
		if (g->ids[i] != GRAPH_FREE && !ims_graph_is_deleted(g, i)
			&& ims_search_passes(p->q, g->ids[i]))
			p->passing[p->passing_n++] = i;
	return 0;
}

/* Scans the full rows of the listed nodes. */
static int scan_passing(plan *p, search_report *report, imgsearch_error *err)
{
	search_request q = *p->q;
	int64_t *ids = ims_alloc(p->passing_n, sizeof *ids);
	if (!ids)
		return ims_nomem(err);
	for (size_t i = 0; i < p->passing_n; i++)
		ids[i] = p->g->ids[p->passing[i]];
	qsort(ids, p->passing_n, sizeof *ids, ims_id_compare);
	q.subset = ids;
	q.filter_count = p->passing_n;
	q.filter = NULL;
	int rc = ims_search_scan_into(p->g->base.rows, &q, p->out, report, err);
	ims_free(ids);
	return rc;
}

static int run(plan *p, imgsearch_error *err)
{
	pool *pool = p->q->n > 1 ? p->q->pool : NULL;
	unsigned workers = ims_pool_threads(pool);
	imgsearch_error one_error;
	graph_scratch *one[2] = { NULL, NULL };
	p->errors = workers == 1 ? &one_error : ims_alloc(workers, sizeof *p->errors);
	p->scratch = workers == 1 ? one : ims_zalloc(workers + 1, sizeof *p->scratch);
	int rc = p->errors && p->scratch ? 0 : ims_nomem(err);
	for (unsigned i = 0; !rc && i < workers; i++) {
		p->errors[i].code = 0;
		rc = ims_graph_scratch_acquire(p->g, &p->scratch[i], err);
	}
	if (!rc)
		ims_parallel(pool, (p->q->n + 15) / 16, answer_chunk, p);
	for (unsigned i = 0; !rc && i < workers; i++)
		if (p->errors[i].code) {
			rc = p->errors[i].code;
			if (err)
				*err = p->errors[i];
		}
	for (unsigned i = 0; p->scratch && i < workers; i++)
		ims_graph_scratch_release(p->g, p->scratch[i]);
	if (workers > 1) {
		ims_free(p->errors);
		ims_free(p->scratch);
	}
	return rc;
}

int ims_graph_search_batch(const graph *g, const search_request *q, const graph_effort *effort,
	float margin, topk *out, float *contrast, search_report *report, imgsearch_error *err)
{
	plan p = {
		.g = g,
		.q = q,
		.out = out,
		.effort = *effort,
		.margin = margin,
		.contrast = contrast,
		.filtered = g->deleted_n != 0,
	};
	int rc = run(&p, err);
	*report = (search_report){ false, "graph", p.checked };
	return rc;
}

int ims_graph_query(const searcher *s, const search_request *q, topk *out, search_report *report,
	imgsearch_error *err)
{
	const graph *g = (const graph *)s;
	plan p = { .g = g, .q = q, .out = out };
	bool wanted = q->filter || q->subset;
	int rc = 0;
	if (q->k >= g->live / 4 || g->live <= SCAN_ROWS / 4)
		return ims_search_scan_into(s->rows, q, out, report, err);
	choose_effort(&p, wanted);
	p.filtered = wanted || g->deleted_n;
	if (wanted) {
		bool known = q->subset || q->filter_count < g->live;
		double part = known ? (double)q->filter_count / (double)g->live : share(g, q);
		if (part < 0.02 || part * (double)g->live <= SCAN_ROWS)
			rc = list_passing(&p, err);
		if (!rc && p.passing && p.passing_n <= SCAN_ROWS) {
			rc = scan_passing(&p, report, err);
			ims_free(p.passing);
			report->plan = "graph: filter, passing rows scanned";
			return rc;
		}
	}
	if (!rc)
		rc = run(&p, err);
	*report = (search_report){ false, wanted ? "graph: filtered beam" : "graph", p.checked };
	if (p.passing)
		report->plan = "graph: filter, passing codes scanned";
	ims_free(p.passing);
	return rc;
}

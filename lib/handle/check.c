/*
 * Checks an index. The store checks its own file; then every searcher that is built answers some
 * stored vectors, and its recall is measured against a scan.
 */
#include "handle/check.h"

#include "handle/view.h"

#include <math.h>
#include <string.h>

enum { AT_ONCE = 64, K = 100, QUERIES_MAX = 100000 };

/* Counts the problems that the store finds, and passes them on. */
typedef struct problem_counter {
	problem_each *each;
	void *user;
	uint64_t n;
} problem_counter;

static int count_problem(void *user, const char *text)
{
	problem_counter *p = user;
	p->n++;
	return p->each ? p->each(p->user, text) : 0;
}

/* ---------------------------------------------------------------------------------- recall ---- */

typedef struct sample {
	float *rows;
	size_t dim, n;
} sample;

/*
 * The share of the k nearest rows that was found, decided by distance, so that rows at the same
 * distance count alike.
 */
static double recall_at(const topk *truth, const topk *got, size_t k)
{
	size_t n = truth->n < k ? truth->n : k, hit = 0;
	for (size_t i = 0; i < n && i < got->n; i++)
		hit += got->item[i].distance <= truth->item[n - 1].distance;
	return n ? (double)hit / (double)n : 1;
}

/* Runs n queries on one searcher, one by one, and adds to its sums. */
static int run_queries(search_index *x, const float *queries, size_t n, size_t dim,
	const topk *truth, topk *got, imgsearch_check_searcher *out, imgsearch_error *err)
{
	static const size_t cut[3] = { 1, 10, K };
	for (size_t i = 0; i < n; i++) {
		search_request q = { .queries = queries + i * dim,
			.n = 1,
			.k = truth->k,
			.max_distance = INFINITY,
			.filter_count = SIZE_MAX };
		double start = ims_now();
		int rc = ims_search_query(x, &q, got, NULL, err);
		if (rc)
			return rc;
		out->seconds += ims_now() - start;
		for (int c = 0; c < 3; c++)
			out->recall[c] += recall_at(&truth[i], got, cut[c]);
	}
	return 0;
}

/* Runs the queries of the sample on every built searcher and by a scan. */
static int measure(imgsearch *s, view *v, const sample *m, imgsearch_check_report *r, job *j,
	imgsearch_error *err)
{
	topk truth[AT_ONCE] = { { 0 } }, got = { 0 };
	search_index *index[IMGSEARCH_CHECK_SEARCHERS];
	size_t k = v->rows.n < K ? v->rows.n : K;
	int rc = ims_topk_init(&got, k ? k : 1) ? ims_nomem(err) : 0;
	for (int i = 0; !rc && i < AT_ONCE; i++)
		rc = ims_topk_init(&truth[i], k ? k : 1) ? ims_nomem(err) : 0;
	for (const searcher_ops *const *o = ims_search_all();
		 !rc && *o && r->n_searchers < IMGSEARCH_CHECK_SEARCHERS; o++) {
		size_t i = r->n_searchers;
		rc = ims_view_searcher(s, v, (*o)->name, &index[i], err);
		if (rc || !index[i])
			continue;
		r->searcher[i] = (imgsearch_check_searcher){ .name = (*o)->name,
			.memory = ims_search_memory(index[i]) };
		r->n_searchers++;
	}
	for (size_t at = 0; !rc && at < m->n; at += AT_ONCE) {
		size_t n = m->n - at < AT_ONCE ? m->n - at : AT_ONCE;
		const float *queries = m->rows + at * m->dim;
		search_report report;
		search_request q = { .queries = queries,
			.n = n,
			.k = k,
			.max_distance = INFINITY,
			.filter_count = SIZE_MAX,
			.pool = s->pool };
		double start = ims_now();
		rc = ims_search_scan(&v->rows, &q, truth, &report, err);
		r->scan_seconds += ims_now() - start;
		for (size_t i = 0; !rc && i < r->n_searchers; i++)
			rc = run_queries(index[i], queries, n, m->dim, truth, &got, &r->searcher[i], err);
		if (!rc)
			rc = ims_job_step(j, "check", at + n, m->n, err);
	}
	for (size_t i = 0; i < r->n_searchers && m->n; i++) {
		for (int c = 0; c < 3; c++)
			r->searcher[i].recall[c] /= (double)m->n;
		r->searcher[i].seconds /= (double)m->n;
	}
	r->queries = m->n;
	r->scan_seconds /= m->n ? (double)m->n : 1;
	for (int i = 0; i < AT_ONCE; i++)
		ims_topk_free(&truth[i]);
	ims_topk_free(&got);
	return rc;
}

static int measure_recall(imgsearch *s, size_t queries, imgsearch_check_report *r, job *j,
	imgsearch_error *err)
{
	view *v = NULL;
	int rc = ims_view_acquire_counted(s, &v, err);
	sample m = { 0 };
	if (!rc && v->rows.n) {
		size_t room = queries < v->rows.n ? queries : v->rows.n;
		m.dim = v->space.dim;
		m.rows = ims_alloc_aligned(room, m.dim * sizeof(float));
		rc = m.rows ? ims_search_sample(&v->rows, room, m.rows, &m.n, err) : ims_nomem(err);
		if (!rc)
			rc = measure(s, v, &m, r, j, err);
	}
	ims_free(m.rows);
	ims_view_release(v);
	return rc;
}

int ims_check(imgsearch *s, uint32_t queries, problem_each *problem, void *user,
	imgsearch_check_report *report, job *j, imgsearch_error *err)
{
	problem_counter problems = { problem, user, 0 };
	*report = (imgsearch_check_report){ 0 };
	int rc = ims_store_check(s->store, count_problem, &problems, err);
	report->problems = problems.n;
	if (!rc && queries)
		rc = measure_recall(s, queries < QUERIES_MAX ? queries : QUERIES_MAX, report, j, err);
	return rc;
}

/*
 * Checks an index. The store checks its own file; then every searcher that is built answers some
 * stored vectors, and its recall is measured against a scan.
 */
#include "handle/check.h"

#include "handle/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 64, K = 100, QUERIES_MAX = 100000, SCANS_TIMED = 4 };

/* Counts the problems that the store finds, and passes them on. */
typedef struct problem_counter {
	const imgsearch_check_options *options;
	uint64_t n;
	job *job;
	imgsearch_error *err;
} problem_counter;

static int count_problem(void *user, const char *text)
{
	problem_counter *p = user;
	const imgsearch_check_options *o = p->options;
	p->n++;
	int rc = ims_job_check(p->job, p->err);
	return rc || !o->problem ? rc : ims_call_problem(o->problem, o->user, text);
}

/* Rows of zeros under cosine, which versions before 0.2 accepted. */
static int check_zeros(imgsearch *s, problem_counter *p)
{
	view *v;
	uint64_t n;
	int64_t first;
	char text[160];
	imgsearch_error why = { 0 };
	int rc = ims_view_acquire(s, &v, p->err);
	if (rc)
		return rc;
	rc = ims_space_zeros(&v->rows_ctx, &n, &first, p->job, &why);
	ims_view_release(v);
	if (rc && rc != IMGSEARCH_EDB && p->err)
		*p->err = why;
	if (rc) /* EDB: a row of another length, which the store has told */
		return rc == IMGSEARCH_EDB ? 0 : rc;
	snprintf(text, sizeof text,
		"%llu vectors are all zeros and so in no answer; the first one is that of %lld",
		(unsigned long long)n, (long long)first);
	return n ? count_problem(p, text) : 0;
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

static search_request request(imgsearch *s, const float *queries, size_t n, size_t k)
{
	return (search_request){
		.queries = queries,
		.n = n,
		.k = k,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX,
		.pool = s->pool,
	};
}

typedef struct timed_query {
	search_index *index; /* NULL: a scan */
	const row_source *rows;
	search_request request;
	topk *got;
} timed_query;

static int run_timed(void *arg, view *v, imgsearch_error *err)
{
	const timed_query *t = arg;
	search_report report;
	(void)v;
	ims_topk_clear(t->got);
	return t->index ? ims_search_query(t->index, &t->request, t->got, NULL, err)
					: ims_search_scan(t->rows, &t->request, t->got, &report, err);
}

/* Runs a query as programs ask it, of one state of the index, for the default k; adds its time. */
static int time_query(imgsearch *s, const row_source *rows, search_index *x, const float *query,
	topk *got, double *seconds, imgsearch_error *err)
{
	static const view_query timed = { .run = run_timed };
	size_t room = got->k;
	got->k = room < IMGSEARCH_K_DEFAULT ? room : IMGSEARCH_K_DEFAULT;
	timed_query t = { x, rows, request(s, query, 1, got->k), got };
	double start = ims_now();
	int rc = ims_view_query(s, &timed, &t, err);
	*seconds += ims_now() - start;
	got->k = room;
	return rc;
}

/*
 * Runs n queries on one searcher, one by one, and adds to its sums. Each is asked twice: a search
 * for more results looks further, and finds more of the nearest ones.
 */
static int run_queries(imgsearch *s, const row_source *rows, search_index *x, const float *queries,
	size_t n, const topk *truth, topk *got, imgsearch_check_searcher *out, imgsearch_error *err)
{
	for (size_t i = 0; i < n; i++) {
		const float *query = queries + i * rows->dim;
		search_request q = request(s, query, 1, truth->k);
		int rc = time_query(s, rows, x, query, got, &out->seconds, err);
		if (rc)
			return rc;
		out->recall1 += recall_at(&truth[i], got, 1);
		out->recall10 += recall_at(&truth[i], got, IMGSEARCH_K_DEFAULT);
		ims_topk_clear(got);
		rc = ims_search_query(x, &q, got, NULL, err);
		if (rc)
			return rc;
		out->recall100 += recall_at(&truth[i], got, K);
	}
	return 0;
}

/* The searchers that are built over rows of a set, and their places in the report. */
typedef struct searcher_list {
	view *view;
	row_set *set;
	search_index *index[VIEW_SEARCHERS];
	imgsearch_check_searcher **item;
	size_t n;
} searcher_list;

static int find_built(imgsearch *s, searcher_list *b, imgsearch_check_report *r, job *j,
	imgsearch_error *err)
{
	int rc = 0;
	char name[STATE_NAME];
	for (const searcher_ops *const *o = ims_search_all(); !rc && *o && b->n < VIEW_SEARCHERS; o++) {
		search_index *index;
		rc = ims_view_searcher(s, b->view, b->set, (*o)->name, j, &index, err);
		if (rc || !index)
			continue;
		ims_view_state_name(b->set, (*o)->name, name);
		*b->item[b->n] = (imgsearch_check_searcher){
			.name = ims_result_text(r, name),
			.memory = ims_search_memory(index),
		};
		if (!b->item[b->n]->name)
			rc = ims_nomem(err);
		b->index[b->n++] = index;
	}
	return rc;
}

static void take_means(const searcher_list *b, size_t queries)
{
	double n = queries ? (double)queries : 1;
	for (size_t i = 0; i < b->n; i++) {
		imgsearch_check_searcher *x = b->item[i];
		x->recall1 /= n;
		x->recall10 /= n;
		x->recall100 /= n;
		x->seconds /= n;
	}
}

/*
 * Runs the queries of the sample on every built searcher and by a scan, whose seconds are added.
 */
static int measure(imgsearch *s, const sample *m, const searcher_list *b, double *scan_seconds,
	job *j, imgsearch_error *err)
{
	topk truth[AT_ONCE] = { { 0 } }, got = { 0 };
	const row_source *rows = b->set->rows;
	size_t k = rows->n < K ? rows->n : K;
	int rc = ims_topk_init(&got, k ? k : 1) ? ims_nomem(err) : 0;
	for (int i = 0; !rc && i < AT_ONCE; i++)
		rc = ims_topk_init(&truth[i], k ? k : 1) ? ims_nomem(err) : 0;
	for (size_t at = 0; !rc && at < m->n; at += AT_ONCE) {
		size_t n = m->n - at < AT_ONCE ? m->n - at : AT_ONCE;
		const float *queries = m->rows + at * m->dim;
		search_report report;
		search_request q = request(s, queries, n, k);
		rc = ims_search_scan(rows, &q, truth, &report, err);
		for (size_t i = at; !rc && i < at + n && i < SCANS_TIMED; i++)
			rc = time_query(s, rows, NULL, m->rows + i * m->dim, &got, scan_seconds, err);
		for (size_t i = 0; !rc && i < b->n; i++)
			rc = run_queries(s, rows, b->index[i], queries, n, truth, &got, b->item[i], err);
		if (!rc)
			rc = ims_job_step(j, "check", at + n, m->n, err);
	}
	for (int i = 0; i < AT_ONCE; i++)
		ims_topk_free(&truth[i]);
	ims_topk_free(&got);
	return rc;
}

/* *asked: how many queries. */
static int measure_set(imgsearch *s, searcher_list *b, size_t queries, imgsearch_check_report *r,
	size_t *asked, double *scan_seconds, job *j, imgsearch_error *err)
{
	const row_source *rows = b->set->rows;
	size_t room = queries < rows->n ? queries : rows->n;
	sample m = { .dim = rows->dim };
	if (!rows->n)
		return 0;
	m.rows = ims_alloc_aligned(room, m.dim * sizeof(float));
	int rc = m.rows ? ims_search_sample(rows, room, m.rows, &m.n, j, err) : ims_nomem(err);
	if (!rc)
		rc = find_built(s, b, r, j, err);
	if (!rc)
		rc = measure(s, &m, b, scan_seconds, j, err);
	take_means(b, m.n);
	*asked = m.n;
	ims_free(m.rows);
	return rc;
}

/* The searchers over wholes, then those over regions, whose queries are regions. */
static int measure_recall(imgsearch *s, size_t queries, imgsearch_check_report *r, job *j,
	imgsearch_error *err)
{
	view *v = NULL;
	imgsearch_check_searcher **item = ims_result_list(r, 2 * VIEW_SEARCHERS, sizeof **item);
	int rc = item ? ims_view_acquire_counted(s, &v, err) : ims_nomem(err);
	if (rc)
		return rc;
	searcher_list wholes = { .view = v, .set = &v->wholes, .item = item };
	double unused = 0;
	size_t asked = 0, regions = 0;
	rc = measure_set(s, &wholes, queries, r, &asked, &r->scan_seconds, j, err);
	searcher_list parts = { .view = v, .set = &v->regions, .item = item + wholes.n };
	if (!rc && v->has_regions)
		rc = measure_set(s, &parts, queries, r, &regions, &unused, j, err);
	r->queries = asked;
	r->scan_seconds /= (double)(asked > SCANS_TIMED ? SCANS_TIMED : asked ? asked : 1);
	r->count = wholes.n + parts.n;
	r->items = (const imgsearch_check_searcher *const *)item;
	ims_view_release(v);
	return rc;
}

/* What is known to be wrong with the server is no problem that was found. */
static int warn_of_server(imgsearch *s, job *j, imgsearch_error *err)
{
	char *versions;
	const char *faults;
	int rc = ims_store_server(s->store, &versions, &faults, err);
	if (!rc && faults)
		ims_job_log(j, IMGSEARCH_LOG_WARNING, "%s: %s", versions, faults);
	ims_free(versions);
	return rc;
}

int ims_check(imgsearch *s, const imgsearch_check_options *options, job *j,
	imgsearch_check_report **out, imgsearch_error *err)
{
	uint32_t queries = options->queries < QUERIES_MAX ? options->queries : QUERIES_MAX;
	problem_counter problems = { options, 0, j, err };
	imgsearch_check_report *report = ims_result_new(sizeof *report);
	*out = NULL;
	if (!report)
		return ims_nomem(err);
	int rc = ims_store_check(s->store, count_problem, &problems, err);
	if (!rc)
		rc = check_zeros(s, &problems);
	if (!rc)
		rc = warn_of_server(s, j, err);
	report->problems = problems.n;
	if (!rc && queries)
		rc = measure_recall(s, queries, report, j, err);
	if (rc == IMGSEARCH_EDB && problems.n)
		rc = 0; /* they are the reason */
	if (rc)
		ims_result_free(report);
	else
		*out = report;
	return rc;
}

void imgsearch_check_report_free(imgsearch_check_report *report)
{
	ims_result_free(report);
}

/*
 * The inputs are worked on in steps, so that few files are in memory at once: features, one search
 * for the whole step, then the hits of each input. Where an option belongs to each query alone
 * (no_self, expansion, re-ranking), the queries of a step are searched one by one.
 */
#include "query/batch.h"

#include "handle/feature.h"
#include "handle/view.h"
#include "query/answer.h"
#include "query/regions.h"
#include "query/search.h"

#include <math.h>
#include <string.h>

enum { STEP = 64 /* inputs */, ROOM = 1 << 20 /* neighbours in the heaps of a step */ };

/* A batch at work. The arrays have room for one step; entry i belongs to input first + i. */
typedef struct batch {
	imgsearch *s;
	view *view;
	query *query; /* what all queries share */
	job *job;
	const imgsearch_input *in;
	size_t step, first;
	float *rows;
	float *region_rows; /* NULL: the index has no regions */
	int64_t *self;
	imgsearch_error *errors;
	topk *found;
	size_t heaps;
	imgsearch_answers *answers; /* the result that owns everything */
	imgsearch_answer **item;
	query_report report; /* seconds: of the step, per input */
} batch;

static bool is_text(const imgsearch_input *in)
{
	return in->kind == IMGSEARCH_INPUT_KIND_TEXT;
}

/* Whether one search answers the n queries of a step. Texts may be compared in another space. */
static bool is_shared(const batch *b, size_t first, size_t n)
{
	const query *q = b->query;
	bool apart = false;
	for (size_t i = 0; b->view->space.mean && i < n; i++)
		apart |= is_text(&b->in[first + i]);
	return !apart && !q->options.no_self && !q->improve.expand && !q->improve.reciprocal;
}

static int init(batch *b, size_t n, imgsearch_error *err)
{
	query with_own = *b->query;
	with_own.n_own = 1; /* no_self asks for one row more */
	size_t heap = ims_query_heap_room(&with_own), most = ROOM / heap + 1;
	b->step = n < STEP ? n : STEP;
	b->step = b->step < most ? b->step : most;
	b->rows = ims_alloc_aligned(b->step, b->view->space.dim * sizeof *b->rows);
	bool regions = ims_query_has_regions(b->view, b->query);
	if (regions)
		b->region_rows = ims_alloc_aligned(b->step, b->view->space.dim * sizeof *b->rows);
	b->self = ims_alloc(b->step, sizeof *b->self);
	b->errors = ims_zalloc(b->step, sizeof *b->errors);
	b->found = ims_zalloc(b->step, sizeof *b->found);
	bool ok = b->rows && b->self && b->errors && b->found && (b->region_rows || !regions);
	for (; ok && b->heaps < b->step; b->heaps++)
		ok = !ims_topk_init(&b->found[b->heaps], heap);
	return ok ? 0 : ims_nomem(err);
}

static void clear(batch *b)
{
	for (size_t i = 0; b->found && i < b->heaps; i++)
		ims_topk_free(&b->found[i]);
	ims_free(b->found);
	ims_free(b->rows);
	ims_free(b->region_rows);
	ims_free(b->self);
	ims_free(b->errors);
}

/* Weights a row, as a combined query of one input does. A negative weight: the input is no self. */
static void weigh(const space *sp, const imgsearch_input *in, float *row, int64_t *self)
{
	if (in->weight < 0)
		*self = NO_PICTURE;
	if (in->weight == 0 || in->weight == 1)
		return;
	for (uint32_t i = 0; i < sp->dim; i++)
		row[i] *= in->weight;
	if (sp->metric == IMGSEARCH_METRIC_COSINE)
		ims_space_normalise(row, 1, sp->dim);
}

/* The query of input i of the step. Its filter goes on pointing to the shared one. */
static query query_of(const batch *b, size_t i)
{
	query q = *b->query;
	q.own = &b->self[i];
	q.n_own = b->self[i] != NO_PICTURE;
	q.self = b->self[i];
	q.request.n = 1;
	q.region_rows = b->region_rows ? b->region_rows + i * b->view->space.dim : NULL;
	ims_query_settle(&q, b->view, &b->in[b->first + i], 1);
	return q;
}

/* The features of a step in the space of the index. Rows of inputs that failed are zero. */
static int make_rows(batch *b, size_t first, size_t n, imgsearch_error *err)
{
	size_t dim = b->view->space.dim;
	b->first = first;
	memset(b->errors, 0, n * sizeof *b->errors);
	int rc = ims_feature_batch(b->s, b->job, b->in + first, n, b->query->options.text_template,
		(uint32_t)dim, b->rows, b->self, b->errors, err);
	for (size_t i = 0; !rc && i < n; i++) {
		query q = query_of(b, i);
		float *row = b->rows + i * dim;
		imgsearch_error *why = &b->errors[i];
		if (!why->code)
			why->code = ims_query_row(b->s, &q, &b->in[first + i], first + i, row, why);
		if (!why->code && q.region_rows)
			why->code = ims_query_region_row(b->s, &q, &b->in[first + i], first + i, b->self[i],
				row, q.region_rows, why);
		if (q.region_rows)
			weigh(q.space, &b->in[first + i], q.region_rows, &b->self[i]);
		weigh(q.space, &b->in[first + i], row, &b->self[i]);
		if (why->code)
			memset(row, 0, dim * sizeof *row);
		if (why->code && q.region_rows)
			memset(q.region_rows, 0, dim * sizeof *row);
		rc = ims_job_check(b->job, err);
	}
	return rc;
}

static int search_shared(batch *b, size_t n, imgsearch_error *err)
{
	b->query->request.n = n;
	b->query->region_rows = b->region_rows;
	return ims_query_search(b->s, b->view, b->query, b->rows, b->found, &b->report.search,
		&b->report.searcher, err);
}

/* A search of its own for each input. */
static int search_each(batch *b, size_t n, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		query q = query_of(b, i);
		if (!b->errors[i].code)
			rc = ims_query_search(b->s, b->view, &q, b->rows + i * q.space->dim, &b->found[i],
				&b->report.search, &b->report.searcher, err);
	}
	return rc;
}

static int answer_error(batch *b, imgsearch_answer *a, const imgsearch_error *why,
	imgsearch_error *err)
{
	imgsearch_error *copy = ims_result_alloc(b->answers, 1, sizeof *copy);
	if (!copy)
		return ims_nomem(err);
	*copy = *why;
	a->error = copy;
	return 0;
}

static int answer_hits(batch *b, imgsearch_answer *a, size_t i, imgsearch_error *err)
{
	query q = query_of(b, i);
	imgsearch_hits *hits;
	int rc = ims_answer_make(b->answers, b->s, b->view, &q, b->rows + i * q.space->dim,
		&b->found[i], &b->report, &hits, err);
	a->hits = hits;
	return rc;
}

static int run_step(batch *b, size_t first, size_t n, imgsearch_error *err)
{
	double start = ims_now();
	int rc = make_rows(b, first, n, err);
	double extracted = ims_now();
	if (!rc)
		rc = is_shared(b, first, n) ? search_shared(b, n, err) : search_each(b, n, err);
	b->report.feature_seconds = (extracted - start) / (double)n;
	b->report.search_seconds = (ims_now() - extracted) / (double)n;
	for (size_t i = 0; !rc && i < n; i++)
		rc = b->errors[i].code ? answer_error(b, b->item[first + i], &b->errors[i], err)
							   : answer_hits(b, b->item[first + i], i, err);
	return rc;
}

/* An index without a dimension has no rows; every answer is empty. */
static int answer_empty(batch *b, size_t n, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		imgsearch_hits *hits = NULL;
		rc = ims_answer_empty(b->answers, &hits, err);
		b->item[i]->hits = hits;
	}
	return rc;
}

typedef struct asked {
	imgsearch *s;
	const imgsearch_input *in;
	size_t n;
	const imgsearch_query_options *options;
	job *job;
	imgsearch_answers **out;
} asked;

static int run_steps(batch *b, const asked *a, imgsearch_error *err)
{
	query q = { 0 };
	size_t n = a->n;
	b->query = &q;
	int rc = ims_query_make(&q, a->s, b->view, a->options, a->job, err);
	if (!rc)
		rc = ims_query_threads(&q, err);
	if (!rc)
		rc = init(b, n, err);
	for (size_t at = 0, now; !rc && at < n; at += now) {
		now = n - at < b->step ? n - at : b->step;
		if (at)
			ims_store_snapshot_pause(a->s->store);
		rc = run_step(b, at, now, err);
		if (!rc)
			rc = ims_job_step(a->job, "query", at + now, n, err);
	}
	clear(b);
	ims_query_free(&q);
	return rc;
}

static int run_batch(void *arg, view *v, imgsearch_error *err)
{
	const asked *a = arg;
	batch b = { .s = a->s, .view = v, .job = a->job, .in = a->in };
	b.answers = ims_result_new(sizeof *b.answers);
	b.item = ims_result_list(b.answers, a->n, sizeof **b.item);
	int rc = b.answers && b.item ? 0 : ims_nomem(err);
	if (!rc)
		rc = v->space.dim ? run_steps(&b, a, err) : answer_empty(&b, a->n, err);
	if (rc) {
		ims_result_free(b.answers);
		return rc;
	}
	b.answers->count = a->n;
	b.answers->items = (const imgsearch_answer *const *)b.item;
	*a->out = b.answers;
	return 0;
}

static void discard(void *arg)
{
	const asked *a = arg;
	imgsearch_answers_free(*a->out);
	*a->out = NULL;
}

int ims_batch_query(imgsearch *s, const imgsearch_input *in, size_t n,
	const imgsearch_query_options *options, job *j, imgsearch_answers **out, imgsearch_error *err)
{
	asked a = { s, in, n, options, j, out };
	*out = NULL;
	const view_query query = { .model = options->model, .run = run_batch, .discard = discard };
	return ims_view_query(s, &query, &a, err);
}

void imgsearch_answers_free(imgsearch_answers *answers)
{
	ims_result_free(answers);
}

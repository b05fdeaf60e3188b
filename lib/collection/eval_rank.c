#include "collection/eval_state.h"
#include "kernels/kernels.h"
#include "query/improve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { QUERIES_AT_ONCE = 8, TILE = 64 };

typedef struct worker {
	float *score;      /* (QUERIES_AT_ONCE, n) */
	uint8_t *relation; /* n */
	float *query;      /* (dim), after expansion */
	topk best;         /* the first results, for expansion and re-ranking */
	float *rows;       /* (best.k, dim) */
	float *near_score; /* best.k */
	uint32_t *order;   /* best.k */
	agreement *agreement;
	bool failed;
} worker;

typedef struct rank_run {
	evaluation *e;
	worker *worker;
	retrieval *result; /* of each query */
	atomic_size_t done;
} rank_run;

float ims_eval_score(const evaluation *e, const float *a, const float *b)
{
	const kernels *k = ims_kernels();
	return e->space->metric == IMGSEARCH_METRIC_L2 ? -sqrtf(k->l2_f32(a, b, e->dim))
												   : k->dot_f32(a, b, e->dim);
}

static void score_all(const evaluation *e, const float *query, float *score)
{
	for (size_t i = 0; i < e->n; i++)
		score[i] = ims_eval_score(e, query, e->rows + i * e->dim);
}

/* Several queries share each tile of rows while it is in the cache. */
static void score_block(const evaluation *e, size_t first, size_t n, float *score)
{
	for (size_t tile = 0; tile < e->n; tile += TILE)
		for (size_t q = 0; q < n; q++)
			for (size_t i = tile; i < e->n && i < tile + TILE; i++)
				score[q * e->n + i] = ims_eval_score(e, ims_eval_feature(e, first + q),
					e->rows + i * e->dim);
}

static void mark_relevant(const evaluation *e, const eval_query *q, uint8_t *relation)
{
	for (size_t i = 0; i < e->n; i++)
		relation[i] = q->label != NO_LABEL && e->label[i] == q->label ? IMS_RELEVANT
																	  : IMS_IRRELEVANT;
	for (size_t i = 0; i < q->n; i++)
		relation[e->relevant[q->first + i]] = IMS_RELEVANT;
	if (q->row != NO_ROW)
		relation[q->row] = IMS_IGNORED;
}

/* Finds the first n results of a query and copies their rows. Returns their number. */
static size_t first_results(const evaluation *e, const eval_query *q, const float *score, size_t n,
	worker *w)
{
	ims_topk_clear(&w->best);
	w->best.k = n;
	for (size_t i = 0; i < e->n; i++)
		if (i != q->row)
			ims_topk_push(&w->best, -score[i], (int64_t)i);
	ims_topk_sort(&w->best);
	for (size_t i = 0; i < w->best.n; i++) {
		w->near_score[i] = -w->best.item[i].distance;
		memcpy(w->rows + i * e->dim, e->rows + (size_t)w->best.item[i].id * e->dim,
			e->dim * sizeof *w->rows);
	}
	return w->best.n;
}

/* Replaces the scores of a query by those after expansion. */
static void expand(const evaluation *e, const eval_query *q, float *score, worker *w)
{
	size_t n = first_results(e, q, score, e->improve.expand, w);
	ims_improve_expand(&e->improve, &(space){ .metric = e->space->metric, .dim = e->dim }, w->query,
		w->rows, w->near_score, n);
	score_all(e, w->query, score);
}

/*
 * Re-ranking changes the order, not the scores. The measures need scores in the new order, so the
 * sorted scores are assigned to the results in that order.
 */
static int rerank(const evaluation *e, const eval_query *q, float *score, worker *w)
{
	size_t n = first_results(e, q, score, RERANK_DEPTH, w);
	int rc = ims_improve_rank(&e->improve, &(space){ .metric = e->space->metric, .dim = e->dim },
		w->query, w->rows, n, w->order, NULL, NULL);
	for (size_t i = 0; !rc && i < n; i++)
		score[w->best.item[w->order[i]].id] = w->near_score[i];
	return rc;
}

static void rank_block(void *arg, size_t block, unsigned number)
{
	rank_run *a = arg;
	const evaluation *e = a->e;
	worker *w = &a->worker[number];
	size_t first = block * QUERIES_AT_ONCE, n = e->n_queries - first;
	n = n < QUERIES_AT_ONCE ? n : QUERIES_AT_ONCE;
	if (w->failed || ims_job_stopped(e->job))
		return;
	score_block(e, first, n, w->score);
	if (e->region_rows)
		ims_eval_score_regions(e, first, n, w->score, w->query);
	for (size_t i = 0; i < n; i++) {
		const eval_query *q = &e->query[first + i];
		float *score = w->score + i * e->n;
		memcpy(w->query, ims_eval_feature(e, first + i), e->dim * sizeof *w->query);
		if (e->improve.expand)
			expand(e, q, score, w);
		mark_relevant(e, q, w->relation);
		ims_analysis_agreement_add(w->agreement, score, w->relation, e->n);
		if (e->improve.reciprocal && rerank(e, q, score, w))
			w->failed = true;
		if (ims_analysis_retrieval(&a->result[first + i], score, w->relation, e->n, NULL))
			w->failed = true;
	}
	atomic_fetch_add(&a->done, n);
}

/* The range of scores: -1 to 1 for cosines, else that of some queries. */
static void score_range(const evaluation *e, float *score, double *lo, double *hi)
{
	*lo = -1;
	*hi = 1.0000001;
	if (e->space->metric == IMGSEARCH_METRIC_COSINE)
		return;
	*lo = INFINITY;
	*hi = -INFINITY;
	for (size_t q = 0; q < e->n_queries; q += 1 + e->n_queries / 16) {
		score_all(e, ims_eval_feature(e, q), score);
		for (size_t i = 0; i < e->n; i++) {
			*lo = fmin(*lo, (double)score[i]);
			*hi = fmax(*hi, (double)score[i]);
		}
	}
	*hi += 1e-6 * (*hi - *lo) + 1e-30;
}

static int make_workers(rank_run *a, unsigned n, imgsearch_error *err)
{
	const evaluation *e = a->e;
	double lo = 0, hi = 0;
	size_t most = e->improve.reciprocal && e->improve.expand < RERANK_DEPTH ? RERANK_DEPTH
																			: e->improve.expand;
	most = most < e->n ? most : e->n;
	a->worker = ims_zalloc(n, sizeof *a->worker);
	a->result = ims_zalloc(e->n_queries, sizeof *a->result);
	if (!a->worker || !a->result)
		return ims_nomem(err);
	for (unsigned i = 0; i < n; i++) {
		worker *w = &a->worker[i];
		w->score = ims_alloc(e->n, QUERIES_AT_ONCE * sizeof *w->score);
		w->relation = ims_alloc(e->n, 1);
		w->query = ims_alloc_aligned(e->dim, sizeof *w->query);
		w->agreement = ims_zalloc(1, sizeof *w->agreement);
		w->rows = ims_alloc_aligned(most, e->dim * sizeof *w->rows);
		w->near_score = ims_alloc(most, sizeof *w->near_score);
		w->order = ims_alloc(most, sizeof *w->order);
		if (!w->score || !w->relation || !w->query || !w->agreement || !w->rows || !w->near_score
			|| !w->order || ims_topk_init(&w->best, most))
			return ims_nomem(err);
		if (!i)
			score_range(e, w->score, &lo, &hi);
		w->agreement->lo = lo;
		w->agreement->hi = hi;
	}
	return 0;
}

static void free_workers(rank_run *a, unsigned n)
{
	for (unsigned i = 0; a->worker && i < n; i++) {
		ims_free(a->worker[i].score);
		ims_free(a->worker[i].relation);
		ims_free(a->worker[i].query);
		ims_free(a->worker[i].agreement);
		ims_free(a->worker[i].rows);
		ims_free(a->worker[i].near_score);
		ims_free(a->worker[i].order);
		ims_topk_free(&a->worker[i].best);
	}
	ims_free(a->worker);
	ims_free(a->result);
}

/* Sums of the measures of queries, and what the bootstrap needs. */
typedef struct score_sum {
	uint64_t n;
	double map, accuracy, precision[IMS_CUTS], recall[IMS_CUTS], ndcg[IMS_CUTS];
	double *average_precision; /* (queries), of each */
} score_sum;

static void sum_scores(score_sum *sum, const evaluation *e, const retrieval *r, uint32_t group)
{
	*sum = (score_sum){ .average_precision = sum->average_precision };
	for (size_t i = 0; i < e->n_queries; i++) {
		if (!r[i].relevant || (group != NO_LABEL && e->query[i].group != group))
			continue;
		sum->average_precision[sum->n++] = r[i].average_precision;
		sum->map += r[i].average_precision;
		sum->accuracy += r[i].first;
		for (int c = 0; c < IMS_CUTS; c++) {
			sum->precision[c] += r[i].precision[c];
			sum->recall[c] += r[i].recall[c];
			sum->ndcg[c] += r[i].ndcg[c];
		}
	}
}

/* The means as scores that belong to the report; NULL: out of memory. */
static imgsearch_eval_scores *make_scores(imgsearch_eval_report *report, const evaluation *e,
	const score_sum *sum, const char *name)
{
	double scale = sum->n ? 1 / (double)sum->n : 0, ci[2];
	imgsearch_eval_scores *out = ims_result_alloc(report, 1, sizeof *out);
	imgsearch_eval_cut **cut = ims_result_list(report, IMS_CUTS, sizeof **cut);
	name = ims_result_text(report, name);
	if (!out || !cut || !name)
		return NULL;
	for (int c = 0; c < IMS_CUTS; c++)
		*cut[c] = (imgsearch_eval_cut){
			.k = ims_analysis_cuts[c],
			.precision = sum->precision[c] * scale,
			.recall = sum->recall[c] * scale,
			.ndcg = sum->ndcg[c] * scale,
		};
	ims_analysis_bootstrap(ci, sum->average_precision, sum->n, e->options->seed);
	*out = (imgsearch_eval_scores){
		.name = name,
		.queries = sum->n,
		.map = sum->map * scale,
		.map_low = ci[0],
		.map_high = ci[1],
		.accuracy = sum->accuracy * scale,
		.count = IMS_CUTS,
		.items = (const imgsearch_eval_cut *const *)cut,
	};
	return out;
}

static int add_scores(imgsearch_eval_report *report, const evaluation *e, const retrieval *r,
	imgsearch_error *err)
{
	score_sum sum = { .average_precision = ims_alloc(e->n_queries, sizeof(double)) };
	imgsearch_eval_scores **classes = ims_result_alloc(report, e->classes + 1, sizeof *classes);
	int rc = sum.average_precision && classes ? 0 : ims_nomem(err);
	if (!rc) {
		sum_scores(&sum, e, r, NO_LABEL);
		report->all = make_scores(report, e, &sum, "");
		rc = report->all ? 0 : ims_nomem(err);
	}
	for (size_t i = 0; !rc && i < e->classes; i++) {
		sum_scores(&sum, e, r, (uint32_t)i);
		if (!sum.n)
			continue;
		classes[report->count] = make_scores(report, e, &sum, e->class_name[i]);
		rc = classes[report->count++] ? 0 : ims_nomem(err);
	}
	report->items = (const imgsearch_eval_scores *const *)classes;
	ims_free(sum.average_precision);
	return rc;
}

static int make_report(const evaluation *e, const rank_run *a, imgsearch_eval_report **out,
	imgsearch_error *err)
{
	const agreement *g = a->worker[0].agreement;
	imgsearch_eval_report *r = ims_result_new(sizeof *r);
	int rc = r ? add_scores(r, e, a->result, err) : ims_nomem(err);
	if (rc) {
		ims_result_free(r);
		return rc;
	}
	r->pictures = e->n;
	r->failed = e->failed;
	r->best_threshold = ims_analysis_agreement_best(g, &r->best_f1);
	r->threshold_f1 = e->options->has_threshold
		? ims_analysis_agreement_f1(g, (double)e->options->threshold)
		: NAN;
	*out = r;
	return 0;
}

int ims_eval_rank(evaluation *e, imgsearch_eval_report **out, imgsearch_error *err)
{
	rank_run a = { .e = e };
	unsigned workers = ims_pool_threads(e->job->pool);
	double start = ims_now();
	int rc = make_workers(&a, workers, err);
	/* Works in steps, so that this thread can report progress between them. */
	size_t blocks = (e->n_queries + QUERIES_AT_ONCE - 1) / QUERIES_AT_ONCE, step = 64;
	evaluation *whole = e;
	for (size_t at = 0; !rc && at < blocks; at += step) {
		evaluation part = *e; /* rank_block counts blocks from the part's first query */
		part.query += at * QUERIES_AT_ONCE;
		if (part.region_rows)
			part.region_rows += at * QUERIES_AT_ONCE * e->dim;
		part.n_queries -= at * QUERIES_AT_ONCE;
		part.query_rows = e->query_rows ? e->query_rows + at * QUERIES_AT_ONCE * e->dim : NULL;
		rank_run now = a;
		now.e = &part;
		now.result += at * QUERIES_AT_ONCE;
		ims_parallel(e->job->pool, blocks - at < step ? blocks - at : step, rank_block, &now);
		rc = ims_job_step(whole->job, "eval", at * QUERIES_AT_ONCE, e->n_queries, err);
	}
	for (unsigned i = 0; !rc && i < workers; i++) {
		rc = a.worker[i].failed ? ims_nomem(err) : 0;
		if (i)
			ims_analysis_agreement_merge(a.worker[0].agreement, a.worker[i].agreement);
	}
	double seconds = ims_now() - start;
	if (!rc)
		rc = make_report(e, &a, out, err);
	if (!rc)
		(*out)->query_seconds = seconds / (double)e->n_queries;
	free_workers(&a, workers);
	return rc;
}

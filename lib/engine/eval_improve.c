/*
 * Better answers from the same features, to be measured: PCA whitening learnt from the index (Jegou and Chum 2012), and
 * query expansion, average (Chum and others 2007) or weighted by a power of the score (Radenovic and others 2018); for
 * re-ranking (lib/analysis) the neighbours of every row.
 */
#include "engine/eval.h"
#include "search/rotate.h"

#include <math.h>
#include <string.h>

typedef struct whitening {
	const evaluation *e;
	const rotation *rotation;
	const float *from;
	float *to;
} whitening;

static void whiten_row(void *arg, size_t i, unsigned number)
{
	const whitening *w = arg;
	const rotation *r = w->rotation;
	const float *in = w->from + i * r->dim;
	float *out = w->to + i * r->parts;
	(void)number;
	for (uint32_t p = 0; p < r->parts; p++) {
		const float *axis = r->axes + (size_t)p * r->dim;
		double sum = 0;
		for (uint32_t j = 0; j < r->dim; j++)
			sum += (double)((in[j] - r->mean[j]) * axis[j]);
		out[p] = (float)(sum / sqrt((double)r->variance[p] + 1e-12));
	}
	ims_space_apply(&(space){ .metric = w->e->space->metric, .dim = r->parts }, out, out);
}

static int whiten_rows(const evaluation *e, const rotation *r, float **rows, size_t n, imgsearch_error *err)
{
	float *to = ims_alloc_aligned(n, r->parts * sizeof *to);
	if (!to)
		return ims_nomem(err);
	whitening w = { e, r, *rows, to };
	ims_parallel(e->job.pool, n, whiten_row, &w);
	ims_free(*rows);
	*rows = to;
	return 0;
}

int ims_eval_whiten(evaluation *e, imgsearch_error *err)
{
	rotation r = { 0 };
	uint32_t parts = e->options->whiten < e->dim ? e->options->whiten : e->dim;
	if (parts >= e->n)
		return ims_fail(err, IMGSEARCH_EINVAL, "eval: %u components cannot be learnt from %zu pictures", parts, e->n);
	int rc = ims_rotation_fit(&r, e->options->plain ? &e->view->plain_rows : &e->view->rows, parts, e->options->seed, &e->job, err);
	if (!rc)
		rc = whiten_rows(e, &r, &e->rows, e->n, err);
	if (!rc && e->query_rows)
		rc = whiten_rows(e, &r, &e->query_rows, e->n_queries, err);
	if (!rc)
		e->dim = r.parts;
	ims_rotation_free(&r);
	return rc;
}

size_t ims_eval_nearest(const evaluation *e, size_t row, const float *score, topk *best, uint32_t *near, float *near_score)
{
	ims_topk_clear(best);
	for (size_t i = 0; i < e->n; i++)
		if (i != row)
			ims_topk_push(best, -score[i], (int64_t)i);
	ims_topk_sort(best);
	for (size_t b = 0; b < best->n; b++) {
		near[b] = (uint32_t)best->item[b].id;
		near_score[b] = -best->item[b].distance;
	}
	return best->n;
}

typedef struct neighbors {
	evaluation *e;
	float **score; /* of each worker: n */
	topk *best;
} neighbors;

static void find_neighbors(void *arg, size_t i, unsigned number)
{
	neighbors *f = arg;
	evaluation *e = f->e;
	if (ims_job_cancelled(&e->job))
		return;
	ims_eval_scores(e, e->rows + i * e->dim, f->score[number]);
	ims_eval_nearest(e, i, f->score[number], &f->best[number], e->near + i * e->near_k, e->near_score + i * e->near_k);
}

static float pair_score(void *user, size_t a, size_t b)
{
	const evaluation *e = user;
	float score = 0;
	evaluation one = *e;
	one.rows = e->rows + b * e->dim;
	one.n = 1;
	ims_eval_scores(&one, e->rows + a * e->dim, &score);
	return score;
}

int ims_eval_neighbors(evaluation *e, imgsearch_error *err)
{
	unsigned workers = ims_pool_threads(e->job.pool);
	e->near_k = e->options->reciprocal < e->n - 1 ? e->options->reciprocal : e->n - 1;
	if (!e->near_k)
		return ims_fail(err, IMGSEARCH_EINVAL, "eval: a single picture has no neighbours");
	e->near = ims_alloc(e->n, e->near_k * sizeof *e->near);
	e->near_score = ims_alloc(e->n, e->near_k * sizeof *e->near_score);
	neighbors f = { e, ims_zalloc(workers, sizeof *f.score), ims_zalloc(workers, sizeof *f.best) };
	int rc = e->near && e->near_score && f.score && f.best ? 0 : ims_nomem(err);
	for (unsigned i = 0; !rc && i < workers; i++)
		if (!(f.score[i] = ims_alloc(e->n, sizeof(float))) || ims_topk_init(&f.best[i], e->near_k))
			rc = ims_nomem(err);
	if (!rc)
		ims_parallel(e->job.pool, e->n, find_neighbors, &f);
	if (!rc)
		rc = ims_job_step(&e->job, "eval", 0, e->n_queries, err);
	for (unsigned i = 0; i < workers; i++) {
		if (f.score)
			ims_free(f.score[i]);
		if (f.best)
			ims_topk_free(&f.best[i]);
	}
	ims_free(f.score);
	ims_free(f.best);
	return rc ? rc : ims_analysis_reciprocal_new(&e->reciprocal, e->n, e->near_k, e->near, e->near_score, pair_score, e, err);
}

void ims_eval_expand(const evaluation *e, size_t i, float *score, float *scratch, topk *best)
{
	const imgsearch_eval_options *o = e->options;
	memcpy(scratch, ims_eval_feature(e, i), e->dim * sizeof *scratch);
	ims_topk_clear(best);
	for (size_t row = 0; row < e->n; row++)
		if (row != e->query[i].row)
			ims_topk_push(best, -score[row], (int64_t)row);
	ims_topk_sort(best);
	for (size_t b = 0; b < best->n && b < o->expand; b++) {
		const float *row = e->rows + (size_t)best->item[b].id * e->dim;
		float weight = o->expand_power > 0 ? powf(fmaxf(-best->item[b].distance, 0), o->expand_power) : 1;
		for (uint32_t j = 0; j < e->dim; j++)
			scratch[j] += weight * row[j];
	}
	ims_space_apply(&(space){ .metric = e->space->metric, .dim = e->dim }, scratch, scratch);
	ims_eval_scores(e, scratch, score);
}

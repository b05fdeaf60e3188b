/* PCA whitening (Jegou and Chum 2012), fitted to the rows of the index. */
#include "collection/eval_state.h"
#include "handle/space.h"
#include "search/axes/rotation.h"

#include <math.h>
#include <string.h>

typedef struct whiten_task {
	const evaluation *e;
	const rotation *rotation;
	const float *from;
	float *to;
} whiten_task;

static void whiten_row(void *arg, size_t i, unsigned number)
{
	const whiten_task *w = arg;
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

static int whiten_rows(const evaluation *e, const rotation *r, float **rows, size_t n,
	imgsearch_error *err)
{
	float *to = ims_alloc_aligned(n, r->parts * sizeof *to);
	if (!to)
		return ims_nomem(err);
	whiten_task w = { e, r, *rows, to };
	ims_parallel(e->job->pool, n, whiten_row, &w);
	ims_free(*rows);
	*rows = to;
	return 0;
}

int ims_eval_whiten(evaluation *e, imgsearch_error *err)
{
	rotation r = { 0 };
	uint32_t parts = e->options->whiten < e->dim ? e->options->whiten : e->dim;
	if (parts >= e->n)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"eval: %u components cannot be fitted to %zu pictures", parts, e->n);
	int rc = ims_rotation_fit(&r, e->options->plain ? &e->view->plain_rows : &e->view->rows, parts,
		e->options->seed, e->job, err);
	if (!rc)
		rc = whiten_rows(e, &r, &e->rows, e->n, err);
	if (!rc && e->query_rows)
		rc = whiten_rows(e, &r, &e->query_rows, e->n_queries, err);
	if (!rc)
		e->dim = r.parts;
	ims_rotation_free(&r);
	return rc;
}

/*
 * Evaluates an index: loads the rows and the ground truth, ranks all rows for every query on all
 * threads, and averages the measures of lib/analysis by class. The ranking is exact and uses no
 * searcher; imgsearch_check measures what a searcher loses.
 */
#include "collection/eval.h"

#include "collection/eval_state.h"
#include "handle/view.h"
#include "query/improve.h"
#include "store/store.h"

#include <string.h>

/* Keeps options->sample queries, evenly spaced. */
static void sample_queries(evaluation *e)
{
	size_t sample = e->options->sample;
	if (!sample || sample >= e->n_queries)
		return;
	for (size_t i = 0; i < sample; i++) {
		size_t from = (size_t)((double)i * (double)e->n_queries / (double)sample);
		e->query[i] = e->query[from];
		if (e->query_rows)
			memmove(e->query_rows + i * e->dim, e->query_rows + from * e->dim,
				e->dim * sizeof(float));
		if (e->region_rows)
			memmove(e->region_rows + i * e->dim, e->region_rows + from * e->dim,
				e->dim * sizeof(float));
	}
	e->n_queries = sample;
}

/*
 * Features of the views of the queries. A picture whose file is missing keeps its stored feature.
 */
static int compute_views(evaluation *e, imgsearch_error *err)
{
	imgsearch_error why;
	int rc = 0;
	e->query_rows = ims_alloc_aligned(e->n_queries, e->dim * sizeof *e->query_rows);
	if (!e->query_rows)
		return ims_nomem(err);
	for (size_t i = 0; !rc && i < e->n_queries; i++) {
		float *row = e->query_rows + i * e->dim, *own = e->rows + e->query[i].row * e->dim;
		imgsearch_input in = imgsearch_input_item(e->ids[e->query[i].row]);
		memcpy(row, own, e->dim * sizeof *row);
		if (ims_improve_views(e->s, e->job, e->space, &in, e->improve.views, row, &why)) {
			if (why.code == IMGSEARCH_EMODEL || why.code == IMGSEARCH_ENOMEM)
				rc = ims_fail(err, why.code, "%s", why.message);
			memcpy(row, own, e->dim * sizeof *row);
			e->failed++;
		}
		if (!rc)
			rc = ims_job_step(e->job, "views", i + 1, e->n_queries, err);
	}
	return rc;
}

/* ENOTFOUND */
static int no_query(const evaluation *e, imgsearch_error *err)
{
	const imgsearch_eval_options *o = e->options;
	const char *why = o->duplicates ? "no picture could be copied"
		: o->texts                  ? "no line names a picture of the index"
		: o->truth && o->queries    ? "no line names a query picture and a picture of the index"
		: o->truth                  ? "no line names two pictures of the index"
		: o->queries                ? "no folder in it has the name of one of the index"
		: o->groups                 ? "there are no near-duplicates"
									: "no folder has two pictures";
	return ims_fail(err, IMGSEARCH_ENOTFOUND, "%s: no query has a relevant picture: %s",
		o->texts         ? o->texts
			: o->truth   ? o->truth
			: o->queries ? o->queries
						 : ims_store_name(e->s->store),
		why);
}

static int make_queries(evaluation *e, imgsearch_error *err)
{
	const imgsearch_eval_options *o = e->options;
	int rc = o->groups ? ims_eval_label_groups(e, err) : ims_eval_label_folders(e, err);
	if (!rc)
		rc = o->duplicates ? ims_eval_fill_from_copies(e, err)
			: o->texts     ? ims_eval_fill_from_texts(e, err)
			: o->truth     ? ims_eval_fill_from_csv(e, err)
			: o->queries   ? ims_eval_fill_from_folder(e, err)
						   : ims_eval_fill_from_rows(e, err);
	if (!rc && !e->n_queries)
		rc = no_query(e, err);
	sample_queries(e);
	if (!rc && e->improve.views > 1 && !e->query_rows)
		rc = compute_views(e, err);
	return rc;
}

/* Pictures without a vector of the model are no answers, which an eval of another one may have. */
static void tell_lacking(const evaluation *e)
{
	int64_t *ids;
	size_t n;
	if (ims_store_ids(e->s->store, STORE_LACKING, &ids, &n, NULL))
		return;
	if (n)
		ims_job_log(e->job, IMGSEARCH_LOG_WARNING,
			"pictures that have no vector of this model yet, and are left out: %zu", n);
	ims_free(ids);
}

int ims_eval(imgsearch *s, const imgsearch_eval_options *o, job *job, imgsearch_eval_report **out,
	imgsearch_error *err)
{
	double start = ims_now();
	evaluation e = { .s = s,
		.options = o,
		.job = job,
		.improve = { o->expand, o->reciprocal, o->views, o->plain, o->expand_power } };
	int rc = ims_view_acquire_counted(s, &e.view, err);
	if (!rc && !e.view->rows.n)
		rc = ims_fail(err, IMGSEARCH_ENOTFOUND, "%s: the index is empty", ims_store_name(s->store));
	if (!rc)
		tell_lacking(&e);
	if (!rc)
		rc = ims_eval_load_rows(&e, err);
	if (!rc && !e.n)
		rc = ims_fail(err, IMGSEARCH_EINVAL,
			"no picture of index %s is in the folder or fulfils the condition",
			ims_store_label(s->store));
	if (!rc)
		rc = ims_improve_check(&e.improve, e.space, err);
	if (!rc)
		rc = make_queries(&e, err);
	if (!rc && o->whiten)
		rc = ims_eval_whiten(&e, err);
	if (!rc)
		rc = ims_eval_rank(&e, out, err);
	if (!rc)
		(*out)->seconds = ims_now() - start;
	ims_eval_clear(&e);
	return rc;
}

void imgsearch_eval_report_free(imgsearch_eval_report *report)
{
	ims_result_free(report);
}

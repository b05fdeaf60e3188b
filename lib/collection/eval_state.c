#include "collection/eval_state.h"

#include "handle/feature.h"
#include "handle/filter.h"
#include "handle/model_choice.h"
#include "handle/space.h"
#include "handle/view.h"
#include "query/improve.h"
#include "store/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int add_rows(void *user, const int64_t *ids, const float *rows, size_t n)
{
	evaluation *e = user;
	if (n > e->view->rows.n - e->n)
		n = e->view->rows.n - e->n; /* rows were added after the view was made */
	for (size_t i = 0; i < n; i++) {
		if (e->allowed && !ims_id_find(e->allowed, e->n_allowed, ids[i], NULL))
			continue;
		e->ids[e->n] = ids[i];
		memcpy(e->rows + e->n++ * e->dim, rows + i * e->dim, e->dim * sizeof *rows);
	}
	return 0;
}

int ims_eval_load_rows(evaluation *e, imgsearch_error *err)
{
	bool plain = e->options->plain || (e->options->texts && e->view->space.mean);
	const row_source *source = plain ? &e->view->plain_rows : &e->view->rows;
	e->dim = source->dim;
	e->space = plain ? &e->view->plain : &e->view->space;
	e->ids = ims_alloc(source->n, sizeof *e->ids);
	e->rows = ims_alloc_aligned(source->n, e->dim * sizeof *e->rows);
	e->label = ims_alloc(source->n, sizeof *e->label);
	e->path = ims_zalloc(source->n, sizeof *e->path);
	if (!e->ids || !e->rows || !e->label || !e->path)
		return ims_nomem(err);
	const imgsearch_filter *f = e->options->filter;
	int rc = f ? ims_filter_allowed(e->s, f, e->job, &e->allowed, &e->n_allowed, err) : 0;
	if (rc)
		return rc;
	for (size_t i = 0; i < source->n; i++)
		e->label[i] = NO_LABEL;
	return source->scan(source->ctx, add_rows, e, err);
}

const float *ims_eval_feature(const evaluation *e, size_t i)
{
	return e->query_rows ? e->query_rows + i * e->dim : e->rows + e->query[i].row * e->dim;
}

int ims_eval_features(evaluation *e, const imgsearch_input *in, size_t n, float *out, uint8_t *bad,
	imgsearch_error *err)
{
	model_identity id = { 0 };
	imgsearch_error *errors = ims_zalloc(n, sizeof *errors);
	int rc = errors ? ims_identity_stored(e->s, false, &id, err) : ims_nomem(err);
	if (rc == IMGSEARCH_ENOTFOUND)
		rc = ims_fail(err, IMGSEARCH_EMODEL,
			"%s: holds vectors of the caller's own; no network makes the features of query "
			"pictures",
			ims_store_name(e->s->store));
	if (!rc)
		rc = ims_features(e->s, e->job, &id, in, n, out, errors, err);
	for (size_t i = 0; !rc && i < n; i++) {
		float *row = out + i * e->dim;
		ims_space_apply(e->space, row, row);
		if (!errors[i].code && e->improve.views > 1)
			errors[i].code = ims_improve_views(e->s, e->job, e->space, &in[i], e->improve.views,
				row, &errors[i]);
		bad[i] = errors[i].code != 0;
		e->failed += bad[i];
		if (!rc)
			rc = ims_job_check(e->job, err);
	}
	ims_model_identity_free(&id);
	ims_free(errors);
	return rc;
}

int ims_eval_add_query(evaluation *e, const eval_query *q, imgsearch_error *err)
{
	eval_query *grown = ims_grow(e->query, e->n_queries, &e->query_cap, sizeof *grown);
	if (!grown)
		return ims_nomem(err);
	e->query = grown;
	e->query[e->n_queries++] = *q;
	return 0;
}

void ims_eval_clear(evaluation *e)
{
	for (size_t i = 0; e->path && i < e->n; i++)
		ims_free(e->path[i]);
	for (size_t i = 0; e->class_name && i < e->classes; i++)
		ims_free(e->class_name[i]);
	ims_free(e->allowed);
	ims_free(e->path);
	ims_free(e->class_name);
	ims_free(e->ids);
	ims_free(e->rows);
	ims_free(e->label);
	ims_free(e->query);
	ims_free(e->query_rows);
	ims_free(e->region_rows);
	ims_free(e->region_at);
	ims_buf_free(&e->regions);
	ims_free(e->relevant);
	ims_view_release(e->view);
}

/* Options become a request; folders and ids become a sorted subset. */
#include "query/request.h"

#include "base/ids.h"
#include "handle/condition.h"
#include "handle/feature.h"
#include "handle/space.h"
#include "query/improve.h"
#include "store/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int make_subset(imgsearch *s, query *q, imgsearch_error *err)
{
	int rc = ims_filter_widen(s, &q->filter, &q->folders, err);
	if (!rc)
		rc = ims_filter_ids(s, &q->filter, q->job, &q->subset, &q->request.filter_count, err);
	q->request.subset = q->subset;
	return rc;
}

static bool in_subset(const query *q, int64_t id)
{
	return !q->subset || ims_id_find(q->subset, q->request.filter_count, id, NULL);
}

static int passes(void *user, int64_t id)
{
	const query *q = user;
	return in_subset(q, id) && ims_call_filter(q->filter.accept, q->filter.user, id);
}

static int check_options(const imgsearch_query_options *o, imgsearch_error *err)
{
	if (o->recall < 0 || o->recall > 1 || o->recall != o->recall)
		return ims_fail(err, IMGSEARCH_EINVAL, "recall must be between 0 and 1");
	if (o->epsilon < 0 || o->epsilon != o->epsilon)
		return ims_fail(err, IMGSEARCH_EINVAL, "epsilon must not be negative");
	if (o->has_min_score && o->min_score != o->min_score)
		return ims_fail(err, IMGSEARCH_EINVAL, "min_score is not a number");
	return 0;
}

/*
 * Reduces k to about the number of rows, so that no memory is allocated for many more. The number
 * may be of a moment before: rows may have been added since, or have moved from a shard that was
 * counted without them to one that was counted before it had them.
 */
static int bound_k(imgsearch *s, size_t *k, imgsearch_error *err)
{
	enum { ALWAYS = 1000 };
	store_counts counts;
	if (*k <= ALWAYS)
		return 0;
	int rc = ims_store_counts(s->store, &counts, err);
	if (!rc && *k / 2 > counts.vectors)
		*k = 2 * (size_t)counts.vectors + ALWAYS;
	return rc;
}

int ims_query_make(query *q, imgsearch *s, const view *v, const imgsearch_query_options *o, job *j,
	imgsearch_error *err)
{
	*q = (query){
		.options = *o,
		.job = j,
		.self = NO_PICTURE,
		.space = o->plain ? &v->plain : &v->space,
	};
	if (o->filter)
		q->filter = *o->filter;
	q->improve = (improvement){ o->expand, o->reciprocal, o->views, o->plain, o->expand_power };
	int rc = check_options(o, err);
	if (!rc)
		rc = ims_improve_check(&q->improve, q->space, err);
	if (rc)
		return rc;
	q->request = (search_request){
		.k = o->k ? o->k : IMGSEARCH_K_DEFAULT,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX,
		.params = { .ef = o->ef, .checks = o->checks, .recall = o->recall, .epsilon = o->epsilon },
		.pool = s->pool,
		.stop = j ? &j->stop : NULL,
	};
	if (o->has_min_score)
		q->request.max_distance = ims_score_distance(v->space.metric, o->min_score);
	rc = bound_k(s, &q->request.k, err);
	if (!rc && (q->filter.folders || q->filter.ids || ims_filter_has_condition(&q->filter)))
		rc = make_subset(s, q, err);
	if (q->filter.accept) {
		q->request.filter = passes;
		q->request.filter_user = q;
	}
	return rc;
}

int ims_query_threads(query *q, imgsearch_error *err)
{
	uint32_t n = q->options.threads;
	if (n == 1)
		q->request.pool = NULL;
	if (n < 2)
		return 0;
	int rc = ims_pool_new(&q->pool, n, 2 * n, err);
	if (!rc)
		q->request.pool = q->pool;
	return rc;
}

void ims_query_free(query *q)
{
	ims_pool_free(q->pool);
	ims_free(q->subset);
	ims_filter_folders_free(&q->folders);
	ims_free(q->own);
}

void ims_query_settle(query *q, const view *v, const imgsearch_input *in, size_t n)
{
	size_t texts = 0, towards = 0;
	for (size_t i = 0; i < n; i++) {
		texts += in[i].kind == IMGSEARCH_INPUT_KIND_TEXT;
		towards += !(in[i].weight < 0);
	}
	q->away = texts && !towards;
	q->kind = !texts ? QUERY_PICTURES : texts == n ? QUERY_WORDS : QUERY_MIXED;
	if (texts && v->space.mean) {
		q->options.plain = 1;
		q->space = &v->plain;
	}
}

int ims_query_row(imgsearch *s, const query *q, const imgsearch_input *in, size_t i, float *row,
	imgsearch_error *err)
{
	int rc = ims_space_check(q->space, row, 1, "input", i, err);
	if (rc)
		return rc;
	ims_space_apply(q->space, row, row);
	if (q->improve.views <= 1 || in->kind == IMGSEARCH_INPUT_KIND_VECTOR
		|| in->kind == IMGSEARCH_INPUT_KIND_TEXT)
		return 0;
	return ims_improve_views(s, q->job, q->space, in, q->improve.views, row, err);
}

/* Options become a request; folders and ids become a sorted subset. */
#include "query/request.h"

#include "base/ids.h"
#include "handle/feature.h"
#include "query/improve.h"
#include "handle/space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The ids that pass both `ids` and `under`, where both are given. */
static int make_subset(imgsearch *s, query *q, imgsearch_error *err)
{
	const imgsearch_query_options *o = &q->options;
	int64_t *under = NULL, *ids = NULL;
	size_t n_under = 0, n = 0;
	int rc = o->under ? ims_store_ids_under(s->store, o->under, &under, &n_under, err) : 0;
	if (!rc && o->ids && !(ids = ims_alloc(o->n_ids, sizeof *ids)))
		rc = ims_nomem(err);
	if (!rc && ids) {
		if (o->n_ids)
			memcpy(ids, o->ids, o->n_ids * sizeof *ids);
		qsort(ids, o->n_ids, sizeof *ids, ims_id_compare);
		for (size_t i = 0; i < o->n_ids; i++)
			if ((!i || ids[i] != ids[i - 1])
				&& (!under || ims_id_find(under, n_under, ids[i], NULL)))
				ids[n++] = ids[i];
		ims_free(under);
	} else {
		ids = under;
		n = n_under;
	}
	if (!rc && !ids && !(ids = ims_zalloc(1, sizeof *ids))) /* NULL would allow all */
		rc = ims_nomem(err);
	q->subset = ids;
	q->request.subset = ids;
	q->request.filter_count = n;
	return rc;
}

static bool in_subset(const query *q, int64_t id)
{
	return !q->subset || ims_id_find(q->subset, q->request.filter_count, id, NULL);
}

static int passes(void *user, int64_t id)
{
	const query *q = user;
	return in_subset(q, id) && q->options.filter(q->options.filter_user, id);
}

static int check_options(const imgsearch_query_options *o, imgsearch_error *err)
{
	if (o->recall < 0 || o->recall > 1 || o->recall != o->recall)
		return ims_fail(err, IMGSEARCH_EINVAL, "recall must be between 0 and 1");
	if (o->epsilon < 0 || o->epsilon != o->epsilon)
		return ims_fail(err, IMGSEARCH_EINVAL, "epsilon must not be negative");
	if (o->has_min_score && o->min_score != o->min_score)
		return ims_fail(err, IMGSEARCH_EINVAL, "min_score is not a number");
	if (o->n_ids && !o->ids)
		return ims_fail(err, IMGSEARCH_EINVAL, "n_ids without ids");
	return 0;
}

/* Reduces k to the number of rows, so that no memory is allocated for more. */
static int bound_k(imgsearch *s, size_t *k, imgsearch_error *err)
{
	store_counts counts;
	if (*k <= 1000)
		return 0;
	int rc = ims_store_counts(s->store, &counts, err);
	if (!rc && *k > counts.vectors)
		*k = counts.vectors ? (size_t)counts.vectors : 1;
	return rc;
}

int ims_query_make(query *q, imgsearch *s, const view *v, const imgsearch_query_options *o,
	imgsearch_error *err)
{
	*q = (query){ .options = *o, .self = NO_PICTURE, .space = o->plain ? &v->plain : &v->space };
	q->improve = (improvement){ o->expand, o->reciprocal, o->views, o->plain, o->expand_power };
	int rc = check_options(o, err);
	if (!rc)
		rc = ims_improve_check(&q->improve, q->space, err);
	if (rc)
		return rc;
	q->request = (search_request){ .k = o->k ? o->k : DEFAULT_K,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX,
		.params = { .ef = o->ef, .checks = o->checks, .recall = o->recall, .epsilon = o->epsilon },
		.pool = s->pool,
		.cancel = NULL };
	if (o->has_min_score)
		q->request.max_distance = ims_score_distance(v->space.metric, o->min_score);
	rc = bound_k(s, &q->request.k, err);
	if (!rc && (o->under || o->ids))
		rc = make_subset(s, q, err);
	if (o->filter) {
		q->request.filter = passes;
		q->request.filter_user = q;
	}
	return rc;
}

void ims_query_free(query *q)
{
	ims_free(q->subset);
	ims_free(q->own);
}

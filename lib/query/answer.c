#include "query/answer.h"

#include "query/chance.h"
#include "query/hits.h"
#include "query/regions.h"
#include "store/shard.h"

static const char plan_empty[] = "empty index";

/* The plan of an answer says where there was nothing to be found. */
static int set_plan(imgsearch *s, imgsearch_hits *hits, const char *plan, imgsearch_error *err)
{
	store_counts counts = { .vectors = 1 };
	int rc = hits->count ? 0 : ims_store_counts(s->store, &counts, err);
	hits->plan = counts.vectors ? plan : plan_empty;
	return rc;
}

static void set_report(imgsearch_hits *hits, const query *q, const query_report *report)
{
	hits->searcher = report->searcher;
	hits->exact = report->search.exact;
	hits->reranked = q->improve.reciprocal > 0;
	hits->feature_seconds = report->feature_seconds;
	hits->search_seconds = report->search_seconds;
}

/* The shards that an answer lacks. */
static int set_missing(void *result, imgsearch *s, imgsearch_hits *hits, imgsearch_error *err)
{
	char *names;
	int rc = ims_store_missing(s->store, &names, err);
	if (rc || !names)
		return rc;
	hits->missing = ims_result_text(result ? result : hits, names);
	ims_free(names);
	return hits->missing ? 0 : ims_nomem(err);
}

int ims_answer_make(void *result, imgsearch *s, view *v, const query *q, const float *vector,
	const topk *found, const query_report *report, imgsearch_hits **out, imgsearch_error *err)
{
	const imgsearch_query_options *o = &q->options;
	int rc = ims_hits_make(result, s, v->space.metric, o->fields, &q->filter, found, out, err);
	if (rc)
		return rc;
	set_report(*out, q, report);
	rc = set_plan(s, *out, report->search.plan, err);
	if (!rc)
		rc = set_missing(result, s, *out, err);
	chance_model *m = ims_query_has_regions(v, q) ? &v->region_chance : &v->chance;
	if (!rc && (!o->plain || !v->space.mean) && !q->away)
		rc = ims_chance_fill(s, v, m, q->kind, vector, q->region_rows, q->own, q->n_own,
			o->max_chance, *out, err);
	if (rc && !result)
		imgsearch_hits_free(*out);
	if (rc)
		*out = NULL;
	return rc;
}

int ims_answer_empty(void *result, imgsearch_hits **out, imgsearch_error *err)
{
	const topk nothing = { 0 };
	int rc = ims_hits_make(result, NULL, IMGSEARCH_METRIC_COSINE, IMGSEARCH_FIELDS_IDS, NULL,
		&nothing, out, err);
	if (rc)
		return rc;
	(*out)->searcher = "scan";
	(*out)->plan = plan_empty;
	(*out)->exact = 1;
	return 0;
}

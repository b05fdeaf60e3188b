/*
 * The searchers of a view: loaded when they are first needed, and kept current by the change log.
 */
#include "handle/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * States of versions before 0.2 can hold rows of zeros, which are in no answer. Where a mean is
 * subtracted, all searchers but the tree leave them out when they fetch the rows of an answer.
 */
char *ims_view_params(const view *v, const char *name)
{
	bool cosine = v->space.metric == IMGSEARCH_METRIC_COSINE;
	if (cosine && !v->mean)
		return ims_format("centre=none");
	return ims_format("centre=%016llx%s", (unsigned long long)v->mean_sum,
		cosine && !strcmp(name, "kdtree") ? " without zeros" : "");
}

void ims_view_state_name(const row_set *set, const char *searcher, char name[STATE_NAME])
{
	snprintf(name, STATE_NAME, "%s%s", searcher, set->suffix);
}

static int get_chunk(void *arg, uint32_t number, buf *out, imgsearch_error *err)
{
	const view_searcher *vs = arg;
	return ims_store_searcher_read(vs->store, vs->state, number, out, err);
}

static bool usable(const view *v, const store_searcher *found, const searcher_ops *ops)
{
	char *params = ims_view_params(v, found->name);
	bool same = params && found->params && !strcmp(params, found->params)
		&& found->version == ops->version;
	ims_free(params);
	return same;
}

/*
 * Looks for the state. A stale one is not an error: the query scans. `note` receives what is to be
 * logged when the lock is free (log_note); its code is the level.
 */
static int find_state(imgsearch *s, const view *v, const row_set *set, const searcher_ops *ops,
	view_searcher *vs, imgsearch_error *note, imgsearch_error *err)
{
	store_searcher *all;
	size_t n;
	char name[STATE_NAME];
	ims_view_state_name(set, ops->name, name);
	int rc = ims_store_searchers(s->store, &all, &n, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].name, name))
			continue;
		if (!usable(v, &all[i], ops)) {
			ims_fail(note, IMGSEARCH_LOG_INFO, "searcher %s is stale and not used", name);
			continue;
		}
		vs->store = s->store;
		vs->state = all[i].state;
		vs->change = all[i].change;
		vs->rows = all[i].rows;
		vs->chunks = (chunk_source){ vs, all[i].chunks, get_chunk };
	}
	ims_store_searchers_free(all, n);
	vs->looked = true;
	return 0;
}

/* Loads a state of a server from a file of this machine. Where that is not possible, a note. */
static int load_kept(const row_set *set, const searcher_ops *ops, view_searcher *vs,
	imgsearch_error *note, imgsearch_error *err)
{
	imgsearch_error why;
	char name[STATE_NAME];
	ims_view_state_name(set, ops->name, name);
	int kept = ims_search_follows(ops->name, set->rows)
		? ims_store_searcher_keep(vs->store, vs->state, name, &why)
		: 0;
	int rc = ims_search_load(&vs->index, ops->name, set->rows, &vs->chunks, err);
	if (!rc && kept)
		ims_fail(note, IMGSEARCH_LOG_WARNING, "searcher %s is not kept on this machine (%.300s)",
			ops->name, why.message);
	return rc;
}

/* Loads the state, once. A damaged one is not an error: then there is none. */
static int load(const row_set *set, const searcher_ops *ops, view_searcher *vs,
	imgsearch_error *note, imgsearch_error *err)
{
	imgsearch_error why;
	if (vs->index || !vs->state)
		return 0;
	int rc = load_kept(set, ops, vs, note, &why);
	if (!rc)
		ims_search_set_built(vs->index, vs->rows);
	bool elsewhere = rc == IMGSEARCH_EUNSUPPORTED; /* it was copied from a server */
	if (elsewhere || rc == IMGSEARCH_EFORMAT || rc == IMGSEARCH_EVERSION) {
		ims_fail(note, IMGSEARCH_LOG_WARNING, "searcher %s is %snot used (%.300s)", ops->name,
			elsewhere ? "" : "damaged and ", why.message);
		vs->state = 0;
		return 0;
	}
	if (rc && err)
		*err = why;
	return rc;
}

enum { APPLY_STEP = 256 }; /* changed rows that are fetched at once */

/* Of n changed rows those that exist now are added, the others removed. values is scratch. */
static int apply_rows(const row_set *set, view_searcher *vs, const int64_t *rows, size_t n,
	float *values, imgsearch_error *err)
{
	int64_t gone[APPLY_STEP], here[APPLY_STEP];
	uint8_t found[APPLY_STEP];
	size_t kept = n, lost = 0;
	memcpy(here, rows, n * sizeof *here);
	int rc = ims_search_fetch(set->rows, here, &kept, values, found, err);
	for (size_t i = 0; !rc && i < n; i++)
		if (!found[i])
			gone[lost++] = rows[i];
	if (!rc && lost)
		rc = ims_search_remove(vs->index, gone, lost, err);
	if (!rc && kept)
		rc = ims_search_add(vs->index, here, values, kept, err);
	return rc;
}

/* The rows of n changed ids. */
static size_t rows_of(const row_set *set, const int64_t *ids, size_t n, int64_t *rows)
{
	size_t all = 0;
	for (size_t i = 0; i < n; i++)
		for (uint32_t part = 1; part <= set->parts; part++)
			rows[all++] = set->parts > 1 ? ims_region_row(ids[i], part) : ids[i];
	return all;
}

/* Brings the searcher up to date with n ids, whose rows were added, replaced or removed. */
static int apply_ids(const row_set *set, view_searcher *vs, const int64_t *ids, size_t n,
	imgsearch_error *err)
{
	int64_t rows[APPLY_STEP];
	size_t step = APPLY_STEP / set->parts;
	float *values = ims_alloc_aligned(APPLY_STEP, set->rows->dim * sizeof *values);
	int rc = values ? 0 : ims_nomem(err);
	for (size_t at = 0; !rc && at < n; at += step) {
		size_t all = rows_of(set, ids + at, n - at < step ? n - at : step, rows);
		rc = apply_rows(set, vs, rows, all, values, err);
	}
	ims_free(values);
	return rc;
}

/* Applies at most `most` changes. *done: none is left. */
static int apply_changes(imgsearch *s, const row_set *set, view_searcher *vs, int64_t most,
	bool *done, imgsearch_error *err)
{
	int64_t last, *ids = NULL;
	size_t n = 0;
	int rc = ims_store_change_last(s->store, &last, err);
	*done = rc || last - vs->change <= most;
	if (rc || last <= vs->change)
		return rc;
	if (!*done)
		last = vs->change + most;
	rc = ims_store_changes_between(s->store, vs->change, last, &ids, &n, err);
	if (rc == IMGSEARCH_ENOTFOUND) { /* it was built again: this view keeps its own state */
		*done = true;
		return 0;
	}
	if (!rc && n)
		rc = apply_ids(set, vs, ids, n, err);
	if (!rc)
		vs->change = last;
	ims_free(ids);
	return rc;
}

/* How many changes take about as long as a scan for so many queries. */
static int64_t affordable(const row_set *set, const searcher_ops *ops, size_t queries)
{
	enum { ANYWAY = 64 };
	double pictures = (double)set->rows->n / set->parts;
	double scan = (double)queries * pictures / ops->change_cost + ANYWAY;
	return scan < 1e15 ? (int64_t)scan : (int64_t)1e15;
}

/*
 * Loads the searcher and applies at most `most` changes. *lags: more wait. The first time that they
 * do, nothing is loaded.
 */
static int update_searcher(imgsearch *s, const view *v, const row_set *set, const searcher_ops *ops,
	view_searcher *vs, int64_t most, bool *lags, imgsearch_error *note, imgsearch_error *err)
{
	int64_t last = 0;
	bool done = true;
	*lags = false;
	int rc = vs->looked ? 0 : find_state(s, v, set, ops, vs, note, err);
	if (!rc && vs->state)
		rc = ims_store_change_last(s->store, &last, err);
	bool follows = ims_search_follows(ops->name, set->rows);
	if (!rc && vs->state && follows && last - vs->change > most && !vs->lagged) {
		*lags = vs->lagged = true;
		return 0;
	}
	if (!rc)
		rc = load(set, ops, vs, note, err);
	if (!rc && vs->index && follows)
		rc = apply_changes(s, set, vs, most, &done, err);
	*lags = !rc && !done;
	vs->lagged = *lags;
	return rc;
}

/* The place of a searcher in the set. EINVAL: there is none of that name. */
static int find_searcher(row_set *set, const char *name, const searcher_ops **ops,
	view_searcher **out, imgsearch_error *err)
{
	const searcher_ops *const *all = ims_search_all();
	int which = 0;
	while (all[which] && strcmp(all[which]->name, name))
		which++;
	if (!all[which] || which >= VIEW_SEARCHERS)
		return ims_fail(err, IMGSEARCH_EINVAL, "there is no searcher named %s", name);
	*ops = all[which];
	*out = &set->searcher[which];
	return 0;
}

/* Logs outside the lock, since a callback runs. */
static void log_note(job *j, const imgsearch_error *note)
{
	if (note->code)
		ims_job_log(j, note->code, "%s", note->message);
}

/* ims_view_searcher_for; queries 0: all changes are applied. */
static int get_searcher(imgsearch *s, view *v, row_set *set, const char *name, size_t queries,
	job *j, search_index **out, bool *lags, imgsearch_error *err)
{
	const searcher_ops *ops = NULL;
	view_searcher *vs = NULL;
	imgsearch_error note = { 0 };
	store_hold hold;
	*out = NULL;
	int rc = find_searcher(set, name, &ops, &vs, err);
	if (rc)
		return rc;
	ims_view_lock(s, &v->lock, &hold);
	int64_t most = queries ? affordable(set, ops, queries) : INT64_MAX;
	rc = update_searcher(s, v, set, ops, vs, most, lags, &note, err);
	*out = rc || *lags ? NULL : vs->index;
	ims_view_unlock(s, &v->lock, &hold);
	log_note(j, &note);
	return rc;
}

int ims_view_searcher(imgsearch *s, view *v, row_set *set, const char *name, job *j,
	search_index **out, imgsearch_error *err)
{
	bool lags;
	return get_searcher(s, v, set, name, 0, j, out, &lags, err);
}

int ims_view_searcher_for(imgsearch *s, view *v, row_set *set, const char *name, size_t queries,
	job *j, search_index **out, bool *lags, imgsearch_error *err)
{
	return get_searcher(s, v, set, name, queries ? queries : 1, j, out, lags, err);
}

int ims_view_drift(imgsearch *s, view *v, row_set *set, const char *name, job *j, double *drift,
	imgsearch_error *err)
{
	const searcher_ops *ops = NULL;
	view_searcher *vs = NULL;
	imgsearch_error note = { 0 };
	store_hold hold;
	int64_t *ids = NULL;
	size_t n = 0;
	*drift = INFINITY;
	int rc = find_searcher(set, name, &ops, &vs, err);
	if (rc)
		return rc;
	ims_view_lock(s, &v->lock, &hold);
	rc = vs->looked ? 0 : find_state(s, v, set, ops, vs, &note, err);
	if (!rc)
		rc = load(set, ops, vs, &note, err);
	if (!rc && vs->index)
		rc = ims_store_changes(s->store, vs->change, &ids, &n, err);
	if (rc == IMGSEARCH_ENOTFOUND) /* it was built again meanwhile */
		rc = 0;
	if (!rc && vs->index)
		*drift = ims_search_drift(vs->index)
			+ (double)n * set->parts / (double)(vs->rows ? vs->rows : 1);
	ims_view_unlock(s, &v->lock, &hold);
	ims_free(ids);
	log_note(j, &note);
	return rc;
}

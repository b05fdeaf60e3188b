/*
 * Makes views and keeps them current. ims_view_acquire compares the epoch, which a connection keeps
 * while nobody commits (ims_store_state_get). Changes of rows make no
 * new view: a loaded searcher reads the change log (apply_changes), so the next query sees them and
 * nothing is reloaded.
 */
#include "handle/view.h"

#include "handle/cohort.h"
#include "handle/space.h"

#include <math.h>
#include <string.h>

static int get_u32(store *st, const char *name, uint32_t *out, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = ims_store_setting_get(st, name, &b, err);
	reader r = { .data = b.data, .len = b.len };
	*out = b.len ? ims_read_u32(&r) : 0;
	ims_buf_free(&b);
	return rc;
}

static int set_u32(store *st, const char *name, uint32_t value, imgsearch_error *err)
{
	buf b = { 0 };
	ims_buf_u32(&b, value);
	int rc = b.failed ? ims_nomem(err) : ims_store_setting_set(st, name, b.data, b.len, err);
	ims_buf_free(&b);
	return rc;
}

/* The file calls the mean "centre". */
static int get_mean(store *st, view *v, imgsearch_error *err)
{
	buf b = { 0 };
	store_model m = { 0 };
	int rc = ims_store_model_get(st, &m, false, err);
	v->has_model = !rc;
	ims_store_model_clear(&m);
	if (rc) /* a mean that 0.1 stored beside the caller's own vectors is left out */
		return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
	rc = ims_store_setting_get(st, "centre", &b, err);
	if (!rc && b.len && b.len == v->space.dim * sizeof(float)) {
		reader r = { .data = b.data, .len = b.len };
		v->mean = ims_alloc(v->space.dim, sizeof(float));
		if (!v->mean)
			rc = ims_nomem(err);
		for (uint32_t i = 0; !rc && i < v->space.dim; i++)
			v->mean[i] = ims_read_f32(&r);
		v->mean_sum = ims_checksum(b.data, b.len, 0);
		v->space.mean = v->mean;
	}
	ims_buf_free(&b);
	return rc;
}

static int get_chosen(store *st, view *v, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = ims_store_setting_get(st, "searcher", &b, err);
	if (!rc && b.len && b.len < sizeof v->chosen)
		memcpy(v->chosen, b.data, b.len);
	ims_buf_free(&b);
	return rc;
}

static void free_view(view *v)
{
	for (int i = 0; i < VIEW_SEARCHERS; i++)
		ims_search_free(v->searcher[i].index);
	pthread_mutex_destroy(&v->lock);
	ims_cohort_free(v->cohort);
	ims_free(v->mean);
	ims_free(v);
}

static int make_view(imgsearch *s, const store_state *state, view **out, imgsearch_error *err)
{
	uint32_t metric = 0, dim = 0;
	view *v = ims_zalloc(1, sizeof *v);
	*out = NULL;
	if (!v)
		return ims_nomem(err);
	pthread_mutex_init(&v->lock, NULL);
	atomic_store(&v->references, 1);
	v->epoch = state->epoch;
	int rc = get_u32(s->store, "metric", &metric, err);
	if (!rc)
		rc = get_u32(s->store, "dim", &dim, err);
	v->space = v->plain = (space){ .metric = (imgsearch_metric)metric, .dim = dim };
	if (!rc)
		rc = get_mean(s->store, v, err);
	if (!rc)
		rc = get_chosen(s->store, v, err);
	if (!rc)
		rc = ims_chance_load(s, v, err);
	if (rc) {
		free_view(v);
		return rc;
	}
	v->rows_ctx = (space_rows){ s->store, &v->space };
	v->plain_ctx = (space_rows){ s->store, &v->plain };
	v->rows = ims_space_source(&v->rows_ctx, state->counts.vectors);
	v->plain_rows = ims_space_source(&v->plain_ctx, state->counts.vectors);
	*out = v;
	return 0;
}

/* Reads within a lock: see ims_store_hold_acquire. */
static void lock(imgsearch *s, pthread_mutex_t *mutex, store_hold *hold)
{
	ims_store_hold_acquire(s->store, hold);
	pthread_mutex_lock(mutex);
}

static void unlock(imgsearch *s, pthread_mutex_t *mutex, store_hold *hold)
{
	pthread_mutex_unlock(mutex);
	ims_store_hold_release(s->store, hold);
}

int ims_view_acquire_counted(imgsearch *s, view **out, imgsearch_error *err)
{
	store_counts counts;
	int rc = ims_store_counts(s->store, &counts, err);
	pthread_mutex_lock(&s->view_lock);
	if (!rc && s->view && s->view->rows.n != counts.vectors) {
		ims_view_release(s->view);
		s->view = NULL;
	}
	pthread_mutex_unlock(&s->view_lock);
	return rc ? rc : ims_view_acquire(s, out, err);
}

/* Makes the handle's view that of a state of the file. The caller holds view_lock. */
static int update_view(imgsearch *s, const store_state *state, imgsearch_error *err)
{
	view *fresh;
	if (s->view && s->view->epoch == state->epoch)
		return 0;
	int rc = make_view(s, state, &fresh, err);
	if (rc)
		return rc;
	ims_view_release(s->view);
	s->view = fresh;
	return 0;
}

int ims_view_acquire(imgsearch *s, view **out, imgsearch_error *err)
{
	store_state state;
	store_hold hold;
	*out = NULL;
	int rc = ims_store_state_get(s->store, &state, err);
	if (rc)
		return rc;
	lock(s, &s->view_lock, &hold);
	rc = update_view(s, &state, err);
	if (!rc) {
		atomic_fetch_add(&s->view->references, 1);
		*out = s->view;
	}
	unlock(s, &s->view_lock, &hold);
	return rc;
}

void ims_view_release(view *v)
{
	if (v && atomic_fetch_sub(&v->references, 1) == 1)
		free_view(v);
}

/* Whether rc, the status of a query in view v, only means that its searcher was built again. */
static bool is_replaced(imgsearch *s, const view *v, int rc)
{
	view *now;
	if (rc != IMGSEARCH_EFORMAT || ims_view_acquire(s, &now, NULL))
		return false;
	bool replaced = now != v;
	ims_view_release(now);
	return replaced;
}

int ims_view_query(imgsearch *s, view_query run, void *arg, imgsearch_error *err)
{
	bool again;
	int rc;
	do {
		view *v = NULL;
		store_snapshot snapshot;
		ims_store_snapshot_begin(s->store, &snapshot);
		rc = ims_view_acquire(s, &v, err);
		if (!rc)
			rc = run(arg, v, err);
		ims_store_snapshot_end(&snapshot);
		again = v && is_replaced(s, v, rc);
		ims_view_release(v);
	} while (again);
	return rc;
}

int ims_view_renew(imgsearch *s, imgsearch_error *err)
{
	uint32_t epoch;
	int rc = get_u32(s->store, "epoch", &epoch, err);
	return rc ? rc : set_u32(s->store, "epoch", epoch + 1, err);
}

int ims_view_set_dim(imgsearch *s, uint32_t dim, imgsearch_error *err)
{
	int rc = set_u32(s->store, "dim", dim, err);
	return rc ? rc : ims_view_renew(s, err);
}

/* EINVAL: another dimension than the index's. *first: it has none yet. */
static int check_dim(imgsearch *s, uint32_t dim, bool *first, imgsearch_error *err)
{
	view *v;
	int rc = ims_view_acquire(s, &v, err);
	if (rc)
		return rc;
	uint32_t have = v->space.dim ? v->space.dim : s->options.dim;
	*first = !v->space.dim;
	ims_view_release(v);
	if (have && have != dim)
		return ims_fail(err, IMGSEARCH_EINVAL, "vectors of %u values; the index has %u", dim, have);
	return 0;
}

int ims_view_check_dim(imgsearch *s, uint32_t dim, imgsearch_error *err)
{
	bool first;
	return check_dim(s, dim, &first, err);
}

int ims_view_settle_dim(imgsearch *s, uint32_t dim, imgsearch_error *err)
{
	bool first;
	int rc = check_dim(s, dim, &first, err);
	return rc || !first ? rc : ims_view_set_dim(s, dim, err);
}

/* Of an index that has vectors the metric is that of any view, however old. */
static int get_metric(imgsearch *s, imgsearch_metric *metric, imgsearch_error *err)
{
	pthread_mutex_lock(&s->view_lock);
	bool known = s->view && s->view->space.dim;
	*metric = known ? s->view->space.metric : IMGSEARCH_METRIC_COSINE;
	pthread_mutex_unlock(&s->view_lock);
	view *v;
	int rc = known ? 0 : ims_view_acquire(s, &v, err);
	if (known || rc)
		return rc;
	*metric = v->space.metric;
	ims_view_release(v);
	return 0;
}

int ims_view_check_rows(imgsearch *s, const float *rows, size_t n, uint32_t dim,
	imgsearch_error *err)
{
	space sp = { .dim = dim };
	int rc = get_metric(s, &sp.metric, err);
	return rc ? rc : ims_space_check(&sp, rows, n, "row", 0, err);
}

/* ------------------------------------------------------------------------------- searchers ---- */

/*
 * States of versions before 0.2 can hold rows of zeros, which are in no answer. Where a mean is
 * subtracted, all searchers but the tree leave them out when they fetch the rows of an answer.
 */
char *ims_view_params(const view *v, const char *searcher)
{
	bool cosine = v->space.metric == IMGSEARCH_METRIC_COSINE;
	if (cosine && !v->mean)
		return ims_format("centre=none");
	return ims_format("centre=%016llx%s", (unsigned long long)v->mean_sum,
		cosine && !strcmp(searcher, "kdtree") ? " without zeros" : "");
}

static int get_chunk(void *arg, uint32_t number, buf *out, imgsearch_error *err)
{
	const view_searcher *vs = arg;
	return ims_store_searcher_read(vs->store, vs->state, number, out, err);
}

static bool usable(const view *v, const store_searcher *found, const searcher_ops *ops)
{
	char *params = ims_view_params(v, ops->name);
	bool same = params && found->params && !strcmp(params, found->params)
		&& found->version == ops->version;
	ims_free(params);
	return same;
}

/*
 * Looks for the state. A stale one is not an error: the query scans. `note` receives what is to be
 * logged when the lock is free (log_note); its code is the level.
 */
static int find_state(imgsearch *s, view *v, const searcher_ops *ops, view_searcher *vs,
	imgsearch_error *note, imgsearch_error *err)
{
	store_searcher *all;
	size_t n;
	int rc = ims_store_searchers(s->store, &all, &n, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].name, ops->name))
			continue;
		if (!usable(v, &all[i], ops)) {
			ims_fail(note, IMGSEARCH_LOG_INFO, "searcher %s is stale and not used", ops->name);
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

/* Loads the state, once. A damaged one is not an error: then there is none. */
static int load(view *v, const searcher_ops *ops, view_searcher *vs, imgsearch_error *note,
	imgsearch_error *err)
{
	imgsearch_error why;
	if (vs->index || !vs->state)
		return 0;
	int rc = ims_search_load(&vs->index, ops->name, &v->rows, &vs->chunks, &why);
	if (!rc)
		ims_search_set_built(vs->index, vs->rows);
	if (rc == IMGSEARCH_EFORMAT || rc == IMGSEARCH_EVERSION) {
		ims_fail(note, IMGSEARCH_LOG_WARNING, "searcher %s is damaged and not used (%.300s)",
			ops->name, why.message);
		vs->state = 0;
		return 0;
	}
	if (rc && err)
		*err = why;
	return rc;
}

enum { APPLY_STEP = 256 }; /* changed rows that are fetched at once */

/* Of n changed ids, the rows that exist now are added, the others removed. rows is scratch. */
static int apply_step(view *v, view_searcher *vs, const int64_t *ids, size_t n, float *rows,
	imgsearch_error *err)
{
	int64_t gone[APPLY_STEP], here[APPLY_STEP];
	uint8_t found[APPLY_STEP];
	size_t kept = n, lost = 0;
	memcpy(here, ids, n * sizeof *here);
	int rc = ims_search_fetch(&v->rows, here, &kept, rows, found, err);
	for (size_t i = 0; !rc && i < n; i++)
		if (!found[i])
			gone[lost++] = ids[i];
	if (!rc && lost)
		rc = ims_search_remove(vs->index, gone, lost, err);
	if (!rc && kept)
		rc = ims_search_add(vs->index, here, rows, kept, err);
	return rc;
}

/* Brings the searcher up to date with n ids, whose rows were added, replaced or removed. */
static int apply_ids(view *v, view_searcher *vs, const int64_t *ids, size_t n, imgsearch_error *err)
{
	float *rows = ims_alloc_aligned(APPLY_STEP, v->space.dim * sizeof *rows);
	int rc = rows ? 0 : ims_nomem(err);
	for (size_t at = 0; !rc && at < n; at += APPLY_STEP)
		rc = apply_step(v, vs, ids + at, n - at < APPLY_STEP ? n - at : APPLY_STEP, rows, err);
	ims_free(rows);
	return rc;
}

/* Applies at most `most` changes. *done: none is left. */
static int apply_changes(imgsearch *s, view *v, view_searcher *vs, int64_t most, bool *done,
	imgsearch_error *err)
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
		rc = apply_ids(v, vs, ids, n, err);
	if (!rc)
		vs->change = last;
	ims_free(ids);
	return rc;
}

/* How many changes take about as long as a scan for so many queries. */
static int64_t affordable(const view *v, const searcher_ops *ops, size_t queries)
{
	enum { ANYWAY = 64 };
	double scan = (double)queries * (double)v->rows.n / ops->change_cost + ANYWAY;
	return scan < 1e15 ? (int64_t)scan : (int64_t)1e15;
}

/*
 * Loads the searcher and applies at most `most` changes. *lags: more wait. The first time that they
 * do, nothing is loaded.
 */
static int update_searcher(imgsearch *s, view *v, const searcher_ops *ops, view_searcher *vs,
	int64_t most, bool *lags, imgsearch_error *note, imgsearch_error *err)
{
	int64_t last = 0;
	bool done = true;
	*lags = false;
	int rc = vs->looked ? 0 : find_state(s, v, ops, vs, note, err);
	if (!rc && vs->state)
		rc = ims_store_change_last(s->store, &last, err);
	if (!rc && vs->state && last - vs->change > most && !vs->lagged) {
		*lags = vs->lagged = true;
		return 0;
	}
	if (!rc)
		rc = load(v, ops, vs, note, err);
	if (!rc && vs->index)
		rc = apply_changes(s, v, vs, most, &done, err);
	*lags = !rc && !done;
	vs->lagged = *lags;
	return rc;
}

/* The place of a searcher in the view. EINVAL: there is none of that name. */
static int find_searcher(view *v, const char *name, const searcher_ops **ops, view_searcher **out,
	imgsearch_error *err)
{
	const searcher_ops *const *all = ims_search_all();
	int which = 0;
	while (all[which] && strcmp(all[which]->name, name))
		which++;
	if (!all[which] || which >= VIEW_SEARCHERS)
		return ims_fail(err, IMGSEARCH_EINVAL, "there is no searcher named %s", name);
	*ops = all[which];
	*out = &v->searcher[which];
	return 0;
}

/* Logs outside the lock, since a callback runs. */
static void log_note(job *j, const imgsearch_error *note)
{
	if (note->code)
		ims_job_log(j, note->code, "%s", note->message);
}

/* ims_view_searcher_for; queries 0: all changes are applied. */
static int get_searcher(imgsearch *s, view *v, const char *name, size_t queries, job *j,
	search_index **out, bool *lags, imgsearch_error *err)
{
	const searcher_ops *ops = NULL;
	view_searcher *vs = NULL;
	imgsearch_error note = { 0 };
	store_hold hold;
	*out = NULL;
	int rc = find_searcher(v, name, &ops, &vs, err);
	if (rc)
		return rc;
	lock(s, &v->lock, &hold);
	int64_t most = queries ? affordable(v, ops, queries) : INT64_MAX;
	rc = update_searcher(s, v, ops, vs, most, lags, &note, err);
	*out = rc || *lags ? NULL : vs->index;
	unlock(s, &v->lock, &hold);
	log_note(j, &note);
	return rc;
}

int ims_view_searcher(imgsearch *s, view *v, const char *name, job *j, search_index **out,
	imgsearch_error *err)
{
	bool lags;
	return get_searcher(s, v, name, 0, j, out, &lags, err);
}

int ims_view_searcher_for(imgsearch *s, view *v, const char *name, size_t queries, job *j,
	search_index **out, bool *lags, imgsearch_error *err)
{
	return get_searcher(s, v, name, queries ? queries : 1, j, out, lags, err);
}

int ims_view_drift(imgsearch *s, view *v, const char *name, job *j, double *drift,
	imgsearch_error *err)
{
	const searcher_ops *ops = NULL;
	view_searcher *vs = NULL;
	imgsearch_error note = { 0 };
	store_hold hold;
	int64_t *ids = NULL;
	size_t n = 0;
	*drift = INFINITY;
	int rc = find_searcher(v, name, &ops, &vs, err);
	if (rc)
		return rc;
	lock(s, &v->lock, &hold);
	rc = vs->looked ? 0 : find_state(s, v, ops, vs, &note, err);
	if (!rc)
		rc = load(v, ops, vs, &note, err);
	if (!rc && vs->index)
		rc = ims_store_changes(s->store, vs->change, &ids, &n, err);
	if (rc == IMGSEARCH_ENOTFOUND) /* it was built again meanwhile */
		rc = 0;
	if (!rc && vs->index)
		*drift = ims_search_drift(vs->index) + (double)n / (double)(vs->rows ? vs->rows : 1);
	unlock(s, &v->lock, &hold);
	ims_free(ids);
	log_note(j, &note);
	return rc;
}

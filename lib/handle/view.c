/*
 * Makes views and keeps them current. ims_view_acquire compares the epoch, which a connection keeps
 * while nobody commits (ims_store_state_get). Changes of rows make no new view: a loaded searcher
 * reads the change log (view_searcher.c), so the next query sees them and nothing is reloaded.
 */
#include "handle/view.h"

#include "base/regions.h"
#include "handle/cohort.h"
#include "handle/model_choice.h"
#include "handle/space.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
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
	snprintf(v->model, sizeof v->model, "%s", rc ? "" : m.name);
	v->has_words = !rc && ims_identity_has_words(&m);
	v->scene_score = ims_identity_scene_score(rc ? NULL : &m);
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

static void begin_set(row_set *set, const row_source *rows, uint32_t parts, const char *suffix)
{
	set->rows = rows;
	set->parts = parts;
	snprintf(set->suffix, sizeof set->suffix, "%s", suffix);
}

/* The searcher that was chosen for the rows of a set. */
static int get_chosen(store *st, row_set *set, imgsearch_error *err)
{
	buf b = { 0 };
	char key[STATE_NAME];
	ims_view_state_name(set, "searcher", key);
	int rc = ims_store_setting_get(st, key, &b, err);
	if (!rc && b.len && b.len < sizeof set->chosen)
		memcpy(set->chosen, b.data, b.len);
	ims_buf_free(&b);
	return rc;
}

/* The rows of the view and their searchers; its spaces are known. */
static int get_rows(imgsearch *s, view *v, const store_counts *counts, imgsearch_error *err)
{
	uint32_t layout = IMS_REGIONS_NONE;
	v->rows_ctx = (space_rows){ s->store, &v->space };
	v->plain_ctx = (space_rows){ s->store, &v->plain };
	v->rows = ims_space_source(&v->rows_ctx, counts->vectors);
	v->plain_rows = ims_space_source(&v->plain_ctx, counts->vectors);
	v->region_rows = ims_regions_source(&v->rows_ctx, counts->regions);
	v->plain_region_rows = ims_regions_source(&v->plain_ctx, counts->regions);
	begin_set(&v->wholes, &v->rows, 1, "");
	begin_set(&v->regions, &v->region_rows, IMS_REGIONS_PARTS, ".regions");
	int rc = get_u32(s->store, "regions", &layout, err);
	v->has_regions = layout == IMS_REGIONS_TILES;
	if (!rc)
		rc = get_chosen(s->store, &v->wholes, err);
	return rc || !v->has_regions ? rc : get_chosen(s->store, &v->regions, err);
}

static void free_view(view *v)
{
	for (int i = 0; i < VIEW_SEARCHERS; i++) {
		ims_search_free(v->wholes.searcher[i].index);
		ims_search_free(v->regions.searcher[i].index);
	}
	pthread_mutex_destroy(&v->lock);
	ims_cohort_free(v->chance.cohort);
	ims_cohort_free(v->region_chance.cohort);
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
		rc = get_rows(s, v, &state->counts, err);
	if (!rc)
		rc = ims_chance_load(s, v, err);
	if (rc) {
		free_view(v);
		return rc;
	}
	*out = v;
	return 0;
}

void ims_view_lock(imgsearch *s, pthread_mutex_t *mutex, store_hold *hold)
{
	ims_store_hold_acquire(s->store, hold);
	pthread_mutex_lock(mutex);
}

void ims_view_unlock(imgsearch *s, pthread_mutex_t *mutex, store_hold *hold)
{
	pthread_mutex_unlock(mutex);
	ims_store_hold_release(s->store, hold);
}

int ims_view_acquire_counted(imgsearch *s, view **out, imgsearch_error *err)
{
	store_counts counts;
	int rc = ims_store_counts(s->store, &counts, err);
	pthread_mutex_lock(&s->view_lock);
	if (!rc && s->view
		&& (s->view->rows.n != counts.vectors
			|| s->view->region_rows.n != counts.regions * IMS_REGIONS_PARTS)) {
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
	ims_view_lock(s, &s->view_lock, &hold);
	rc = update_view(s, &state, err);
	if (!rc) {
		atomic_fetch_add(&s->view->references, 1);
		*out = s->view;
	}
	ims_view_unlock(s, &s->view_lock, &hold);
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

int ims_view_exchanged(imgsearch *s, imgsearch_error *err)
{
	ims_fail(err, IMGSEARCH_EBUSY, "%s: its two models were exchanged meanwhile",
		ims_store_name(s->store));
	if (err)
		err->detail = ESTALE;
	return IMGSEARCH_EBUSY;
}

static int check_name(imgsearch *s, const view_query *query, const view *v, imgsearch_error *err)
{
	return !query->model || !strcmp(query->model, v->model) ? 0 : ims_view_exchanged(s, err);
}

int ims_view_query(imgsearch *s, const view_query *query, void *arg, imgsearch_error *err)
{
	bool again;
	retry retry = { 0 };
	imgsearch_error why;
	int rc;
	do {
		view *v = NULL;
		store_snapshot snapshot;
		ims_store_snapshot_begin(s->store, &snapshot);
		rc = ims_view_acquire(s, &v, &why);
		if (!rc)
			rc = check_name(s, query, v, &why);
		if (!rc)
			rc = query->run(arg, v, &why);
		again = ims_store_snapshot_stale(&snapshot);
		if (again && !rc && query->discard)
			query->discard(arg);
		ims_store_snapshot_end(&snapshot);
		again = again || (v && is_replaced(s, v, rc))
			|| (rc && ims_store_may_retry(s->store) && ims_retry_wait(&retry, 0, NULL));
		ims_view_release(v);
	} while (again);
	if (rc && err)
		*err = why;
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

int ims_view_refuse_dim(imgsearch *s, size_t got, uint32_t have, imgsearch_error *err)
{
	store_model m = { 0 };
	int rc = ims_store_model_get(s->store, &m, false, err);
	if (rc && rc != IMGSEARCH_ENOTFOUND)
		return rc;
	rc = m.name
		? ims_fail(err, IMGSEARCH_EINVAL, "vectors of %zu values; those of the model %s have %u",
			got, m.name, have)
		: ims_fail(err, IMGSEARCH_EINVAL, "vectors of %zu values; the index has %u", got, have);
	ims_store_model_clear(&m);
	return rc;
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
		return ims_view_refuse_dim(s, dim, have, err);
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

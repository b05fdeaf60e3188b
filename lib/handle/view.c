/*
 * Makes views and keeps them current. ims_view_acquire compares the data version of the file with
 * the last one, and then the epoch, so an unchanged file costs one number. Changes of rows make no
 * new view: a loaded searcher reads the change log (apply_changes), so the next query sees them and
 * nothing is reloaded.
 */
#include "handle/view.h"

#include "handle/cohort.h"
#include "handle/space.h"

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

static int get_mean(store *st, view *v, imgsearch_error *err)
{
	buf b = { 0 };
	store_model m = { 0 };
	int rc = ims_store_model_get(st, &m, false, err);
	v->has_model = !rc;
	ims_store_model_clear(&m);
	if (rc) /* a mean that a version before 0.2 stored beside the caller's own vectors is left out */
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

static int make_view(imgsearch *s, int64_t version, uint32_t epoch, view **out,
	imgsearch_error *err)
{
	uint32_t metric = 0, dim = 0;
	store_counts counts = { 0 };
	view *v = ims_zalloc(1, sizeof *v);
	*out = NULL;
	if (!v)
		return ims_nomem(err);
	pthread_mutex_init(&v->lock, NULL);
	atomic_store(&v->references, 1);
	v->version = version;
	v->epoch = epoch;
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
	if (!rc)
		rc = ims_store_counts(s->store, &counts, err);
	if (rc) {
		free_view(v);
		return rc;
	}
	v->rows_ctx = (space_rows){ s->store, &v->space };
	v->plain_ctx = (space_rows){ s->store, &v->plain };
	v->rows = ims_space_source(&v->rows_ctx, counts.vectors);
	v->plain_rows = ims_space_source(&v->plain_ctx, counts.vectors);
	*out = v;
	return 0;
}

/* Reads within a lock: see ims_store_hold. */
static void lock(imgsearch *s, pthread_mutex_t *mutex, store_hold *hold)
{
	ims_store_hold(s->store, hold);
	pthread_mutex_lock(mutex);
}

static void unlock(imgsearch *s, pthread_mutex_t *mutex, store_hold *hold)
{
	pthread_mutex_unlock(mutex);
	ims_store_let_go(s->store, hold);
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

int ims_view_acquire(imgsearch *s, view **out, imgsearch_error *err)
{
	int64_t version;
	uint32_t epoch;
	store_hold hold;
	*out = NULL;
	int rc = ims_store_data_version(s->store, &version, err);
	if (rc)
		return rc;
	lock(s, &s->view_lock, &hold);
	if (!s->view || s->view->version != version) {
		rc = get_u32(s->store, "epoch", &epoch, err);
		if (!rc && s->view && s->view->epoch == epoch) {
			s->view->version = version;
		} else if (!rc) {
			view *fresh;
			rc = make_view(s, version, epoch, &fresh, err);
			if (!rc) {
				ims_view_release(s->view);
				s->view = fresh;
			}
		}
	}
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

bool ims_view_replaced(imgsearch *s, const view *v, int rc)
{
	view *now;
	if (rc != IMGSEARCH_EFORMAT || ims_view_acquire(s, &now, NULL))
		return false;
	bool replaced = now != v;
	ims_view_release(now);
	return replaced;
}

int ims_view_renew(imgsearch *s, imgsearch_error *err)
{
	uint32_t epoch;
	buf b = { 0 };
	int rc = get_u32(s->store, "epoch", &epoch, err);
	ims_buf_u32(&b, epoch + 1);
	if (!rc)
		rc = b.failed ? ims_nomem(err)
					  : ims_store_setting_set(s->store, "epoch", b.data, b.len, err);
	ims_buf_free(&b);
	return rc;
}

int ims_view_set_dim(imgsearch *s, uint32_t dim, imgsearch_error *err)
{
	buf b = { 0 };
	ims_buf_u32(&b, dim);
	int rc = b.failed ? ims_nomem(err) : ims_store_setting_set(s->store, "dim", b.data, b.len, err);
	ims_buf_free(&b);
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

int ims_view_check_rows(imgsearch *s, const float *rows, size_t n, uint32_t dim,
	imgsearch_error *err)
{
	view *v;
	int rc = ims_view_acquire(s, &v, err);
	if (rc)
		return rc;
	rc = ims_space_check(&(space){ .metric = v->space.metric, .dim = dim }, rows, n, "row", 0, err);
	ims_view_release(v);
	return rc;
}

/* ------------------------------------------------------------------------------- searchers ---- */

char *ims_view_params(const view *v)
{
	if (v->space.metric == IMGSEARCH_METRIC_COSINE && !v->mean)
		return ims_format("centre=none"); /* states of versions before 0.2 can hold rows of zeros */
	return ims_format("centre=%016llx", (unsigned long long)v->mean_sum);
}

static int get_chunk(void *arg, uint32_t number, buf *out, imgsearch_error *err)
{
	const view_searcher *c = arg;
	return ims_store_searcher_read(c->store, c->state, number, out, err);
}

static bool usable(const view *v, const store_searcher *found, const searcher_ops *ops)
{
	char *params = ims_view_params(v);
	bool same = params && found->params && !strcmp(params, found->params)
		&& found->version == ops->version;
	ims_free(params);
	return same;
}

/*
 * A stale or damaged state is not an error: the query scans. `note` receives the message for the
 * log.
 */
static int load(imgsearch *s, view *v, const searcher_ops *ops, view_searcher *vs,
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
			ims_fail(note, IMGSEARCH_LOG_INFO, "searcher %s is stale and not used; run build",
				ops->name);
			continue;
		}
		vs->store = s->store;
		vs->state = all[i].state;
		vs->change = all[i].change;
		vs->chunks = (chunk_source){ vs, all[i].chunks, get_chunk };
		imgsearch_error why;
		rc = ims_search_load(&vs->index, ops->name, &v->rows, &vs->chunks, &why);
		if (!rc)
			ims_search_set_built(vs->index, all[i].rows);
		if (rc == IMGSEARCH_EFORMAT || rc == IMGSEARCH_EVERSION) {
			ims_fail(note, IMGSEARCH_LOG_WARNING,
				"searcher %s is damaged and not used; run build (%.300s)", ops->name, why.message);
			rc = 0;
		} else if (rc && err) {
			*err = why;
		}
	}
	ims_store_searchers_free(all, n);
	vs->tried = !rc;
	return rc;
}

/* Applies to the searcher the rows that were added, replaced and removed since its last change. */
static int apply_changes(imgsearch *s, view *v, view_searcher *vs, imgsearch_error *err)
{
	enum { STEP = 256 };
	int64_t last, *ids = NULL, gone[STEP], here[STEP];
	uint8_t found[STEP];
	size_t n = 0, dim = v->space.dim;
	int rc = ims_store_change_last(s->store, &last, err);
	if (rc || last <= vs->change)
		return rc;
	rc = ims_store_changes(s->store, vs->change, &ids, &n, err);
	if (rc == IMGSEARCH_ENOTFOUND) /* the searcher was built again: this view keeps its own state */
		return 0;
	float *rows = rc ? NULL : ims_alloc_aligned(STEP, dim * sizeof(float));
	if (!rc && !rows)
		rc = ims_nomem(err);
	for (size_t at = 0; !rc && at < n; at += STEP) {
		size_t now = n - at < STEP ? n - at : STEP, kept = 0, lost = 0;
		rc = v->rows.fetch(v->rows.ctx, ids + at, now, rows, found, err);
		for (size_t i = 0; !rc && i < now; i++) {
			if (!found[i]) {
				gone[lost++] = ids[at + i];
				continue;
			}
			if (kept != i)
				memcpy(rows + kept * dim, rows + i * dim, dim * sizeof(float));
			here[kept++] = ids[at + i];
		}
		if (!rc && lost)
			rc = ims_search_remove(vs->index, gone, lost, err);
		if (!rc && kept)
			rc = ims_search_add(vs->index, here, rows, kept, err);
	}
	if (!rc)
		vs->change = last;
	ims_free(rows);
	ims_free(ids);
	return rc;
}

int ims_view_searcher(imgsearch *s, view *v, const char *name, job *j, search_index **out,
	imgsearch_error *err)
{
	const searcher_ops *const *all = ims_search_all();
	int which = 0, rc = 0;
	*out = NULL;
	while (all[which] && strcmp(all[which]->name, name))
		which++;
	if (!all[which] || which >= VIEW_SEARCHERS)
		return ims_fail(err, IMGSEARCH_EINVAL, "there is no searcher named %s", name);
	imgsearch_error note = { 0 };
	store_hold hold;
	lock(s, &v->lock, &hold);
	view_searcher *vs = &v->searcher[which];
	if (!vs->tried)
		rc = load(s, v, all[which], vs, &note, err);
	if (!rc && vs->index)
		rc = apply_changes(s, v, vs, err);
	*out = rc ? NULL : vs->index;
	unlock(s, &v->lock, &hold);
	if (note.code) /* outside the lock, since a callback runs */
		ims_job_log(j, note.code, "%s", note.message);
	return rc;
}

/*
 * What queries read. ims_view_get compares the file's data version with the one it last saw, and the epoch that every
 * change of the space or of a searcher's state raises (ims_view_renew), whoever made it; then a new view is made. Row
 * changes are cheaper: a loaded searcher takes them up from the store's change log (catch_up), so that the next query
 * sees them without loading anything.
 */
#include "handle/cohort.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void ims_space_apply(const space *sp, const float *in, float *out)
{
	double sum = 0;
	for (uint32_t i = 0; i < sp->dim; i++) {
		out[i] = sp->centre ? in[i] - sp->centre[i] : in[i];
		sum += (double)out[i] * out[i];
	}
	if (sp->metric != IMGSEARCH_COSINE)
		return;
	float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
	for (uint32_t i = 0; i < sp->dim; i++)
		out[i] *= scale;
}

/* ---------------------------------------------------------------------------------------- rows in a space ---- */

enum { BLOCK = 256 };

typedef struct scan_state {
	const space *space;
	int (*each)(void *user, const int64_t *ids, const float *rows, size_t n);
	void *user;
	float *block;
} scan_state;

static int scan_block(void *arg, const int64_t *ids, const float *rows, size_t n)
{
	scan_state *st = arg;
	size_t dim = st->space->dim;
	for (size_t done = 0; done < n; done += BLOCK) {
		size_t now = n - done < BLOCK ? n - done : BLOCK;
		for (size_t i = 0; i < now; i++)
			ims_space_apply(st->space, rows + (done + i) * dim, st->block + i * dim);
		int rc = st->each(st->user, ids + done, st->block, now);
		if (rc)
			return rc;
	}
	return 0;
}

static int rows_scan(void *ctx, int (*each)(void *user, const int64_t *ids, const float *rows, size_t n), void *user, imgsearch_error *err)
{
	const space_rows *r = ctx;
	scan_state st = { r->space, each, user, ims_alloc_aligned(BLOCK, r->space->dim * sizeof(float)) };
	if (!st.block)
		return ims_nomem(err);
	int rc = ims_store_vectors_scan(r->store, false, r->space->dim, scan_block, &st, err);
	ims_free(st.block);
	return rc;
}

static int rows_fetch(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found, imgsearch_error *err)
{
	const space_rows *r = ctx;
	int rc = ims_store_vectors_fetch(r->store, ids, n, r->space->dim, out, found, err);
	for (size_t i = 0; !rc && i < n; i++)
		if (found[i])
			ims_space_apply(r->space, out + i * r->space->dim, out + i * r->space->dim);
	return rc;
}

/* -------------------------------------------------------------------------------------------------- views ---- */

static int get_u32(store *st, const char *name, uint32_t *out, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = ims_store_get(st, name, &b, err);
	reader r = { .data = b.data, .len = b.len };
	*out = b.len ? ims_read_u32(&r) : 0;
	ims_buf_free(&b);
	return rc;
}

static int get_centre(store *st, view *v, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = ims_store_get(st, "centre", &b, err);
	if (!rc && b.len && b.len == v->space.dim * sizeof(float)) {
		reader r = { .data = b.data, .len = b.len };
		v->centre = ims_alloc(v->space.dim, sizeof(float));
		if (!v->centre)
			rc = ims_nomem(err);
		for (uint32_t i = 0; !rc && i < v->space.dim; i++)
			v->centre[i] = ims_read_f32(&r);
		v->centre_sum = ims_checksum(b.data, b.len, 0);
		v->space.centre = v->centre;
	}
	ims_buf_free(&b);
	return rc;
}

static int get_chosen(store *st, view *v, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = ims_store_get(st, "searcher", &b, err);
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
	ims_chance_free(v->cohort);
	ims_free(v->centre);
	ims_free(v);
}

static row_source source(space_rows *ctx, uint64_t n)
{
	return (row_source){ .ctx = ctx, .n = (size_t)n, .dim = ctx->space->dim, .metric = ctx->space->metric,
		.scan = rows_scan, .fetch = rows_fetch };
}

static int make_view(imgsearch *s, int64_t version, uint32_t epoch, view **out, imgsearch_error *err)
{
	uint32_t metric = 0, dim = 0;
	uint64_t by_state[8], vectors = 0, next;
	int64_t max_id;
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
		rc = get_centre(s->store, v, err);
	if (!rc)
		rc = get_chosen(s->store, v, err);
	if (!rc)
		rc = ims_chance_load(s, v, err);
	if (!rc)
		rc = ims_store_counts(s->store, by_state, &vectors, &next, &max_id, err);
	if (rc) {
		free_view(v);
		return rc;
	}
	v->rows_ctx = (space_rows){ s->store, &v->space };
	v->plain_ctx = (space_rows){ s->store, &v->plain };
	v->rows = source(&v->rows_ctx, vectors);
	v->plain_rows = source(&v->plain_ctx, vectors);
	*out = v;
	return 0;
}

int ims_view_counted(imgsearch *s, view **out, imgsearch_error *err)
{
	uint64_t by_state[8], vectors, next;
	int64_t max_id;
	int rc = ims_store_counts(s->store, by_state, &vectors, &next, &max_id, err);
	pthread_mutex_lock(&s->lock);
	if (!rc && s->view && s->view->rows.n != vectors) {
		ims_view_release(s->view);
		s->view = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	return rc ? rc : ims_view_get(s, out, err);
}

int ims_view_get(imgsearch *s, view **out, imgsearch_error *err)
{
	int64_t version;
	uint32_t epoch;
	*out = NULL;
	int rc = ims_store_data_version(s->store, &version, err);
	if (rc)
		return rc;
	pthread_mutex_lock(&s->lock);
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
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void ims_view_release(view *v)
{
	if (v && atomic_fetch_sub(&v->references, 1) == 1)
		free_view(v);
}

int ims_view_renew(imgsearch *s, imgsearch_error *err)
{
	uint32_t epoch;
	buf b = { 0 };
	int rc = get_u32(s->store, "epoch", &epoch, err);
	ims_buf_u32(&b, epoch + 1);
	if (!rc)
		rc = b.failed ? ims_nomem(err) : ims_store_set(s->store, "epoch", b.data, b.len, err);
	ims_buf_free(&b);
	return rc;
}

/* --------------------------------------------------------------------------------------- their searchers ---- */

char *ims_view_params(const view *v)
{
	return ims_format("centre=%016llx", (unsigned long long)v->centre_sum);
}

static int get_chunk(void *arg, uint32_t number, buf *out, imgsearch_error *err)
{
	const view_searcher *c = arg;
	return ims_store_searcher_read(c->store, c->state, number, out, err);
}

static bool usable(const view *v, const store_searcher *found, const searcher_ops *ops)
{
	char *params = ims_view_params(v);
	bool same = params && found->params && !strcmp(params, found->params) && found->version == ops->version;
	ims_free(params);
	return same;
}

/* Stale or damaged state is no error of a query: the scan answers, and `note` gets what the log should say. */
static int load(imgsearch *s, view *v, const searcher_ops *ops, view_searcher *vs, imgsearch_error *note, imgsearch_error *err)
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
			ims_fail(note, IMGSEARCH_LOG_INFO, "searcher %s is stale and not used; run build", ops->name);
			continue;
		}
		vs->store = s->store;
		vs->state = all[i].state;
		vs->change = all[i].change;
		vs->chunks = (chunk_source){ vs, all[i].chunks, get_chunk };
		imgsearch_error why;
		rc = ims_search_load(&vs->index, ops->name, &v->rows, &vs->chunks, &why);
		if (rc == IMGSEARCH_EFORMAT || rc == IMGSEARCH_EVERSION) {
			ims_fail(note, IMGSEARCH_LOG_WARNING, "searcher %s is damaged and not used; run build (%.300s)", ops->name, why.message);
			rc = 0;
		} else if (rc && err) {
			*err = why;
		}
	}
	ims_store_searchers_free(all, n);
	vs->tried = !rc;
	return rc;
}

/* Takes up what was added, replaced and removed since. */
static int catch_up(imgsearch *s, view *v, view_searcher *vs, imgsearch_error *err)
{
	enum { STEP = 256 };
	int64_t last, *ids = NULL, gone[STEP], here[STEP];
	uint8_t found[STEP];
	size_t n = 0, dim = v->space.dim;
	int rc = ims_store_change_last(s->store, &last, err);
	if (rc || last <= vs->change)
		return rc;
	rc = ims_store_changes(s->store, vs->change, &ids, &n, err);
	if (rc == IMGSEARCH_ENOTFOUND) /* built anew since: this view answers as of its time, the next one knows */
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

int ims_view_searcher(imgsearch *s, view *v, const char *name, search_index **out, imgsearch_error *err)
{
	const searcher_ops *const *all = ims_search_all();
	int which = 0, rc = 0;
	*out = NULL;
	while (all[which] && strcmp(all[which]->name, name))
		which++;
	if (!all[which] || which >= VIEW_SEARCHERS)
		return ims_fail(err, IMGSEARCH_EINVAL, "there is no searcher named %s", name);
	imgsearch_error note = { 0 };
	pthread_mutex_lock(&v->lock);
	view_searcher *vs = &v->searcher[which];
	if (!vs->tried)
		rc = load(s, v, all[which], vs, &note, err);
	if (!rc && vs->index)
		rc = catch_up(s, v, vs, err);
	*out = rc ? NULL : vs->index;
	pthread_mutex_unlock(&v->lock);
	job j = ims_engine_job(s);
	if (note.code) /* callbacks run under no lock */
		ims_job_log(&j, note.code, "%s", note.message);
	return rc;
}

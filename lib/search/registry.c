/*
 * The list of searchers, and what is the same for all of them: the wrappers that
 * handle/view_searcher.c and build/build.c call.
 *
 * A search_index is a built searcher and what changed since. A searcher with its own add and remove
 * is handed the changes; for any other the wrapper keeps added rows in a tail that every query
 * scans exactly, and masks removed (and replaced) ids by a filter. Queries hold the lock for
 * reading, a change holds it for writing, for as long as it takes to put a few rows into memory. So
 * a filter callback must not change the index that it is asked about.
 */
#include "search/internal.h"
#include "search/kept.h"

#include "base/ids.h"

static const searcher_ops *const searchers[] = {
	&ims_search_exact,
	&ims_search_graph,
	&ims_search_kdtree,
	&ims_search_pca,
	&ims_search_pgvector,
	NULL,
};

const searcher_ops *const *ims_search_all(void)
{
	return searchers;
}

const searcher_ops *ims_search_find(const char *name)
{
	for (size_t i = 0; searchers[i]; i++)
		if (!strcmp(searchers[i]->name, name))
			return searchers[i];
	return NULL;
}

typedef struct tail_row {
	int64_t id;  /* first, for ims_id_place */
	size_t slot; /* in tail.rows */
} tail_row;

struct search_index {
	searcher *s;
	pthread_rwlock_t lock;
	size_t built, changed;
	/* for searchers without add and remove */
	int64_t *gone; /* sorted ids whose built row counts no more */
	size_t n_gone, cap_gone;
	tail_row *tail; /* sorted by id */
	float *rows;
	size_t n_tail, cap_tail;
};

static int wrap(search_index **out, searcher *s, imgsearch_error *err)
{
	pthread_rwlockattr_t attr;
	search_index *x = ims_zalloc(1, sizeof *x);
	if (!x) {
		s->ops->free(s);
		return ims_nomem(err);
	}
	x->s = s;
	x->built = s->rows->n;
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&x->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	*out = x;
	return 0;
}

bool ims_search_takes(const char *name, const row_source *rows)
{
	const searcher_ops *ops = ims_search_find(name);
	return !ops || !ops->needs_near || rows->near;
}

static int known(const searcher_ops **ops, const char *name, const row_source *rows,
	imgsearch_error *err)
{
	*ops = ims_search_find(name);
	if (!*ops)
		return ims_fail(err, IMGSEARCH_EINVAL, "no searcher is called \"%s\"", name);
	if (!ims_search_takes(name, rows))
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED, "the searcher %s needs an index in PostgreSQL",
			name);
	if (!rows->dim || rows->dim > IMGSEARCH_DIM_MAX)
		return ims_fail(err, IMGSEARCH_EINVAL, "rows of %u numbers cannot be searched", rows->dim);
	return 0;
}

/* Of rows on another machine, which are read once. */
static int build_here(searcher **out, const searcher_ops *ops, const row_source *rows,
	const search_params *p, job *job, imgsearch_error *err)
{
	kept_rows kept;
	int rc = ims_kept_read(&kept, rows, job, err);
	if (!rc)
		rc = ops->build(out, &kept.source, p, job, err);
	if (!rc)
		(*out)->rows = rows;
	ims_kept_free(&kept);
	return rc;
}

int ims_search_build(search_index **out, const char *name, const row_source *rows,
	const search_params *p, job *job, imgsearch_error *err)
{
	static const search_params none;
	const searcher_ops *ops;
	searcher *s = NULL;
	bool far = rows->far && ims_search_follows(name, rows);
	*out = NULL;
	int rc = known(&ops, name, rows, err);
	if (!rc)
		rc = far ? build_here(&s, ops, rows, p ? p : &none, job, err)
				 : ops->build(&s, rows, p ? p : &none, job, err);
	return rc ? rc : wrap(out, s, err);
}

int ims_search_load(search_index **out, const char *name, const row_source *rows,
	const chunk_source *source, imgsearch_error *err)
{
	const searcher_ops *ops;
	searcher *s = NULL;
	*out = NULL;
	int rc = known(&ops, name, rows, err);
	if (!rc)
		rc = ops->load(&s, rows, source, err);
	return rc ? rc : wrap(out, s, err);
}

int ims_search_save(search_index *x, const chunk_sink *sink, imgsearch_error *err)
{
	pthread_rwlock_rdlock(&x->lock);
	int rc = x->s->ops->save(x->s, sink, err);
	pthread_rwlock_unlock(&x->lock);
	return rc;
}

void ims_search_free(search_index *x)
{
	if (!x)
		return;
	x->s->ops->free(x->s);
	pthread_rwlock_destroy(&x->lock);
	ims_free(x->gone);
	ims_free(x->tail);
	ims_free(x->rows);
	ims_free(x);
}

const char *ims_search_name(const search_index *x)
{
	return x->s->ops->name;
}

void ims_search_describe(const search_index *x, char *out, size_t size)
{
	*out = 0;
	if (x->s->ops->describe)
		x->s->ops->describe(x->s, out, size);
}

uint64_t ims_search_memory(const search_index *x)
{
	search_index *locked = (search_index *)x;
	pthread_rwlock_rdlock(&locked->lock);
	uint64_t bytes = x->s->ops->memory(x->s) + sizeof *x + x->cap_gone * sizeof *x->gone
		+ x->cap_tail * (sizeof *x->tail + x->s->rows->dim * sizeof(float));
	pthread_rwlock_unlock(&locked->lock);
	return bytes;
}

void ims_search_set_built(search_index *x, uint64_t rows)
{
	x->built = (size_t)rows;
}

double ims_search_drift(const search_index *x)
{
	search_index *locked = (search_index *)x;
	pthread_rwlock_rdlock(&locked->lock);
	double drift = (double)x->changed / (double)(x->built ? x->built : 1);
	pthread_rwlock_unlock(&locked->lock);
	return drift;
}

int ims_search_reduce(search_index *x, const float *rows, size_t n, float *out, size_t m,
	imgsearch_error *err)
{
	const searcher *s = x->s;
	if (!s->ops->reduce)
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"the searcher \"%s\" has no projection: build \"pca\"", s->ops->name);
	if (!ims_all_finite(rows, n * s->rows->dim))
		return ims_fail(err, IMGSEARCH_EINVAL, "a row has a value that is no finite number");
	return s->ops->reduce(s, rows, n, out, m, err);
}

/* --------------------------------------------------------------------------------- queries ---- */

typedef struct masked_filter {
	const search_index *x;
	const search_request *q;
} masked_filter;

static int not_gone(void *user, int64_t id)
{
	const masked_filter *m = user;
	return !ims_id_find(m->x->gone, m->x->n_gone, id, NULL)
		&& (!m->q->filter || m->q->filter(m->q->filter_user, id));
}

static void scan_tail(const search_index *x, const search_request *q, topk *out,
	search_report *report)
{
	size_t dim = x->s->rows->dim;
	for (size_t r = 0; r < x->n_tail; r++) {
		if (!ims_search_passes(q, x->tail[r].id))
			continue;
		for (size_t i = 0; i < q->n; i++) {
			const float *query = q->queries + i * dim, *row = x->rows + x->tail[r].slot * dim;
			float d = ims_search_distance(x->s->rows->metric, query, row, (uint32_t)dim);
			if (d <= q->max_distance)
				ims_topk_push(&out[i], d, x->tail[r].id);
		}
		report->rows_checked++;
	}
}

/* A subset so small that reading its rows is the best plan for any searcher. */
static bool small(const search_index *x, const search_request *q)
{
	return q->subset && q->filter_count <= 64 + x->s->rows->n / 256;
}

int ims_search_query(search_index *x, const search_request *q, topk *out, search_report *report,
	imgsearch_error *err)
{
	search_report unwanted;
	search_request inner = *q;
	masked_filter m = { x, q };
	if (!report)
		report = &unwanted;
	*report = (search_report){ true, "nothing asked", 0 };
	int rc = ims_search_check(x->s->rows, q, out, err);
	if (rc || !q->n || !q->k)
		return rc;
	pthread_rwlock_rdlock(&x->lock);
	if (small(x, q)) {
		rc = ims_search_scan_into(x->s->rows, q, out, report, err);
	} else {
		if (x->n_gone) {
			inner.filter = not_gone;
			inner.filter_user = &m;
		}
		rc = x->s->ops->query(x->s, &inner, out, report, err);
		if (!rc)
			scan_tail(x, q, out, report);
	}
	pthread_rwlock_unlock(&x->lock);
	for (size_t i = 0; !rc && i < q->n; i++)
		ims_topk_sort(&out[i]);
	return rc;
}

/* --------------------------------------------------------------------------------- changes ---- */

bool ims_search_follows(const char *name, const row_source *rows)
{
	return !rows->near || (strcmp(name, "exact") && strcmp(name, "pgvector"));
}

enum { CHANGES = 8 /* at once: queries wait for no more than these */ };

static int mask(search_index *x, int64_t id, imgsearch_error *err)
{
	size_t at;
	if (ims_id_find(x->gone, x->n_gone, id, &at))
		return 0;
	if (x->n_gone == x->cap_gone) {
		size_t cap = x->cap_gone ? x->cap_gone * 2 : 64;
		int64_t *gone = ims_realloc(x->gone, cap, sizeof *gone);
		if (!gone)
			return ims_nomem(err);
		x->gone = gone;
		x->cap_gone = cap;
	}
	memmove(x->gone + at + 1, x->gone + at, (x->n_gone - at) * sizeof *x->gone);
	x->gone[at] = id;
	x->n_gone++;
	return 0;
}

static bool tail_find(const search_index *x, int64_t id, size_t *at)
{
	*at = ims_id_place(x->tail, x->n_tail, sizeof *x->tail, id);
	return *at < x->n_tail && x->tail[*at].id == id;
}

static int tail_grow(search_index *x, imgsearch_error *err)
{
	size_t cap = x->cap_tail ? x->cap_tail + x->cap_tail / 2 : 64;
	if (x->n_tail < x->cap_tail)
		return 0;
	tail_row *tail = ims_realloc(x->tail, cap, sizeof *tail);
	if (!tail)
		return ims_nomem(err);
	x->tail = tail;
	float *rows = ims_realloc(x->rows, cap, x->s->rows->dim * sizeof(float));
	if (!rows)
		return ims_nomem(err);
	x->rows = rows;
	x->cap_tail = cap;
	return 0;
}

static int tail_put(search_index *x, int64_t id, const float *row, imgsearch_error *err)
{
	size_t at, dim = x->s->rows->dim;
	int rc = mask(x, id, err);
	if (!rc)
		rc = tail_grow(x, err);
	if (rc)
		return rc;
	if (!tail_find(x, id, &at)) {
		memmove(x->tail + at + 1, x->tail + at, (x->n_tail - at) * sizeof *x->tail);
		x->tail[at] = (tail_row){ id, x->n_tail++ };
	}
	memcpy(x->rows + x->tail[at].slot * dim, row, dim * sizeof(float));
	return 0;
}

static int tail_drop(search_index *x, int64_t id, imgsearch_error *err)
{
	size_t at, dim = x->s->rows->dim;
	int rc = mask(x, id, err);
	if (rc || !tail_find(x, id, &at))
		return rc;
	size_t slot = x->tail[at].slot, last = x->n_tail - 1;
	memmove(x->tail + at, x->tail + at + 1, (last - at) * sizeof *x->tail);
	x->n_tail = last;
	for (size_t i = 0; slot != last && i < last; i++)
		if (x->tail[i].slot == last) {
			memcpy(x->rows + slot * dim, x->rows + last * dim, dim * sizeof(float));
			x->tail[i].slot = slot;
			break;
		}
	return 0;
}

int ims_search_add(search_index *x, const int64_t *ids, const float *rows, size_t n,
	imgsearch_error *err)
{
	searcher *s = x->s;
	size_t dim = s->rows->dim;
	int rc = 0;
	for (size_t i = 0; i < n; i++)
		if (!ims_all_finite(rows + i * dim, dim))
			return ims_fail(err, IMGSEARCH_EINVAL, "row %lld has a value that is no finite number",
				(long long)ids[i]);
	for (size_t i = 0, some; !rc && i < n; i += some) {
		some = n - i < CHANGES ? n - i : CHANGES;
		pthread_rwlock_wrlock(&x->lock);
		if (s->ops->add)
			rc = s->ops->add(s, ids + i, rows + i * dim, some, NULL, err);
		else
			for (size_t j = i; !rc && j < i + some; j++)
				rc = tail_put(x, ids[j], rows + j * dim, err);
		x->changed += some;
		pthread_rwlock_unlock(&x->lock);
	}
	return rc;
}

int ims_search_remove(search_index *x, const int64_t *ids, size_t n, imgsearch_error *err)
{
	searcher *s = x->s;
	int rc = 0;
	for (size_t i = 0, some; !rc && i < n; i += some) {
		some = n - i < CHANGES ? n - i : CHANGES;
		pthread_rwlock_wrlock(&x->lock);
		if (s->ops->remove)
			rc = s->ops->remove(s, ids + i, some, err);
		else
			for (size_t j = i; !rc && j < i + some; j++)
				rc = tail_drop(x, ids[j], err);
		x->changed += some;
		pthread_rwlock_unlock(&x->lock);
	}
	return rc;
}

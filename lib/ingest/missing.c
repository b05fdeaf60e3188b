/* Compares the rows of a start with the paths that its walk found. */
#include "ingest/missing.h"

#include "base/path.h"
#include "store/record.h"

#include <string.h>

typedef struct missing_paths {
	index_run *run;
	int64_t *id;
	size_t n, cap;
	uint64_t offline;     /* kept: a folder on their way is offline */
	size_t pictures, all; /* of the n, and of all that are known: those that no rule excludes */
	uint64_t by_state[STORE_STATES], met; /* the others, as the index has them now */
} missing_paths;

static bool below_unreadable(const walk_state *w, const char *path)
{
	for (size_t i = 0; i < w->n_unreadable; i++) {
		const char *rest = ims_path_below(path, w->unreadable[i]);
		if (rest && *rest)
			return true;
	}
	return false;
}

/* Whether a folder above the path is left out now. ENOMEM. */
static int below_excluded(const walk_state *w, const store_picture *p, bool *below)
{
	char *path = ims_strdup(p->path);
	*below = false;
	if (!path)
		return IMGSEARCH_ENOMEM;
	for (char *slash = strrchr(path, '/'); w->excluded.n && slash; slash = strrchr(path, '/')) {
		*slash = 0;
		*below |= ims_path_table_find(&w->excluded, ims_path_key(p->root, path)) != NULL;
	}
	ims_free(path);
	return 0;
}

/*
 * Whether a folder between the root and the file is offline; the root itself is there. With prune
 * no folder counts as offline.
 */
static bool is_offline(missing_paths *g, const store_picture *p, const char *root_path)
{
	char *full = g->run->options->prune || !p->root ? NULL : ims_path_join(root_path, p->path);
	bool offline = full && ims_offline_has(&g->run->offline, full, strlen(root_path));
	g->offline += offline;
	ims_free(full);
	return offline;
}

static int collect(void *user, const store_picture *p, const char *root_path)
{
	missing_paths *g = user;
	const index_start *start = g->run->walk.start;
	if (p->root != start->root || (*start->prefix && !ims_path_below(p->path, start->prefix)))
		return 0;
	const path_entry *k = ims_path_table_find(&g->run->paths, ims_path_key(p->root, p->path));
	/* keeps its bytes out, also without a file */
	bool deleted = p->state == IMGSEARCH_STATE_DELETED;
	bool picture = p->state != IMGSEARCH_STATE_EXCLUDED && !deleted;
	bool excluded = false; /* it is not lost: it is to go */
	if (k && !k->seen && below_excluded(&g->run->walk, p, &excluded))
		return ims_nomem(g->run->err);
	picture = picture && !excluded;
	g->all += picture;
	if (!k || k->seen) {
		g->by_state[p->state]++;
		g->met++;
	}
	if (!k || k->seen || deleted || below_unreadable(&g->run->walk, p->path))
		return 0;
	if (!excluded && is_offline(g, p, root_path))
		return 0;
	int64_t *grown = ims_grow(g->id, g->n, &g->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(g->run->err);
	g->id = grown;
	g->id[g->n++] = p->id;
	ims_contents_lose(&g->run->pipeline.contents, ims_content_key(&p->hash), p->id);
	g->pictures += picture;
	return 0;
}

int ims_missing_count(index_run *r, uint64_t *n)
{
	missing_paths g = { .run = r };
	int rc = ims_store_each_picture(r->s->store, 0, collect, &g, r->err);
	*n = g.n + g.offline;
	ims_free(g.id);
	return rc;
}

/*
 * The state of a path may change after it was counted. Example: two files exchange their names.
 * Then the twin of a duplicate receives other bytes later in the run, and the duplicate becomes the
 * indexed picture.
 */
static void correct_counts(imgsearch_counts *c, const missing_paths *g,
	const imgsearch_counts *before)
{
	enum { N = 3 };
	uint64_t *const now[N] = { &c->indexed, &c->duplicate, &c->link };
	uint64_t sum = 0;
	const uint64_t was[N] = { before->indexed, before->duplicate, before->link };
	const uint64_t is[N] = { g->by_state[IMGSEARCH_STATE_INDEXED],
		g->by_state[IMGSEARCH_STATE_DUPLICATE], g->by_state[IMGSEARCH_STATE_LINK] };
	for (int i = 0; i < N; i++)
		sum += *now[i] - was[i] - is[i];
	if (g->met != c->seen - before->seen || sum)
		return; /* a path was found twice */
	for (int i = 0; i < N; i++)
		*now[i] = was[i] + is[i];
}

/* Drops those that another program removed, or moved, since they were collected. */
static int keep_missing(index_run *r, missing_paths *g)
{
	size_t kept = 0;
	store_picture *p = ims_alloc(g->n, sizeof *p);
	int rc = p ? ims_store_get(r->s->store, g->id, g->n, p, r->err) : ims_nomem(r->err);
	for (size_t i = 0; !rc && i < g->n; i++) {
		const path_entry *k = p[i].path
			? ims_path_table_find(&r->paths, ims_path_key(p[i].root, p[i].path))
			: NULL;
		if (k && !k->seen)
			g->id[kept++] = g->id[i];
	}
	if (p && !rc)
		ims_store_pictures_clear(p, g->n);
	ims_free(p);
	g->n = rc ? g->n : kept;
	return rc;
}

static int remove_all(index_run *r, missing_paths *g)
{
	int rc = ims_store_tx_begin(r->s->store, r->err);
	if (rc)
		return rc;
	if (ims_store_is_shared(r->s->store))
		rc = keep_missing(r, g);
	if (!rc)
		rc = ims_store_remove(r->s->store, g->id, g->n, r->err);
	r->counts->removed += g->n;
	return ims_handle_tx_end(r->s, rc, r->err);
}

/* What is kept, since links lead to nothing now, or a part of the root is not there. */
static void tell_offline(index_run *r, uint64_t n)
{
	n += r->walk.offline;
	r->counts->offline += n;
	if (n)
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
			"%s: folders in it or behind links are absent or empty; offline, files are kept (%llu)",
			r->walk.start->root_path, (unsigned long long)n);
}

int ims_missing_remove(index_run *r, const imgsearch_counts *before)
{
	missing_paths g = { .run = r };
	int rc = ims_store_each_picture(r->s->store, 0, collect, &g, r->err);
	if (!rc)
		tell_offline(r, g.offline);
	if (!rc && before)
		correct_counts(&r->counts->paths, &g, before);
	bool too_many = g.pictures > 1 && (double)g.pictures > 0.3 * (double)g.all
		&& !r->options->prune;
	if (!rc && too_many)
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
			"%s: missing: %zu of %zu files; kept in the index (the option prune removes them)",
			r->walk.start->root_path, g.pictures, g.all);
	else if (!rc && g.n)
		rc = remove_all(r, &g);
	ims_free(g.id);
	return rc;
}

/*
 * imgsearch_index_tree: the walks that plan.c chose, by which model, and what happens to the pictures that a walk did not
 * meet any more.
 */
#include "ingest/index.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* ---------------------------------------------------------------------------------------------- the model ---- */

static int first_model(index_run *r)
{
	uint64_t by_state[8], vectors, next;
	int64_t max_id;
	int rc = ims_store_counts(r->s->store, by_state, &vectors, &next, &max_id, r->err);
	if (!rc && vectors)
		rc = ims_fail(r->err, IMGSEARCH_EMODEL, "%s: holds vectors of the caller's own; index pictures into another file",
			ims_store_path(r->s->store));
	if (!rc)
		rc = ims_engine_identify(r->s, NULL, &r->identity, r->err);
	if (!rc)
		rc = ims_run_transaction(r);
	if (!rc)
		rc = ims_engine_set_dim(r->s, r->identity.dim, r->err);
	return rc ? rc : ims_engine_model_keep(r->s, &r->identity, false, r->err);
}

/*
 * The model of this run: the index's own; the one of a re-index under way; or a new wish, which begins a re-index, or
 * gives it up where the index's own model is wished for again.
 */
static int choose_model(index_run *r)
{
	model_identity current, next;
	char why[200];
	imgsearch_error none;
	int rc = ims_engine_identity_stored(r->s, false, &current, r->err);
	if (rc == IMGSEARCH_ENOTFOUND)
		return first_model(r);
	bool asked = ims_engine_model_asked(r->s), pending = !rc && !ims_engine_identity_stored(r->s, true, &next, &none);
	if (!pending)
		next = (model_identity){ 0 };
	if (!rc)
		rc = ims_engine_identify(r->s, pending && !asked ? &next : &current, &r->identity, r->err);
	if (!rc && !ims_model_same(&current, &r->identity, why, sizeof why)) {
		r->next = r->context.next = true;
		if (!pending && !asked)
			rc = ims_fail(r->err, IMGSEARCH_EMODEL, "%s: made by another model (%s); give --model to index all pictures anew",
				ims_store_path(r->s->store), why);
		else if (!pending || !ims_model_same(&next, &r->identity, why, sizeof why))
			rc = ims_engine_model_keep(r->s, &r->identity, true, r->err);
	} else if (!rc && pending) {
		rc = ims_store_model_drop_next(r->s->store, r->err);
	}
	ims_model_identity_free(&current);
	ims_model_identity_free(&next);
	return rc;
}

/* The new model answers from the moment on when every picture has its vector. */
static int switch_model(index_run *r)
{
	uint64_t by_state[8], vectors, next;
	int64_t max_id;
	int rc = ims_store_counts(r->s->store, by_state, &vectors, &next, &max_id, r->err);
	if (rc || (next < vectors && !r->options.prune)) {
		if (!rc)
			ims_job_log(&r->job, IMGSEARCH_LOG_WARNING, "vectors not made by the new model yet: %llu; the old one answers until then "
				"(--prune drops them)", (unsigned long long)(vectors - next));
		return rc;
	}
	rc = ims_run_transaction(r);
	if (!rc)
		rc = ims_store_model_switch(r->s->store, r->err);
	if (!rc)
		rc = ims_store_set(r->s->store, "centre", NULL, 0, r->err);
	return rc ? rc : ims_engine_set_dim(r->s, r->identity.dim, r->err);
}

/* --------------------------------------------------------------------------------------------- known, gone ---- */

static int load_known(void *user, const store_picture *p, const char *root_path)
{
	(void)root_path;
	index_run *r = user;
	known k = { .key = ims_path_key(p->root, p->path), .id = p->id, .size = p->size, .mtime_ns = p->mtime_ns, .state = p->state };
	return ims_known_add(&r->known, &k) ? ims_nomem(r->err) : 0;
}

typedef struct gone {
	index_run *run;
	const index_start *start;
	int64_t *id;
	size_t n, cap;
	size_t pictures, all; /* of the n, and of all that are known: those that no rule excludes */
	uint64_t by_state[8], met; /* the others: what the walk met, as it is now */
} gone;

static bool protected_path(const index_run *r, const char *path)
{
	for (size_t i = 0; i < r->n_unreadable; i++) {
		const char *rest = ims_path_below(path, r->unreadable[i]);
		if (rest && *rest)
			return true;
	}
	return false;
}

static int collect_gone(void *user, const store_picture *p, const char *root_path)
{
	(void)root_path;
	gone *g = user;
	if (p->root != g->start->root || (*g->start->prefix && !ims_path_below(p->path, g->start->prefix)))
		return 0;
	const known *k = ims_known_find(&g->run->known, ims_path_key(p->root, p->path));
	bool picture = p->state != IMGSEARCH_EXCLUDED;
	g->all += picture;
	if (!k || k->seen) {
		g->by_state[p->state]++;
		g->met++;
	}
	if (!k || k->seen || protected_path(g->run, p->path))
		return 0;
	int64_t *grown = ims_grow(g->id, g->n, &g->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(g->run->err);
	g->id = grown;
	g->id[g->n++] = p->id;
	g->pictures += picture;
	return 0;
}

/*
 * What was counted when a path was met may have changed since: where names are exchanged, a duplicate's twin gets other
 * bytes later in the run, and the duplicate is the picture then.
 */
static void count_again(index_run *r, const gone *g, const imgsearch_counts *before)
{
	imgsearch_counts *c = &r->counts;
	uint64_t *const now[] = { &c->indexed, &c->duplicate };
	const uint64_t was[] = { before->indexed, before->duplicate }, is[] = { g->by_state[IMGSEARCH_INDEXED], g->by_state[IMGSEARCH_DUPLICATE] };
	if (g->met != c->seen - before->seen || is[0] + is[1] != *now[0] - was[0] + *now[1] - was[1])
		return; /* a path was met twice */
	for (int i = 0; i < 2; i++)
		*now[i] = was[i] + is[i];
}

/* Pictures of a start that the walk did not meet drop out, unless they are so many that a disk may be missing. */
static int remove_gone(index_run *r, const index_start *st, const imgsearch_counts *before)
{
	gone g = { .run = r, .start = st };
	int rc = ims_store_each_picture(r->s->store, 0, collect_gone, &g, r->err);
	if (!rc && before)
		count_again(r, &g, before);
	bool too_many = g.pictures > 1 && (double)g.pictures > 0.3 * (double)g.all && !r->options.prune;
	if (!rc && too_many) {
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING, "%s: gone: %zu of %zu files; kept in the index (--prune drops them)",
			st->root_path, g.pictures, g.all);
	} else if (!rc && g.n) {
		rc = ims_run_transaction(r);
		for (size_t i = 0; !rc && i < g.n; i++)
			rc = ims_store_picture_remove(r->s->store, g.id[i], r->err);
		r->counts.removed += g.n;
	}
	ims_free(g.id);
	return rc;
}

/* ------------------------------------------------------------------------------------------------- one start ---- */

static int count_entry(void *user, const walk_entry *e)
{
	index_run *r = user;
	(void)e;
	r->expected++;
	return r->expected % 1024 ? 0 : ims_job_step(&r->job, "walk", r->expected, 0, r->err);
}

static int entry(void *user, const walk_entry *e)
{
	index_run *r = user;
	return r->failed = ims_run_entry(r, e);
}

static int offline(index_run *r, const index_start *st, const char *why)
{
	gone g = { .run = r, .start = st };
	int rc = ims_store_each_picture(r->s->store, 0, collect_gone, &g, r->err);
	r->counts.offline += g.n;
	ims_job_log(&r->job, IMGSEARCH_LOG_WARNING, "%s: %s; offline, its files are kept (%zu)", st->root_path, why, g.n);
	ims_free(g.id);
	return rc;
}

static int index_file(index_run *r, const index_start *st)
{
	struct stat sb;
	char *full = ims_path_join(st->root ? st->root_path : NULL, st->prefix);
	if (!full)
		return ims_nomem(r->err);
	int rc = 0;
	if (!lstat(full, &sb) && S_ISLNK(sb.st_mode) && r->options.follow_links)
		rc = stat(full, &sb);
	else
		rc = lstat(full, &sb);
	walk_entry e = { .path = st->prefix };
	if (!rc) {
		e.kind = S_ISREG(sb.st_mode) ? WALK_FILE : S_ISLNK(sb.st_mode) ? WALK_EXCLUDED : WALK_SPECIAL;
		e.reason = e.kind == WALK_EXCLUDED ? "symbolic link" : "not a regular file";
		e.size = (uint64_t)sb.st_size;
		e.mtime_ns = (int64_t)sb.st_mtim.tv_sec * 1000000000 + sb.st_mtim.tv_nsec;
		rc = ims_run_entry(r, &e);
	} else {
		*strrchr(full, '/') = 0; /* gone, unless the folder is gone with it */
		rc = lstat(*full ? full : "/", &sb) ? offline(r, st, "its folder is not there") : remove_gone(r, st, NULL);
	}
	ims_free(full);
	return rc;
}

/* An empty folder that had pictures is a mount point without its disk. */
static bool looks_unmounted(index_run *r, const index_start *st, uint64_t seen)
{
	gone g = { .run = r, .start = st };
	ims_store_each_picture(r->s->store, 0, collect_gone, &g, NULL);
	ims_free(g.id);
	return seen == r->counts.seen && g.n && !r->options.prune;
}

static int index_folder(index_run *r, const index_start *st, const walk_rules *rules)
{
	struct stat sb;
	imgsearch_error why;
	imgsearch_counts before = r->counts;
	if (stat(st->root_path, &sb) || !S_ISDIR(sb.st_mode))
		return offline(r, st, "not there");
	double start = ims_now(), busy = r->waited + r->counts.store_s;
	int rc = ims_walk(st->root_path, st->prefix, rules, entry, r, &why);
	if (rc == IMGSEARCH_EIO && !r->failed) /* the root itself cannot be read; the others can */
		return offline(r, st, "cannot be read");
	if (rc && !r->failed)
		*r->err = why;
	r->counts.walk_s += ims_now() - start - (r->waited + r->counts.store_s - busy);
	if (!rc) /* a moved file may be among the last */
		rc = ims_run_drain(r);
	if (!rc && !*st->prefix && looks_unmounted(r, st, before.seen))
		return offline(r, st, "empty");
	return rc ? rc : remove_gone(r, st, &before);
}

static int walk_start(index_run *r, const index_plan *p, const index_start *st)
{
	walk_rules rules = { .include = r->options.include, .n_include = r->options.n_include,
		.exclude = r->options.exclude, .n_exclude = r->options.n_exclude, .follow_links = r->options.follow_links,
		.own = ims_store_path(r->s->store), .roots = (const char *const *)p->root, .n_roots = p->n_roots };
	r->root = st->root;
	r->root_path = st->root_path;
	for (size_t i = 0; i < r->n_unreadable; i++)
		ims_free(r->unreadable[i]);
	r->n_unreadable = 0;
	return st->file ? index_file(r, st) : index_folder(r, st, &rules);
}

static int count_ahead(index_run *r, const index_plan *p)
{
	int rc = 0;
	walk_rules rules = { .follow_links = r->options.follow_links, .roots = (const char *const *)p->root, .n_roots = p->n_roots };
	for (size_t i = 0; r->job.events->progress && rc != IMGSEARCH_ECANCELED && i < p->n; i++)
		if (p->start[i].file)
			r->expected++;
		else
			rc = ims_walk(p->start[i].root_path, p->start[i].prefix, &rules, count_entry, r, NULL);
	return rc == IMGSEARCH_ECANCELED ? ims_fail(r->err, rc, "cancelled") : 0;
}

static int index_all(index_run *r, index_plan *p, const char *const *paths, size_t n)
{
	int rc = r->options.csv ? ims_csv_check(r->s, &r->options, r->err) : 0;
	if (!rc)
		rc = ims_run_transaction(r);
	if (!rc)
		rc = ims_plan_make(p, paths, n);
	if (!rc)
		rc = choose_model(r);
	if (rc)
		return rc;
	r->context.recipe = r->identity.recipe;
	rc = ims_store_each_picture(r->s->store, 0, load_known, r, r->err);
	if (!rc)
		rc = count_ahead(r, p);
	for (size_t i = 0; !rc && i < p->n; i++)
		rc = walk_start(r, p, &p->start[i]);
	if (!rc || rc == IMGSEARCH_ECANCELED) {
		int finished = ims_run_finish(r);
		rc = finished ? finished : rc;
	}
	if (!rc && r->next)
		rc = switch_model(r);
	if (!rc && r->options.csv) {
		rc = ims_run_transaction(r);
		if (!rc)
			rc = ims_csv_attach(r->s, &r->options, &r->job, r->err);
	}
	if (!rc)
		rc = ims_run_finish(r);
	return rc ? rc : ims_store_compact(r->s->store, r->err);
}

int imgsearch_index_tree(imgsearch *s, const char *const *paths, size_t n,
	const imgsearch_index_options *options, imgsearch_counts *counts, imgsearch_error *err)
{
	imgsearch_error local;
	index_plan p = { .s = s, .err = err ? err : &local };
	double start = ims_now();
	if (!s || (n && !paths))
		return ims_fail(err, IMGSEARCH_EINVAL, "index: no paths");
	index_run *r = ims_zalloc(1, sizeof *r);
	if (!r)
		return ims_nomem(err);
	int rc = ims_options_copy(&r->options, sizeof r->options, options, p.err);
	if (!rc)
		rc = ims_engine_write_begin(s, &r->job, p.err);
	if (!rc) {
		ims_run_init(r, s, p.err);
		rc = index_all(r, &p, paths, n);
		ims_run_free(r);
		ims_engine_write_end(s);
	}
	r->counts.seconds = ims_now() - start;
	if (counts)
		*counts = r->counts;
	ims_free(r);
	ims_plan_free(&p);
	return rc;
}

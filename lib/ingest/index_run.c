/* An index run on the caller's thread: set-up, walks, missing files, end of a re-index, CSV. */
#include "ingest/index_run.h"

#include "base/path.h"
#include "files/walk.h"
#include "handle/model_choice.h"
#include "handle/view.h"
#include "ingest/columns.h"
#include "ingest/missing.h"
#include "meta/meta.h"
#include "store/store.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --------------------------------------------------------------------------------- entries ---- */

static int report_progress(index_run *r, const char *path)
{
	run_counts *c = r->counts;
	imgsearch_progress p = {
		.stage = "index",
		.path = path,
		.done = c->paths.seen,
		.total = r->expected > c->paths.seen ? r->expected : c->paths.seen,
		.failed = c->paths.damaged + c->paths.too_big + c->paths.unreadable,
		.loss = NAN,
		.accuracy = NAN,
	};
	if (!r->expected)
		p.total = 0;
	return ims_job_progress(&r->job, &p, r->err);
}

/* `how` has what else is known of the item. */
static int submit(index_run *r, const walk_entry *e, int64_t id, const pipeline_item *how)
{
	const index_start *start = r->walk.start;
	pipeline_item item = *how;
	item.id = id;
	item.root = start->root;
	item.path = ims_strdup(e->path);
	item.full = ims_path_join(start->root ? start->root_path : NULL, e->path);
	item.size = e->size;
	item.mtime = e->mtime;
	item.ctime = e->ctime;
	return ims_pipeline_submit(&r->pipeline, &item);
}

static void count_unchanged(index_run *r, uint32_t state)
{
	r->counts->unchanged++;
	ims_counts_add(&r->counts->paths, state, 1);
}

static bool is_same_file(const path_entry *known, const walk_entry *e)
{
	return known->size == e->size && ims_timestamp_equal(known->mtime, e->mtime);
}

/* Whether the path was deleted on purpose, whatever lies there now. */
static bool is_deleted(const path_entry *known)
{
	return known && known->state == IMGSEARCH_STATE_DELETED;
}

static bool is_picture(const path_entry *known)
{
	return known
		&& (known->state == IMGSEARCH_STATE_INDEXED || known->state == IMGSEARCH_STATE_DUPLICATE
			|| known->state == IMGSEARCH_STATE_LINK);
}

/* Enough to notice that a path is left out for another reason now. */
static uint8_t reason_byte(const char *reason)
{
	return reason ? (uint8_t)ims_checksum(reason, strlen(reason), 0) : 0;
}

/* Records an entry that is no file. Its state needs no reading. */
static int record(index_run *r, const walk_entry *e, const path_entry *known, uint32_t state)
{
	if (is_deleted(known)
		|| (known && known->state == state && known->reason == reason_byte(e->reason)
			&& is_same_file(known, e))) {
		count_unchanged(r, known->state);
		return 0;
	}
	pending_row row = {
		.id = known ? known->id : 0,
		.root = r->walk.start->root,
		.path = ims_strdup(e->path),
		.mtime = e->mtime,
		.size = e->size,
		.state = state,
		.reason = ims_strdup(e->reason),
	};
	/* a picture that is left out now is one that goes */
	row.removes = state == IMGSEARCH_STATE_EXCLUDED && is_picture(known);
	if (row.path && row.reason)
		return ims_pipeline_record(&r->pipeline, &row);
	ims_free(row.path);
	ims_free(row.reason);
	return ims_nomem(r->err);
}

static int add_unreadable(index_run *r, const char *folder)
{
	walk_state *w = &r->walk;
	char **grown = ims_realloc(w->unreadable, w->n_unreadable + 1, sizeof *grown);
	if (!grown)
		return ims_nomem(r->err);
	w->unreadable = grown;
	grown[w->n_unreadable] = ims_strdup(folder);
	return grown[w->n_unreadable++] ? 0 : ims_nomem(r->err);
}

/* A folder that is left out. The user is told where the start is that folder or lies in it. */
static int add_excluded(index_run *r, const walk_entry *e)
{
	const index_start *start = r->walk.start;
	path_entry folder = { .key = ims_path_key(start->root, e->path), .id = 1 };
	if (ims_path_table_add(&r->walk.excluded, &folder))
		return ims_nomem(r->err);
	if (!ims_path_below(start->prefix, e->path))
		return 0;
	r->walk.told = true;
	ims_job_log(&r->job, IMGSEARCH_LOG_WARNING, "%s/%s: left out: %s", start->root_path, e->path,
		e->reason);
	return 0;
}

static bool is_fresh(const index_run *r, const path_entry *known, const walk_entry *e)
{
	if (is_deleted(known))
		return true;
	if (!known || !is_same_file(known, e))
		return false;
	if (known->state == IMGSEARCH_STATE_INDEXED || known->state == IMGSEARCH_STATE_DUPLICATE
		|| known->state == IMGSEARCH_STATE_LINK)
		return true;
	/* Another version of the decoding may read it, or what is there is wanted now. */
	bool damaged = known->state == IMGSEARCH_STATE_DAMAGED;
	if ((damaged || known->state == IMGSEARCH_STATE_UNSUPPORTED)
		&& !(known->pixels & IMAGE_DECODING_MASK))
		return false;
	if (damaged && r->options->partial)
		return false;
	if (known->pixels & IMAGE_NO_CODEC && known->state == IMGSEARCH_STATE_UNSUPPORTED)
		return false;
	return known->state != IMGSEARCH_STATE_UNREADABLE && known->state != IMGSEARCH_STATE_EXCLUDED
		&& !r->options->retry;
}

static bool knows_ctime(const path_entry *known)
{
	return known->ctime.nanoseconds >= 0;
}

/* Whether the change time of a file moved: by an edit that kept size and time, and by much else. */
static bool is_touched(const path_entry *known, const walk_entry *e)
{
	return knows_ctime(known) && !ims_timestamp_equal(known->ctime, e->ctime);
}

/* For tell_touched. */
static void count_touched(walk_state *w, const path_entry *known, const walk_entry *e)
{
	w->same += knows_ctime(known);
	w->touched += is_touched(known, e);
}

/* Compares the hash of the file; what has none is read as a new file is. */
static int compare(index_run *r, const walk_entry *e, const path_entry *known)
{
	store_picture p;
	int rc = ims_store_picture_get(r->s->store, known->id, &p, NULL, r->err);
	pipeline_item how = { .row_state = known->state };
	if (!rc && !r->identity.next)
		how.row_hash = p.hash;
	ims_store_picture_clear(&p);
	return rc ? rc : submit(r, e, known->id, &how);
}

/* Whether the decoding, or what it found on this machine, changed since the vector was made. */
static bool may_be_stale(const index_run *r, const path_entry *known)
{
	return known->state == IMGSEARCH_STATE_INDEXED && !r->identity.next
		&& (!(known->pixels & IMAGE_DECODING_MASK)
			|| (known->pixels & IMAGE_UNCONVERTED && ims_colour_available()));
}

/* The row is of a version that did not know change times, or was moved. */
static int add_ctime(index_run *r, const walk_entry *e, const path_entry *known)
{
	return ims_pipeline_record(&r->pipeline,
		&(pending_row){ .id = known->id,
			.state = known->state,
			.ctime = e->ctime,
			.ctime_only = true });
}

/*
 * Whether the facts of an unchanged picture are those of an older version, or its sidecars changed.
 * They are looked for where its folder has any, or it had one. ENOMEM.
 */
static int has_new_facts(index_run *r, const walk_entry *e, const path_entry *known, bool *has)
{
	const index_start *start = r->walk.start;
	uint64_t sidecars = 0;
	*has = known->state == IMGSEARCH_STATE_INDEXED && known->facts_version != META_VERSION;
	if (*has || known->state != IMGSEARCH_STATE_INDEXED || (!e->sidecars && !known->sidecars))
		return 0;
	char *full = ims_path_join(start->root ? start->root_path : NULL, e->path);
	if (!full)
		return ims_nomem(r->err);
	if (e->sidecars)
		sidecars = ims_sidecars_stamp(full);
	ims_free(full);
	*has = sidecars != known->sidecars;
	return 0;
}

static int file_entry(index_run *r, const walk_entry *e, const path_entry *known)
{
	if (!is_fresh(r, known, e))
		return submit(r, e, known ? known->id : 0,
			&(pipeline_item){
				.tried = known && is_same_file(known, e) ? known->state : 0,
			});
	if (!is_deleted(known)) {
		count_touched(&r->walk, known, e);
		if (is_touched(known, e) || r->options->reread)
			return compare(r, e, known);
	}
	if (may_be_stale(r, known))
		return submit(r, e, known->id,
			&(pipeline_item){ .row_state = known->state,
				.row_pixels = known->pixels,
				.check_header = true });
	bool has_vector = true;
	int rc = 0;
	if (r->identity.next && known->state == IMGSEARCH_STATE_INDEXED)
		rc = ims_store_vector_next_has(r->s->store, known->id, &has_vector, r->err);
	if (!rc && !has_vector)
		return submit(r, e, known->id, &(pipeline_item){ .vector_only = true });
	bool new_facts = false;
	if (!rc)
		rc = has_new_facts(r, e, known, &new_facts);
	if (!rc && new_facts)
		return submit(r, e, known->id,
			&(pipeline_item){ .row_state = known->state, .facts_only = true });
	if (!rc)
		count_unchanged(r, known->state);
	return rc || knows_ctime(known) || is_deleted(known) ? rc : add_ctime(r, e, known);
}

/* ------------------------------------------------------------------------------- links ---- */

/* Whether the folder that a broken link leads to is not there, or empty: its disk may be away. */
static bool target_is_away(const char *link)
{
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof target - 1);
	if (n <= 0)
		return false;
	target[n] = 0;
	char *folder = ims_strdup(link), *full = NULL;
	if (folder) {
		*(strrchr(folder, '/') + 1) = 0;
		full = ims_path_join(*target == '/' ? NULL : folder, target);
	}
	char *slash = full ? strrchr(full, '/') : NULL;
	if (slash)
		slash[slash == full] = 0;
	bool away = slash && !ims_folder_has_entries(full);
	ims_free(full);
	ims_free(folder);
	return away;
}

/* Whether pictures were found behind a link that is broken now: they stay. */
static int is_link_away(index_run *r, const walk_entry *e, const path_entry *known, bool *away)
{
	char *full = ims_path_join(r->walk.start->root_path, e->path);
	int64_t *ids = NULL;
	size_t n = 0;
	int rc = full ? ims_store_ids_under(r->s->store, full, &ids, &n, r->err) : ims_nomem(r->err);
	*away = !rc && !r->options->prune && (n || (is_picture(known) && target_is_away(full)));
	ims_free(ids);
	ims_free(full);
	return rc;
}

/* A followed link that leads to nothing. */
static int broken_link(index_run *r, const walk_entry *e, path_entry *known)
{
	bool away;
	int rc = is_link_away(r, e, known, &away);
	if (rc || !away)
		return rc ? rc : record(r, e, known, IMGSEARCH_STATE_UNREADABLE);
	r->counts->paths.seen--;
	r->walk.away += is_picture(known);
	return 0;
}

/* Whether a path below the root is a single file, which has its own start and row. */
static int is_single(index_run *r, const walk_entry *e, bool *single)
{
	const index_start *start = r->walk.start;
	*single = false;
	if (!start->root || !r->singles.n)
		return 0;
	char *full = ims_path_join(start->root_path, e->path);
	*single = full && ims_path_table_find(&r->singles, ims_path_key(0, full));
	ims_free(full);
	return full ? 0 : ims_nomem(r->err);
}

static int index_entry(index_run *r, const walk_entry *e)
{
	path_key key = ims_path_key(r->walk.start->root, e->path);
	path_entry *known = ims_path_table_find(&r->paths, key);
	bool single;
	int rc = is_single(r, e, &single);
	if (rc || single)
		return rc;
	if (known)
		known->seen = true;
	r->counts->paths.seen++;
	r->walk.files += e->kind == WALK_FILE;
	r->walk.left += e->chosen;
	switch (e->kind) {
	case WALK_FILE:
		rc = ims_seen_files_add(&r->files, key, e, e->link || r->walk.linked)
			? ims_nomem(r->err)
			: file_entry(r, e, known);
		break;
	case WALK_EXCLUDED: /* a link may have been followed to a folder before */
		rc = add_excluded(r, e);
		if (!rc)
			rc = record(r, e, known, IMGSEARCH_STATE_EXCLUDED);
		break;
	case WALK_SPECIAL:
		rc = record(r, e, known, IMGSEARCH_STATE_UNSUPPORTED);
		break;
	case WALK_UNREADABLE:
		if (e->broken) {
			rc = broken_link(r, e, known);
			break;
		}
		rc = e->folder ? add_unreadable(r, e->path) : 0;
		if (!rc)
			rc = record(r, e, known, IMGSEARCH_STATE_UNREADABLE);
		break;
	}
	if (!rc)
		rc = ims_pipeline_write_if_due(&r->pipeline);
	return rc ? rc : report_progress(r, e->path);
}

static int on_entry(void *user, const walk_entry *e)
{
	index_run *r = user;
	return r->walk.failed = index_entry(r, e);
}

/*
 * Whether the file of a picture does not exist and was not found by the walk. Then a new file with
 * its bytes is that picture, moved.
 */
static int is_moved(void *user, int64_t twin, bool *moved, imgsearch_error *err)
{
	index_run *r = user;
	store_picture p = { 0 };
	char *root = NULL;
	struct stat st;
	*moved = false;
	int rc = ims_store_picture_get(r->s->store, twin, &p, &root, err);
	char *full = rc ? NULL : ims_path_join(p.root ? root : NULL, p.path);
	if (!rc && !full)
		rc = ims_nomem(err);
	if (!rc && full[0] == '/' && lstat(full, &st) && (errno == ENOENT || errno == ENOTDIR)) {
		path_entry *old = ims_path_table_find(&r->paths, ims_path_key(p.root, p.path));
		*moved = old && !old->seen;
		if (*moved)
			old->seen = true;
	}
	ims_free(full);
	ims_free(root);
	ims_store_picture_clear(&p);
	return rc;
}

/* ---------------------------------------------------------------------------------- starts ---- */

static int offline(index_run *r, const char *why)
{
	uint64_t n;
	int rc = ims_missing_count(r, &n);
	r->counts->offline += n;
	ims_job_log(&r->job, IMGSEARCH_LOG_WARNING, "%s: %s; offline, its files are kept (%llu)",
		r->walk.start->root_path, why, (unsigned long long)n);
	return rc;
}

/* A root was a real path when it was added; what lies in it need not be one. */
static bool leads_through_link(const char *path)
{
	char real[PATH_MAX];
	return realpath(path, real) && strcmp(real, path) != 0;
}

/*
 * A single file that does not exist is removed; if its folder does not exist either, it is offline.
 * full: its path, which is shortened.
 */
static int missing_file(index_run *r, char *full)
{
	struct stat st;
	*strrchr(full, '/') = 0;
	if (lstat(*full ? full : "/", &st))
		return offline(r, "its folder is not there");
	int rc = ims_pipeline_drain(&r->pipeline);
	return rc ? rc : ims_missing_remove(r, NULL);
}

static int index_file(index_run *r)
{
	const index_start *start = r->walk.start;
	struct stat st;
	char *full = ims_path_join(start->root ? start->root_path : NULL, start->prefix);
	if (!full)
		return ims_nomem(r->err);
	int rc = lstat(full, &st);
	bool link = !rc && S_ISLNK(st.st_mode);
	if (link && ims_follow_covers(&r->walk.follow, start->prefix))
		rc = stat(full, &st);
	if (rc && link && target_is_away(full)) {
		rc = offline(r, "the folder that it leads to is not there");
	} else if (rc) {
		rc = missing_file(r, full);
	} else {
		walk_entry e = {
			.path = start->prefix,
			.link = link || leads_through_link(full),
			.device = (uint64_t)st.st_dev,
			.inode = (uint64_t)st.st_ino,
			.size = (uint64_t)st.st_size,
			.mtime = ims_timestamp(&st.st_mtim),
			.ctime = ims_timestamp(&st.st_ctim),
			.sidecars = true,
		};
		e.kind = S_ISREG(st.st_mode) ? WALK_FILE
			: S_ISLNK(st.st_mode)    ? WALK_EXCLUDED
									 : WALK_SPECIAL;
		e.reason = e.kind == WALK_EXCLUDED ? "symbolic link" : "not a regular file";
		rc = index_entry(r, &e);
	}
	ims_free(full);
	return rc;
}

/* An empty folder that had pictures may be a mount point without its disk. */
static bool looks_unmounted(index_run *r, uint64_t seen)
{
	uint64_t n = 0;
	return seen == r->counts->paths.seen && !r->options->prune && !ims_missing_count(r, &n) && n;
}

/*
 * Warns, once for each device, where the change times of all files moved: after a copy of the disk,
 * or on a file system that makes change times up.
 */
static void tell_touched(index_run *r, uint64_t device)
{
	const walk_state *w = &r->walk;
	if (w->touched < 2 || w->touched < w->same || r->warned_device == device + 1)
		return;
	r->warned_device = device + 1;
	ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
		"%s: every change time moved, as after a copy: all %llu files are compared",
		w->start->root_path, (unsigned long long)w->touched);
}

/* Patterns that are remembered may leave out all, without anybody noticing. */
static void tell_all_left(index_run *r)
{
	const walk_state *w = &r->walk;
	if (!w->files && w->left && !w->told)
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
			"%s%s%s: patterns or ignore files leave out every file", w->start->root_path,
			*w->start->prefix ? "/" : "", w->start->prefix);
}

static int index_folder(index_run *r, const walk_rules *rules)
{
	const index_start *start = r->walk.start;
	struct stat st;
	imgsearch_error why;
	imgsearch_counts before = r->counts->paths;
	if (stat(start->root_path, &st) || !S_ISDIR(st.st_mode))
		return offline(r, "not there");
	r->walk.linked = leads_through_link(start->root_path);
	double begin = ims_now(), busy = r->pipeline.waited + r->counts->store_s;
	int rc = ims_walk(start->root_path, start->prefix, rules, on_entry, r, &why);
	if (rc == IMGSEARCH_EIO && !r->walk.failed) /* this root cannot be read; the others may be */
		return offline(r, "cannot be read");
	if (rc && !r->walk.failed)
		*r->err = why;
	tell_touched(r, (uint64_t)st.st_dev);
	tell_all_left(r);
	r->counts->walk_s += ims_now() - begin - (r->pipeline.waited + r->counts->store_s - busy);
	if (!rc) /* the last entries may be moved files */
		rc = ims_pipeline_drain(&r->pipeline);
	if (!rc && !*start->prefix && looks_unmounted(r, before.seen))
		return offline(r, "empty");
	return rc ? rc : ims_missing_remove(r, &before);
}

static void clear_walk(walk_state *w)
{
	for (size_t i = 0; i < w->n_unreadable; i++)
		ims_free(w->unreadable[i]);
	ims_free(w->unreadable);
	ims_path_table_free(&w->excluded);
	ims_follow_free(&w->follow);
	*w = (walk_state){ 0 };
}

/* What the walk of a start goes by; ims_rules_begin makes the patterns active. */
static int begin_walk(index_run *r, const index_plan *p, const index_start *start,
	walk_rules *rules)
{
	clear_walk(&r->walk);
	r->walk.start = start;
	int rc = ims_follow_read(r->s, start->root, &r->walk.follow, r->err);
	*rules = (walk_rules){
		.include = &r->rules.include.active,
		.exclude = &r->rules.exclude.active,
		.system_folders = r->options->no_default_excludes,
		.follow = (const char *const *)r->walk.follow.path,
		.n_follow = r->walk.follow.n,
		.index = ims_store_path(r->s->store),
		.roots = (const char *const *)p->root,
		.n_roots = p->n_roots,
	};
	return rc || start->file ? rc : ims_rules_begin(&r->rules, r->s, start, r->err);
}

static int index_from(index_run *r, const index_plan *p, const index_start *start)
{
	walk_rules rules;
	int rc = begin_walk(r, p, start, &rules);
	if (rc || start->file)
		return rc ? rc : index_file(r);
	rc = index_folder(r, &rules);
	return rc ? rc : ims_rules_end(&r->rules, start, r->err);
}

/* ------------------------------------------------------------------------------------- run ---- */

static int count_entry(void *user, const walk_entry *e)
{
	index_run *r = user;
	(void)e;
	r->expected++;
	return r->expected % 1024 ? 0 : ims_job_step(&r->job, "walk", r->expected, 0, r->err);
}

/* Counts the paths, so that progress has a total. */
static int count_ahead(index_run *r, const index_plan *p)
{
	int rc = 0;
	for (size_t i = 0; r->job.call.progress && !ims_is_stop(rc) && i < p->n; i++) {
		walk_rules rules;
		rc = begin_walk(r, p, &p->start[i], &rules);
		rules.include = rules.exclude = NULL;
		if (p->start[i].file)
			r->expected++;
		else if (!rc)
			rc = ims_walk(p->start[i].root_path, p->start[i].prefix, &rules, count_entry, r, NULL);
	}
	return ims_is_stop(rc) ? rc : 0;
}

static int add_known(void *user, const store_picture *p, const char *root_path)
{
	(void)root_path;
	index_run *r = user;
	path_entry known = {
		.key = ims_path_key(p->root, p->path),
		.id = p->id,
		.size = p->size,
		.mtime = p->mtime,
		.ctime = p->has_ctime ? p->ctime : (timestamp){ 0, -1 },
		.state = p->state,
		.pixels = (uint16_t)p->pixels,
		.reason = reason_byte(p->reason),
		.facts_version = (uint8_t)p->facts_version,
		.sidecars = p->sidecars,
	};
	return ims_path_table_add(&r->paths, &known) ? ims_nomem(r->err) : 0;
}

static int add_single(index_run *r, const char *path)
{
	path_entry single = { .key = ims_path_key(0, path), .id = 1 };
	return *path == '/' && ims_path_table_add(&r->singles, &single) ? ims_nomem(r->err) : 0;
}

static int add_known_single(void *user, const store_picture *p, const char *root_path)
{
	(void)root_path;
	return add_single(user, p->path);
}

/* Those that the index knows, and those of this run. */
static int add_singles(index_run *r, const index_plan *p)
{
	int rc = ims_store_each_single(r->s->store, add_known_single, r, r->err);
	for (size_t i = 0; !rc && i < p->n; i++)
		if (!p->start[i].root)
			rc = add_single(r, p->start[i].prefix);
	return rc;
}

/*
 * Stores a model only if its network can be loaded; otherwise neither it nor a new root is stored.
 */
static int check_new_model(index_run *r)
{
	model *network = NULL;
	int rc = r->identity.first || r->identity.begins
		? ims_handle_network(r->s, &r->identity.model, &network, r->err)
		: 0;
	ims_model_free(network);
	return rc;
}

typedef struct first_file {
	bool found;
	uint64_t left; /* files that match nothing of what is to be taken in */
} first_file;

static int find_file(void *user, const walk_entry *e)
{
	first_file *f = user;
	f->found |= e->kind == WALK_FILE;
	f->left += e->reason == ims_walk_not_included;
	return f->found;
}

/*
 * Refuses patterns of what is taken in that are given and match no file at all: a slip would take
 * every picture out of the index.
 */
static int check_include(index_run *r, const index_plan *p)
{
	const imgsearch_index_update_options *o = r->options;
	first_file f = { .found = !o->n_include };
	int rc = 0;
	for (size_t i = 0; !rc && !f.found && i < p->n; i++) {
		walk_rules rules;
		rc = begin_walk(r, p, &p->start[i], &rules);
		if (!rc && !p->start[i].file)
			ims_walk(p->start[i].root_path, p->start[i].prefix, &rules, find_file, &f, NULL);
	}
	if (rc || f.found || !f.left)
		return rc;
	return ims_fail(r->err, IMGSEARCH_EINVAL,
		"include: none of %llu files matches %s%s; nothing is changed", (unsigned long long)f.left,
		o->include[0], o->n_include > 1 ? " or another pattern" : "");
}

/* Decides the model of the run, and stores it and the roots. */
static int set_up(index_run *r, index_plan *p, const char *const *paths, size_t n)
{
	int rc = ims_store_tx_begin(r->s->store, r->err);
	if (rc)
		return rc;
	p->follow_links = r->options->follow_links;
	rc = ims_plan_make(p, paths, n);
	if (!rc)
		rc = ims_follow_store(p, r->options, r->err);
	if (!rc)
		rc = ims_rules_store(&r->rules, p, r->err);
	if (!rc)
		rc = check_include(r, p);
	if (!rc)
		rc = ims_identity_decide(r->s, IDENTITY_RUN, &r->identity, r->err);
	if (!rc)
		rc = check_new_model(r);
	if (!rc)
		rc = ims_identity_store(r->s, &r->identity, r->err);
	return ims_handle_tx_end(r->s, rc, r->err);
}

/* Logs how many pictures have new vectors because the decoding changed. */
static void tell_redecoded(index_run *r)
{
	const uint64_t n = r->counts->redecoded;
	const uint32_t why = r->pipeline.redecoded_traits;
	const char *const reason[] = {
		why & IMAGE_HAS_COLOURS ? "; colours are converted to sRGB" : "",
		why & IMAGE_HAS_ALPHA ? "; light drawings lie on black" : "",
		why & IMAGE_HAS_OTHER_ORIENTATION ? "; orientation in texts counts" : "",
	};
	if (n)
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
			"pictures decoded anew, since this version may make other pixels of them: %llu%s%s%s",
			(unsigned long long)n, reason[0], reason[1], reason[2]);
}

/* Tells, once a reason, of files that a missing library leaves out. */
static void tell_lacking(index_run *r)
{
	for (size_t i = 0; i < PIPELINE_LACKING && r->pipeline.lacking[i].files; i++)
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING, "skipped %llu: %s",
			(unsigned long long)r->pipeline.lacking[i].files, r->pipeline.lacking[i].why.message);
}

/* Switches to the new model when every picture has its vector. */
static int end_reindex(index_run *r)
{
	store_counts counts;
	int rc = ims_store_counts(r->s->store, &counts, r->err);
	if (!rc && counts.vectors_next < counts.vectors && !r->options->prune) {
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
			"vectors that the new model has not made yet: %llu; queries use the old model "
			"until then (the option prune drops them)",
			(unsigned long long)(counts.vectors - counts.vectors_next));
		return 0;
	}
	if (!rc)
		rc = ims_store_tx_begin(r->s->store, r->err);
	if (rc)
		return rc;
	rc = ims_store_model_switch(r->s->store, r->err);
	if (!rc)
		rc = ims_store_setting_set(r->s->store, "centre", NULL, 0, r->err);
	if (!rc)
		rc = ims_view_set_dim(r->s, r->identity.model.dim, r->err);
	return ims_handle_tx_end(r->s, rc, r->err);
}

static int run(index_run *r, index_plan *p, const char *const *paths, size_t n)
{
	int rc = ims_rules_init(&r->rules, r->options, r->err);
	if (!rc && r->options->csv)
		rc = ims_columns_check(r->options, r->err);
	if (!rc)
		rc = set_up(r, p, paths, n);
	if (rc)
		return rc;
	rc = ims_store_each_picture(r->s->store, 0, add_known, r, r->err);
	if (!rc)
		rc = add_singles(r, p);
	if (!rc)
		rc = ims_away_read(r->s, &r->away, r->err);
	if (!rc)
		rc = count_ahead(r, p);
	for (size_t i = 0; !rc && i < p->n; i++)
		rc = index_from(r, p, &p->start[i]);
	if (!rc || ims_is_stop(rc)) {
		int drained = ims_pipeline_drain(&r->pipeline);
		rc = drained ? drained : rc;
	}
	if (ims_is_stop(rc))
		return ims_fail(r->err, rc, "%s; finished work is kept",
			rc == IMGSEARCH_ECANCELED ? "cancelled" : "past the deadline");
	if (!rc)
		rc = ims_same_files_settle(r->s, &r->files, r->counts, r->err);
	if (!rc && r->identity.next)
		rc = end_reindex(r);
	if (!rc && r->options->csv)
		rc = ims_columns_attach(r->s, r->options, &r->job, r->err);
	tell_redecoded(r);
	tell_lacking(r);
	if (!rc)
		rc = ims_rules_unmatched(&r->rules, r->counts, r->err);
	return rc ? rc : ims_store_compact(r->s->store, r->err);
}

static void free_run(index_run *r)
{
	ims_pipeline_free(&r->pipeline);
	clear_walk(&r->walk);
	ims_rules_free(&r->rules);
	ims_away_free(&r->away);
	ims_path_table_free(&r->paths);
	ims_path_table_free(&r->singles);
	ims_seen_files_free(&r->files);
	ims_identity_free(&r->identity);
	ims_free(r);
}

int ims_index_run(imgsearch *s, const char *const *paths, size_t n,
	const imgsearch_index_update_options *options, job *j, run_counts *counts, imgsearch_error *err)
{
	imgsearch_error local;
	double begin = ims_now();
	index_plan p = { .s = s, .err = err ? err : &local };
	*counts = (run_counts){ 0 };
	index_run *r = ims_zalloc(1, sizeof *r);
	if (!r)
		return ims_nomem(err);
	*r = (index_run){
		.s = s,
		.options = options,
		.counts = counts,
		.err = p.err,
		.job = *j,
		.pipeline = {
			.s = s,
			.job = &r->job,
			.identity = &r->identity,
			.counts = counts,
			.moved = is_moved,
			.partial = options->partial,
			.user = r,
			.err = p.err,
		},
	};
	int rc = ims_pipeline_init(&r->pipeline);
	if (!rc)
		rc = ims_handle_write_begin(s, &r->job, p.err);
	bool writing = !rc;
	if (!rc)
		rc = run(r, &p, paths, n);
	free_run(r);
	if (writing)
		ims_handle_write_end(s);
	ims_plan_free(&p);
	counts->seconds = ims_now() - begin;
	return rc;
}

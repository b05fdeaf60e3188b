/* Walks a start, and tells what stands out: that it is offline, touched or left out as a whole. */
#include "ingest/start.h"

#include "base/path.h"
#include "ingest/claims.h"
#include "ingest/entry.h"
#include "ingest/missing.h"
#include "store/store.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int offline(index_run *r, const char *why)
{
	uint64_t n;
	int rc = ims_missing_count(r, &n);
	r->counts->offline += n;
	const char *root = r->walk.start->root_path;
	int length = (int)strlen(root) - (*root && *root != '/'); /* "NAME:" */
	ims_job_log(&r->job, IMGSEARCH_LOG_WARNING, "%.*s: %s; offline, its files are kept (%llu)",
		length, root, why, (unsigned long long)n);
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
	if (link && ims_folders_cover(&r->walk.lists->of[STORE_FOLLOW], start->prefix))
		rc = stat(full, &st);
	if (rc && link && ims_entry_target_is_offline(full)) {
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
		rc = ims_entry_index(r, &e);
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
 * Warns, once for each device, where the change times of all files differ from the known ones:
 * after a copy of the disk, or on a file system that does not store change times.
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

/* Warns where patterns leave out every file: they may be remembered from an earlier run. */
static void tell_all_left(index_run *r)
{
	const walk_state *w = &r->walk;
	if (!w->files && w->left && !w->told)
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
			"%s%s%s: patterns or ignore files leave out every file", w->start->root_path,
			*w->start->prefix ? "/" : "", w->start->prefix);
}

static int on_entry(void *user, const walk_entry *e)
{
	index_run *r = user;
	if (ims_parts_meet(&r->walk.mounts, e))
		return r->walk.failed = ims_nomem(r->err);
	return r->walk.failed = ims_entry_index(r, e);
}

static int index_folder(index_run *r, const walk_rules *rules)
{
	const index_start *start = r->walk.start;
	struct stat st;
	imgsearch_error why;
	imgsearch_counts before = r->counts->paths;
	if (*start->root_path != '/')
		return offline(r, "this machine was not told where that folder is, by the option roots");
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
	if (!rc)
		rc = ims_claims_settle(r);
	if (!rc) /* the last entries may be moved files */
		rc = ims_pipeline_drain(&r->pipeline);
	if (!rc)
		rc = ims_parts_store(r->s, start->root, &r->walk.lists->of[STORE_PART], &r->walk.mounts,
			r->err);
	if (!rc && !*start->prefix && looks_unmounted(r, before.seen))
		return offline(r, "empty");
	return rc ? rc : ims_missing_remove(r, &before);
}

void ims_start_clear(walk_state *w)
{
	for (size_t i = 0; i < w->n_unreadable; i++)
		ims_free(w->unreadable[i]);
	ims_free(w->unreadable);
	ims_path_table_free(&w->excluded);
	ims_texts_free(&w->mounts);
	*w = (walk_state){ 0 };
}

int ims_start_begin(index_run *r, index_plan *p, const index_start *start, walk_rules *rules)
{
	ims_start_clear(&r->walk);
	r->walk.start = start;
	r->walk.lists = ims_store_roots_lists(&p->roots, start->root);
	*rules = (walk_rules){
		.include = &r->rules.include.active,
		.exclude = &r->rules.exclude.active,
		.system_folders = r->options->no_default_excludes,
		.follow = (const char *const *)r->walk.lists->of[STORE_FOLLOW].item,
		.n_follow = r->walk.lists->of[STORE_FOLLOW].n,
		.index = ims_store_path(r->s->store),
		.roots = (const char *const *)p->roots.path,
		.n_roots = p->roots.n,
	};
	return start->file ? 0 : ims_rules_begin(&r->rules, p, start, r->err);
}

int ims_start_index(index_run *r, index_plan *p, const index_start *start)
{
	walk_rules rules;
	int rc = ims_start_begin(r, p, start, &rules);
	if (!rc && start->stored)
		return ims_entry_stored(r, start->prefix);
	if (rc || start->file)
		return rc ? rc : index_file(r);
	rc = index_folder(r, &rules);
	return rc ? rc : ims_rules_end(&r->rules, start, r->err);
}

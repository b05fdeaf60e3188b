/* What rules say of an entry: patterns, ignore files, system folders, links that are followed. */
#include "files/walker.h"

#include "base/path.h"
#include "files/system_folders.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char ims_walk_not_included[] = "not among the included patterns";
static const char by_pattern[] = "excluded by pattern";
static const char by_ignore_file[] = "excluded by an ignore file";

bool ims_walk_is_chosen(const char *reason)
{
	return reason == by_pattern || reason == by_ignore_file || reason == ims_walk_not_included;
}

/*
 * Whether an entry is the index, or a file that SQLite, the writer lock or the server puts beside
 * it.
 */
static bool is_index(const walker *w)
{
	static const char *const companions[] = { "", "-wal", "-shm", "-journal", "-lock", ".sock" };
	const char *index = w->rules->index ? ims_path_below(w->rules->index, w->root) : NULL,
			   *path = ims_walk_path(w);
	size_t n = index ? strlen(index) : 0;
	if (!n || strncmp(path, index, n))
		return false;
	for (size_t i = 0; i < sizeof companions / sizeof *companions; i++)
		if (!strcmp(path + n, companions[i]))
			return true;
	return false;
}

/* Whether a file is none of those that are taken in. ENOMEM. */
static int is_left(const walker *w, bool *left)
{
	bool included = true;
	int rc = w->rules->include && w->rules->include->n
		? ims_patterns_match_below(w->rules->include, ims_walk_path(w), &included)
		: 0;
	*left = !included;
	return rc;
}

/* *reason: why a pattern or an ignore file excludes an entry; NULL: none does. ENOMEM. */
static int find_user_rule(const walker *w, const ignore_rules *ignore, const char *name,
	bool folder, const char **reason)
{
	const walk_rules *r = w->rules;
	bool pattern = false;
	*reason = NULL;
	if (r->exclude && ims_patterns_match(r->exclude, ims_walk_path(w), folder, &pattern))
		return ims_nomem(w->err);
	if (pattern)
		*reason = by_pattern;
	else if (ims_ignore_excludes(ignore, ims_walk_path(w), name, folder))
		*reason = by_ignore_file;
	return 0;
}

int ims_walk_find_rule(const walker *w, const ignore_rules *ignore, const char *name, bool folder,
	const char **reason)
{
	const walk_rules *r = w->rules;
	bool left = false;
	if (find_user_rule(w, ignore, name, folder, reason))
		return IMGSEARCH_ENOMEM;
	if (is_index(w))
		*reason = "the index itself";
	else if (folder && !r->system_folders && ims_is_system_folder(name))
		*reason = "system folder";
	else if (name[0] == '.')
		*reason = "hidden";
	else if (!*reason && !folder && is_left(w, &left))
		return ims_nomem(w->err);
	else if (left)
		*reason = ims_walk_not_included;
	return 0;
}

bool ims_walk_follows(const walker *w)
{
	for (size_t i = 0; i < w->rules->n_follow; i++) {
		const char *folder = w->rules->follow[i];
		if (!*folder || ims_path_below(ims_walk_path(w), folder))
			return true;
	}
	return false;
}

int ims_walk_read_rules(walker *w, int fd, const ignore_rules *outer, ignore_rules *out)
{
	*out = (ignore_rules){ .base = w->path.len + (w->path.len > 0), .outer = outer };
	return ims_ignore_read(out, fd) ? ims_nomem(w->err) : 0;
}

/*
 * find_user_rule for `rest`, below the folder of fd and of the path, and for each folder on the
 * way.
 */
static int find_rule_below(walker *w, int fd, const char *rest, bool folder,
	const ignore_rules *outer, const char **reason)
{
	ignore_rules ignore = { 0 };
	size_t n = strcspn(rest, "/");
	char *name = ims_strndup(rest, n);
	const char *behind = rest + n + (rest[n] == '/');
	int rc = name ? ims_walk_read_rules(w, fd, outer, &ignore) : ims_nomem(w->err), next = -1;
	size_t before = name ? ims_walk_push(w, name) : w->path.len;
	if (!rc)
		rc = w->path.failed ? ims_nomem(w->err)
							: find_user_rule(w, &ignore, name, *behind || folder, reason);
	if (!rc && !*reason && *behind)
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (next >= 0) {
		rc = find_rule_below(w, next, behind, folder, &ignore, reason);
		close(next);
	}
	ims_walk_pop(w, before);
	ims_ignore_free(&ignore);
	ims_free(name);
	return rc;
}

int ims_walk_find_target_rule(const walker *w, bool folder, const char **reason)
{
	char target[PATH_MAX], root[PATH_MAX];
	char *full = ims_path_join(w->root, ims_walk_path(w));
	bool resolved = full && realpath(full, target) && realpath(w->root, root);
	const char *below = resolved ? ims_path_below(target, root) : NULL;
	int rc = full ? 0 : ims_nomem(w->err);
	*reason = NULL;
	if (below && *below) {
		walker there = { .rules = w->rules, .root = w->root, .err = w->err };
		int fd = open(w->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0) {
			rc = find_rule_below(&there, fd, below, folder, NULL, reason);
			close(fd);
		}
		ims_buf_free(&there.path);
	}
	ims_free(full);
	return rc;
}

/*
 * Walks a folder: opens folders by openat, sorts their entries by name, and reports them in that
 * order. Where links are followed the walk has two passes over a tree: the first one passes links
 * over; if it met any, the second one reports them alone. A linked folder is a tree of its own.
 */
#include "files/walker.h"

#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 200 };

/* --------------------------------------------------------------------------------- entries ---- */

static int report(walker *w, walk_kind kind, const char *reason, bool folder, const struct stat *st)
{
	walk_entry e = {
		.kind = kind,
		.path = ims_walk_path(w),
		.reason = reason,
		.folder = folder,
		.chosen = ims_walk_is_chosen(reason),
		.link = w->linked,
		.broken = w->broken,
		.sidecars = w->sidecars,
		.mount = w->mount,
	};
	if (w->path.failed)
		return ims_nomem(w->err);
	if (st) {
		e.device = (uint64_t)st->st_dev;
		e.inode = (uint64_t)st->st_ino;
		e.size = (uint64_t)st->st_size;
		e.mtime = ims_timestamp(&st->st_mtim);
		e.ctime = ims_timestamp(&st->st_ctim);
	}
	return w->each(w->user, &e);
}

/* In the second pass it was reported. */
static int report_once(walker *w, walk_kind kind, const char *reason, bool folder,
	const struct stat *st)
{
	return w->second ? 0 : report(w, kind, reason, folder, st);
}

/* --------------------------------------------------------------------------------- visits ---- */

static bool is_other_root(const walker *w)
{
	for (size_t i = 0; i < w->rules->n_roots; i++) {
		const char *below = ims_path_below(w->rules->roots[i], w->root);
		if (below && *below && !strcmp(below, ims_walk_path(w)))
			return true;
	}
	return false;
}

static folder_id *find_visit(const walker *w, const struct stat *st)
{
	for (size_t i = 0; i < w->n_visited; i++)
		if (w->visited[i].dev == st->st_dev && w->visited[i].ino == st->st_ino)
			return &w->visited[i];
	return NULL;
}

/*
 * *first: whether a folder is met for the first time in this pass. Where no links are followed each
 * one is. ENOMEM.
 */
static int record_visit(walker *w, const struct stat *st, bool *first)
{
	folder_id *before = w->rules->n_follow ? find_visit(w, st) : NULL;
	*first = !before || (w->second && !before->twice);
	if (before)
		before->twice |= w->second;
	if (before || !w->rules->n_follow)
		return 0;
	folder_id *grown = ims_grow(w->visited, w->n_visited, &w->cap_visited, sizeof *grown);
	if (!grown)
		return ims_nomem(w->err);
	w->visited = grown;
	w->visited[w->n_visited++] = (folder_id){ st->st_dev, st->st_ino, false };
	return 0;
}

/* --------------------------------------------------------------------------------- folders ---- */

static int walk_folder(walker *w, int fd, const ignore_rules *outer, int depth);

static int enter(walker *w, int parent, const char *name, const ignore_rules *ignore, int depth)
{
	if (depth >= MAX_DEPTH)
		return report_once(w, WALK_UNREADABLE, "nested too deep", true, NULL);
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0
							   : report_once(w, WALK_UNREADABLE, ims_errno_text(errno), true, NULL);
	return walk_folder(w, fd, ignore, depth + 1);
}

static int folder_entry(walker *w, int parent, const char *name, const struct stat *st,
	const ignore_rules *ignore, int depth)
{
	bool first;
	int rc = record_visit(w, st, &first);
	if (rc)
		return rc;
	return first ? enter(w, parent, name, ignore, depth)
				 : report_once(w, WALK_EXCLUDED, "visited before", true, st);
}

/* A linked folder, which is a tree of its own: its links come after all else that it holds. */
static int linked_folder(walker *w, int parent, const char *name, const struct stat *st,
	const ignore_rules *ignore, int depth)
{
	w->met_links = false;
	int rc = folder_entry(w, parent, name, st, ignore, depth);
	w->second = true;
	if (!rc && w->met_links)
		rc = folder_entry(w, parent, name, st, ignore, depth);
	return rc;
}

/* An entry that is no link that waits for the second pass. */
static int visit_entry(walker *w, int fd, const char *name, const struct stat *st, bool link,
	const ignore_rules *ignore, int depth)
{
	bool folder = S_ISDIR(st->st_mode);
	const char *reason = folder ? NULL : ims_ignore_unread(ignore, name);
	if (reason)
		return report(w, WALK_UNREADABLE, reason, false, st);
	int rc = ims_walk_find_rule(w, ignore, name, folder, &reason);
	if (!rc && !reason && (link ? ims_walk_follows(w) : folder && w->linked))
		rc = ims_walk_find_target_rule(w, folder, &reason);
	if (rc)
		return rc;
	if (!reason && folder && is_other_root(w))
		return 0; /* walked as a root of its own, where its entries are reported */
	if (reason)
		return report_once(w, WALK_EXCLUDED, reason, folder, st);
	if (link && !ims_walk_follows(w))
		return report(w, WALK_EXCLUDED, "symbolic link", false, st);
	if (folder)
		return link ? linked_folder(w, fd, name, st, ignore, depth)
					: folder_entry(w, fd, name, st, ignore, depth);
	if (!S_ISREG(st->st_mode))
		return report(w, WALK_SPECIAL, "not a regular file", false, st);
	return report(w, WALK_FILE, NULL, false, st);
}

/* A followed link, in the second pass. */
static int visit_link(walker *w, int fd, const char *name, const ignore_rules *ignore, int depth)
{
	struct stat st;
	bool outer = w->linked;
	w->linked = true;
	w->second = false; /* it is reported */
	w->broken = fstatat(fd, name, &st, 0) != 0;
	int rc = w->broken ? report(w, WALK_UNREADABLE, "broken symbolic link", false, NULL)
					   : visit_entry(w, fd, name, &st, true, ignore, depth);
	w->second = true;
	w->linked = outer;
	w->broken = false;
	return rc;
}

static int walk_entry_at(walker *w, int fd, const char *name, const ignore_rules *ignore, int depth)
{
	struct stat st;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT
			? 0
			: report_once(w, WALK_UNREADABLE, ims_errno_text(errno), false, NULL);
	bool link = S_ISLNK(st.st_mode), waits = link && ims_walk_follows(w);
	if (waits && w->second)
		return visit_link(w, fd, name, ignore, depth);
	if (w->second && !S_ISDIR(st.st_mode))
		return 0;
	w->met_links |= waits;
	return waits ? 0 : visit_entry(w, fd, name, &st, link, ignore, depth);
}

static int list_names(DIR *dir, char ***names, size_t *n)
{
	size_t cap = 0;
	*names = NULL;
	*n = 0;
	errno = 0;
	for (struct dirent *d; (d = readdir(dir)); errno = 0) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		char **grown = ims_grow(*names, *n, &cap, sizeof *grown);
		if (!grown)
			return IMGSEARCH_ENOMEM;
		*names = grown;
		if (!((*names)[*n] = ims_strdup(d->d_name)))
			return IMGSEARCH_ENOMEM;
		++*n;
	}
	int why = errno;
	if (*n)
		qsort(*names, *n, sizeof **names, ims_text_compare);
	errno = why;
	return why ? IMGSEARCH_EIO : 0;
}

/* Whether an open folder is where a file system is mounted. Linux before 5.8 does not tell. */
static bool is_mount(int fd)
{
	struct statx info;
	return !statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0, &info)
		&& info.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static bool has_sidecars(char *const *names, size_t n)
{
	static const char ending[] = ".xmp";
	const size_t length = sizeof ending - 1;
	for (size_t i = 0; i < n; i++) {
		size_t size = strlen(names[i]);
		if (size > length && ims_same_letters(names[i] + size - length, ending, length))
			return true;
	}
	return false;
}

/* Closes fd. */
static int walk_folder(walker *w, int fd, const ignore_rules *outer, int depth)
{
	ignore_rules ignore = { 0 };
	char **names = NULL;
	size_t n = 0;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return ims_nomem(w->err);
	}
	int rc = list_names(dir, &names, &n);
	if (rc == IMGSEARCH_EIO) /* not an empty folder: the rows of its entries are to stay */
		rc = report_once(w, WALK_UNREADABLE, ims_errno_text(errno), true, NULL);
	else if (rc)
		rc = ims_nomem(w->err);
	if (!rc)
		rc = ims_walk_read_rules(w, fd, outer, &ignore);
	bool outside = w->sidecars;
	size_t mount = w->mount;
	w->sidecars = has_sidecars(names, n);
	w->mount = w->path.len && is_mount(fd) ? w->path.len : mount;
	for (size_t i = 0; !rc && i < n; i++) {
		size_t before = ims_walk_push(w, names[i]);
		rc = w->path.failed ? ims_nomem(w->err) : walk_entry_at(w, fd, names[i], &ignore, depth);
		ims_walk_pop(w, before);
	}
	w->sidecars = outside;
	w->mount = mount;
	for (size_t i = 0; i < n; i++)
		ims_free(names[i]);
	ims_free(names);
	ims_ignore_free(&ignore);
	closedir(dir);
	return rc;
}

/* ----------------------------------------------------------------------------------- start ---- */

static int start_failed(const walker *w, const char *rest)
{
	int why = errno;
	char *start = ims_path_join(w->root, ims_walk_path(w));
	char *whole = start ? ims_path_join(start, rest) : NULL;
	errno = why;
	int rc = whole ? ims_fail_errno(w->err, IMGSEARCH_EIO, "%s", whole) : ims_nomem(w->err);
	ims_free(whole);
	ims_free(start);
	return rc;
}

/* A folder on the way need not be readable, as it need not be for an absolute path. */
static int open_flags(const char *rest)
{
	return (*rest ? O_PATH : O_RDONLY) | O_DIRECTORY | O_CLOEXEC;
}

static int approach(walker *w, int fd, const char *rest, const ignore_rules *outer, int depth);

static bool is_link(int fd, const char *name)
{
	struct stat st;
	return !fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode);
}

/* One folder further on the way to the start, unless a rule excludes that. */
static int approach_next(walker *w, int fd, const char *rest, const ignore_rules *ignore, int depth)
{
	struct stat st;
	size_t n = strcspn(rest, "/");
	char *name = ims_strndup(rest, n);
	if (!name)
		return ims_nomem(w->err);
	const char *behind = rest + n + (rest[n] == '/');
	bool link = is_link(fd, name);
	int next = openat(fd, name, open_flags(behind)), rc = 0;
	if (next < 0 || fstat(next, &st))
		rc = start_failed(w, rest);
	const char *reason = NULL;
	if (!rc)
		ims_walk_push(w, name);
	if (!rc && w->path.failed)
		rc = ims_nomem(w->err);
	w->mount = !rc && is_mount(next) ? w->path.len : w->mount;
	if (!rc)
		rc = ims_walk_find_rule(w, ignore, name, true, &reason);
	if (!rc && !reason && link && !ims_walk_follows(w))
		reason = "symbolic link";
	w->linked |= link;
	if (!rc && !reason && w->linked)
		rc = ims_walk_find_target_rule(w, true, &reason);
	if (reason)
		rc = report_once(w, WALK_EXCLUDED, reason, true, &st);
	ims_free(name);
	if (rc || reason) {
		if (next >= 0)
			close(next);
		return rc;
	}
	return approach(w, next, behind, ignore, depth + 1);
}

/* Goes down to the start and walks it; the rules of the folders on the way count. Closes fd. */
static int approach(walker *w, int fd, const char *rest, const ignore_rules *outer, int depth)
{
	ignore_rules ignore = { 0 };
	struct stat st;
	bool first;
	if (!*rest && fstat(fd, &st) == 0) {
		int rc = record_visit(w, &st, &first);
		if (!rc)
			return walk_folder(w, fd, outer, depth);
		close(fd);
		return rc;
	}
	int rc = *rest ? ims_walk_read_rules(w, fd, outer, &ignore) : start_failed(w, rest);
	if (!rc)
		rc = depth < MAX_DEPTH ? approach_next(w, fd, rest, &ignore, depth)
							   : report(w, WALK_UNREADABLE, "nested too deep", true, NULL);
	ims_ignore_free(&ignore);
	close(fd);
	return rc;
}

static int walk_once(walker *w, const char *prefix)
{
	int fd = open(w->root, open_flags(prefix));
	return fd < 0 ? start_failed(w, prefix) : approach(w, fd, prefix, NULL, 0);
}

int ims_walk(const char *root, const char *prefix, const walk_rules *rules, walk_each *each,
	void *user, imgsearch_error *err)
{
	walker w = { .rules = rules, .root = root, .each = each, .user = user, .err = err };
	int rc = walk_once(&w, prefix);
	if (!rc && w.met_links) {
		w.second = true;
		w.mount = 0;
		ims_walk_pop(&w, 0);
		rc = walk_once(&w, prefix);
	}
	ims_buf_free(&w.path);
	ims_free(w.visited);
	return rc;
}

bool ims_folder_has_entries(const char *path)
{
	DIR *dir = opendir(path);
	bool found = false;
	for (struct dirent *d; dir && !found && (d = readdir(dir));)
		found = strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
	if (dir)
		closedir(dir);
	return found;
}

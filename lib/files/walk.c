/*
 * The walk: every path below a root, in order of name, each with what it is. Hidden and system folders, the patterns
 * of --exclude, and those of .ignore and .imgsearchignore files (a subset of gitignore's: comments, `!`, a trailing
 * slash for folders, a slash inside anchors to the file's folder, `**`/ at the start for any depth) are told as
 * excluded with the rule that did it. Symbolic links are followed only when asked, and then each folder once.
 */
#include "handle/handle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 200, MAX_IGNORE_FILE = 1 << 20 };

typedef struct rule {
	char *pattern;
	bool negated, folders_only, anchored;
} rule;

/* The rules of one folder's ignore files; inner folders point to their outer ones. */
typedef struct ruleset {
	rule *rule;
	size_t n;
	size_t base; /* length of the path of the folder they are anchored to */
	const struct ruleset *outer;
} ruleset;

typedef struct folder_id {
	dev_t dev;
	ino_t ino;
} folder_id;

typedef struct walker {
	const walk_rules *rules;
	const char *root;
	int (*each)(void *user, const walk_entry *e);
	void *user;
	imgsearch_error *err;
	buf path;            /* relative, NUL kept behind it */
	folder_id *visited;  /* only with follow_links */
	size_t n_visited, cap_visited;
} walker;

/* ------------------------------------------------------------------------------------------------- the path ---- */

static size_t push_name(walker *w, const char *name)
{
	size_t before = w->path.len;
	ims_buf_text(&w->path, "%s%s", before ? "/" : "", name);
	return before;
}

static void pop_name(walker *w, size_t before)
{
	w->path.len = before;
	if (w->path.data)
		w->path.data[before] = 0;
}

static const char *path_text(const walker *w)
{
	return w->path.data ? (const char *)w->path.data : "";
}

static int tell(walker *w, walk_kind kind, const char *reason, bool folder, const struct stat *st)
{
	walk_entry e = { .kind = kind, .path = path_text(w), .reason = reason, .folder = folder };
	if (w->path.failed)
		return ims_nomem(w->err);
	if (st) {
		e.size = (uint64_t)st->st_size;
		e.mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	}
	return w->each(w->user, &e);
}

/* -------------------------------------------------------------------------------------------- ignore files ---- */

static int add_rule(ruleset *set, char *line)
{
	size_t n = strcspn(line, "\r");
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	line[n] = 0;
	if (!n || line[0] == '#')
		return 0;
	rule r = { .negated = line[0] == '!' };
	line += r.negated;
	n = strlen(line);
	if (n && line[n - 1] == '/') {
		r.folders_only = true;
		line[--n] = 0;
	}
	if (!strncmp(line, "**/", 3))
		line += 3;
	else if (strchr(line, '/'))
		r.anchored = true;
	line += line[0] == '/';
	rule *grown = ims_realloc(set->rule, set->n + 1, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	set->rule = grown;
	r.pattern = ims_strdup(line);
	if (!r.pattern)
		return IMGSEARCH_ENOMEM;
	set->rule[set->n++] = r;
	return 0;
}

static int read_rules(ruleset *set, int dir, const char *name)
{
	buf text = { 0 };
	struct stat st;
	int rc = 0, fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= MAX_IGNORE_FILE) {
		rc = ims_read_fd(&text, fd, name, MAX_IGNORE_FILE, NULL);
		ims_buf_u8(&text, 0);
		rc = text.failed ? IMGSEARCH_ENOMEM : rc == IMGSEARCH_ENOMEM ? rc : 0;
		char *rest = rc ? NULL : (char *)text.data;
		for (char *line; !rc && rest && (line = strsep(&rest, "\n"));)
			rc = add_rule(set, line);
	}
	ims_buf_free(&text);
	close(fd);
	return rc;
}

static void free_rules(ruleset *set)
{
	for (size_t i = 0; i < set->n; i++)
		ims_free(set->rule[i].pattern);
	ims_free(set->rule);
}

/* The last matching rule of the innermost folder decides. */
static bool ignored(const walker *w, const ruleset *set, const char *name, bool folder)
{
	for (; set; set = set->outer)
		for (size_t i = set->n; i-- > 0;) {
			const rule *r = &set->rule[i];
			const char *whole = path_text(w) + set->base;
			if (r->folders_only && !folder)
				continue;
			if (fnmatch(r->pattern, r->anchored ? whole : name, r->anchored ? FNM_PATHNAME : 0) == 0)
				return !r->negated;
		}
	return false;
}

/* -------------------------------------------------------------------------------------------- other rules ---- */

static bool matches(const char *const *patterns, size_t n, const char *path, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!fnmatch(patterns[i], name, 0) || !fnmatch(patterns[i], path, 0))
			return true;
	return false;
}

static bool own_file(const walker *w)
{
	size_t root = strlen(w->root), own = w->rules->own ? strlen(w->rules->own) : 0;
	root -= root && w->root[root - 1] == '/';
	if (own <= root + 1 || strncmp(w->rules->own, w->root, root) || w->rules->own[root] != '/')
		return false;
	const char *index = w->rules->own + root + 1, *path = path_text(w);
	size_t n = own - root - 1;
	static const char *const companions[] = { "", "-wal", "-shm", "-journal", "-lock", ".sock" };
	for (size_t i = 0; i < sizeof companions / sizeof *companions; i++)
		if (!strncmp(path, index, n) && !strcmp(path + n, companions[i]))
			return true;
	return false;
}

static bool other_root(const walker *w)
{
	const char *path = path_text(w);
	for (size_t i = 0; i < w->rules->n_roots; i++) {
		const char *r = w->rules->roots[i];
		size_t n = strlen(w->root);
		n -= n && w->root[n - 1] == '/';
		if (!strncmp(r, w->root, n) && r[n] == '/' && !strcmp(r + n + 1, path))
			return true;
	}
	return false;
}

/* Why an entry is left out, or NULL. */
static const char *rule_against(const walker *w, const ruleset *set, const char *name, bool folder)
{
	if (own_file(w))
		return "the index itself";
	if (!strcmp(name, "@eaDir") || !strcmp(name, "System Volume Information") || !strcmp(name, "$RECYCLE.BIN"))
		return "system folder";
	if (name[0] == '.')
		return "hidden";
	if (matches(w->rules->exclude, w->rules->n_exclude, path_text(w), name))
		return "excluded by pattern";
	if (ignored(w, set, name, folder))
		return "excluded by an ignore file";
	if (!folder && w->rules->n_include && !matches(w->rules->include, w->rules->n_include, path_text(w), name))
		return "not among the included patterns";
	return NULL;
}

/* True the first time. */
static bool visit(walker *w, const struct stat *st)
{
	if (!w->rules->follow_links)
		return true;
	for (size_t i = 0; i < w->n_visited; i++)
		if (w->visited[i].dev == st->st_dev && w->visited[i].ino == st->st_ino)
			return false;
	folder_id *grown = ims_grow(w->visited, w->n_visited, &w->cap_visited, sizeof *grown);
	if (!grown)
		return false;
	w->visited = grown;
	w->visited[w->n_visited++] = (folder_id){ st->st_dev, st->st_ino };
	return true;
}

/* ------------------------------------------------------------------------------------------------- folders ---- */

static int walk_folder(walker *w, int fd, const ruleset *outer, int depth);

static int enter(walker *w, int parent, const char *name, const ruleset *set, int depth)
{
	if (depth >= MAX_DEPTH)
		return tell(w, WALK_UNREADABLE, "nested too deep", true, NULL);
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : tell(w, WALK_UNREADABLE, strerror(errno), true, NULL);
	return walk_folder(w, fd, set, depth + 1);
}

static int walk_entry_at(walker *w, int fd, const char *name, const ruleset *set, int depth)
{
	struct stat st;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : tell(w, WALK_UNREADABLE, strerror(errno), false, NULL);
	bool link = S_ISLNK(st.st_mode);
	if (link && w->rules->follow_links && fstatat(fd, name, &st, 0))
		return tell(w, WALK_UNREADABLE, "broken symbolic link", false, NULL);
	bool folder = S_ISDIR(st.st_mode);
	const char *reason = rule_against(w, set, name, folder);
	if (!reason && folder && other_root(w))
		return 0;
	if (reason)
		return tell(w, WALK_EXCLUDED, reason, folder, &st);
	if (link && !w->rules->follow_links)
		return tell(w, WALK_EXCLUDED, "symbolic link", false, &st);
	if (folder)
		return visit(w, &st) ? enter(w, fd, name, set, depth) : tell(w, WALK_EXCLUDED, "visited before", true, &st);
	if (!S_ISREG(st.st_mode))
		return tell(w, WALK_SPECIAL, "not a regular file", false, &st);
	return tell(w, WALK_FILE, NULL, false, &st);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
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
		qsort(*names, *n, sizeof **names, by_name);
	errno = why;
	return why ? IMGSEARCH_EIO : 0;
}

/* Takes fd. */
static int walk_folder(walker *w, int fd, const ruleset *outer, int depth)
{
	ruleset set = { .base = w->path.len + (w->path.len > 0), .outer = outer };
	char **names = NULL;
	size_t n = 0;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return ims_nomem(w->err);
	}
	int rc = list_names(dir, &names, &n);
	if (rc == IMGSEARCH_EIO) /* what could not be listed is not gone */
		rc = tell(w, WALK_UNREADABLE, strerror(errno), true, NULL);
	else if (rc)
		rc = ims_nomem(w->err);
	if (!rc && (read_rules(&set, fd, ".ignore") || read_rules(&set, fd, ".imgsearchignore")))
		rc = ims_nomem(w->err);
	for (size_t i = 0; !rc && i < n; i++) {
		size_t before = push_name(w, names[i]);
		rc = w->path.failed ? ims_nomem(w->err) : walk_entry_at(w, fd, names[i], &set, depth);
		pop_name(w, before);
	}
	for (size_t i = 0; i < n; i++)
		ims_free(names[i]);
	ims_free(names);
	free_rules(&set);
	closedir(dir);
	return rc;
}

int ims_walk(const char *root, const char *prefix, const walk_rules *rules,
	int (*each)(void *user, const walk_entry *e), void *user, imgsearch_error *err)
{
	walker w = { .rules = rules, .root = root, .each = each, .user = user, .err = err };
	char *start = *prefix ? ims_format("%s/%s", root, prefix) : ims_strdup(root);
	struct stat st;
	int rc = start ? 0 : ims_nomem(err);
	int fd = rc ? -1 : open(start, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && (fd < 0 || fstat(fd, &st)))
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", start);
	if (!rc) {
		if (*prefix)
			push_name(&w, prefix);
		visit(&w, &st);
		rc = w.path.failed ? ims_nomem(err) : walk_folder(&w, fd, NULL, 0);
	} else if (fd >= 0) {
		close(fd);
	}
	ims_buf_free(&w.path);
	ims_free(w.visited);
	ims_free(start);
	return rc;
}

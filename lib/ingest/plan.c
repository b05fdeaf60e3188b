/*
 * Makes the plan: reads the roots of the index, then assigns each path to one of them or makes a
 * new one.
 */
#include "ingest/plan.h"

#include "base/path.h"
#include "store/store.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void free_start(index_start *s)
{
	ims_free(s->root_path);
	ims_free(s->prefix);
}

void ims_plan_free(index_plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		free_start(&p->start[i]);
	for (size_t i = 0; i < p->n_roots; i++)
		ims_free(p->root[i]);
	ims_free(p->start);
	ims_free(p->root);
	ims_free(p->root_id);
}

/* Whether the walk from a includes this path. */
static bool covers(const index_start *a, int64_t root, const char *prefix)
{
	return a->root == root
		&& (!strcmp(a->prefix, prefix)
			|| (!a->file && (!*a->prefix || ims_path_below(prefix, a->prefix))));
}

/* Adds a start, unless another covers it, and removes the starts that it covers. */
static int add_start(index_plan *p, int64_t root, const char *root_path, const char *prefix,
	bool file)
{
	const index_start added = { .root = root, .prefix = (char *)prefix, .file = file };
	size_t kept = 0;
	for (size_t i = 0; i < p->n; i++)
		if (covers(&p->start[i], root, prefix))
			return 0;
	for (size_t i = 0; i < p->n; i++)
		if (covers(&added, p->start[i].root, p->start[i].prefix))
			free_start(&p->start[i]);
		else
			p->start[kept++] = p->start[i];
	p->n = kept;
	index_start *grown = ims_realloc(p->start, p->n + 1, sizeof *grown);
	if (!grown)
		return ims_nomem(p->err);
	p->start = grown;
	index_start *st = &p->start[p->n++];
	*st = (index_start){ root, ims_strdup(root_path), ims_strdup(prefix), file };
	return st->root_path && st->prefix ? 0 : ims_nomem(p->err);
}

static int add_root(void *user, int64_t id, const char *path)
{
	index_plan *p = user;
	char **root = ims_realloc(p->root, p->n_roots + 1, sizeof *root);
	if (root)
		p->root = root;
	int64_t *ids = root ? ims_realloc(p->root_id, p->n_roots + 1, sizeof *ids) : NULL;
	if (ids)
		p->root_id = ids;
	if (!root || !ids || !(p->root[p->n_roots] = ims_strdup(path)))
		return ims_nomem(p->err);
	p->root_id[p->n_roots++] = id;
	return 0;
}

static int add_folder(index_plan *p, const char *real)
{
	int rc = 0;
	int64_t id;
	bool known_root = false;
	for (size_t i = 0; !rc && i < p->n_roots; i++) {
		const char *rest = ims_path_below(real, p->root[i]);
		if (rest) {
			known_root = true;
			rc = add_start(p, p->root_id[i], p->root[i], rest, false);
		} else if (ims_path_below(p->root[i], real)) {
			rc = add_start(p, p->root_id[i], p->root[i], "", false);
		}
	}
	if (rc || known_root)
		return rc;
	rc = ims_store_root_add(p->s->store, real, &id, p->err);
	if (!rc)
		rc = add_root(p, id, real);
	return rc ? rc : add_start(p, id, real, "", false);
}

static int add_file(index_plan *p, const char *real)
{
	for (size_t i = 0; i < p->n_roots; i++) {
		const char *rest = ims_path_below(real, p->root[i]);
		if (rest)
			return add_start(p, p->root_id[i], p->root[i], rest, true);
	}
	return add_start(p, 0, "", real, true);
}

/* Resolves only the folder of a file, so that a link is treated as a link. */
static char *real_path(const char *path, struct stat *st)
{
	char buffer[PATH_MAX];
	if (stat(path, st))
		return NULL;
	const char *slash = strrchr(path, '/');
	bool folder = S_ISDIR(st->st_mode);
	char *where = folder ? ims_strdup(path)
		: slash          ? ims_strndup(path, (size_t)(slash - path) + 1)
						 : ims_strdup(".");
	bool found = where && realpath(where, buffer);
	int why = where ? errno : ENOMEM;
	char *real = !found ? NULL
		: folder        ? ims_strdup(buffer)
						: ims_path_join(buffer, slash ? slash + 1 : path);
	ims_free(where);
	errno = found ? ENOMEM : why; /* where the result is NULL */
	return real;
}

/* A path that cannot be examined, which errno tells: a root that is offline, or an error. */
static int add_absent(index_plan *p, const char *path)
{
	int why = errno;
	size_t i = 0;
	char *whole = ims_path_resolve(path);
	if (!whole)
		return ims_nomem(p->err);
	for (size_t n = strlen(whole); n > 1 && whole[n - 1] == '/'; n--)
		whole[n - 1] = 0;
	while (i < p->n_roots && strcmp(p->root[i], path) && strcmp(p->root[i], whole))
		i++;
	ims_free(whole);
	errno = why;
	return i < p->n_roots
		? add_start(p, p->root_id[i], p->root[i], "", false)
		: ims_fail_errno(p->err, why == ENOENT ? IMGSEARCH_ENOTFOUND : IMGSEARCH_EIO, "%s", path);
}

/* A folder, or with `files` anything else. A root that does not exist is offline, not an error. */
static int add_path(index_plan *p, const char *path, bool files)
{
	struct stat st;
	char *real = real_path(path, &st);
	int rc = 0;
	if (!real && errno == ENOMEM)
		return ims_nomem(p->err);
	if ((real && S_ISDIR(st.st_mode)) == files) {
		/* belongs to the other pass */
	} else if (real) {
		rc = S_ISDIR(st.st_mode) ? add_folder(p, real) : add_file(p, real);
	} else {
		rc = add_absent(p, path);
	}
	ims_free(real);
	return rc;
}

static int add_single(void *user, const store_picture *pic, const char *root_path)
{
	(void)root_path;
	index_plan *p = user;
	return pic->root || pic->path[0] != '/' ? 0 : add_start(p, 0, "", pic->path, true);
}

int ims_plan_make(index_plan *p, const char *const *paths, size_t n)
{
	int rc = ims_store_roots_settle(p->s->store, p->err);
	if (!rc)
		rc = ims_store_each_root(p->s->store, add_root, p, p->err);
	for (size_t i = 0; !rc && i < 2 * n; i++) /* folders first: a file may lie in one */
		rc = add_path(p, paths[i % n], i >= n);
	if (rc || n)
		return rc;
	for (size_t i = 0; !rc && i < p->n_roots; i++)
		rc = add_start(p, p->root_id[i], p->root[i], "", false);
	if (!rc)
		rc = ims_store_each_picture(p->s->store, 0, add_single, p, p->err);
	if (!rc && !p->n)
		rc = ims_fail(p->err, IMGSEARCH_ENOTFOUND, "%s: the index has no folder yet",
			ims_store_path(p->s->store));
	return rc;
}

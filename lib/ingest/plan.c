/*
 * Makes the plan: reads the roots of the index, then assigns each path to one of them or makes a
 * new one.
 */
#include "ingest/plan.h"

#include "base/path.h"
#include "files/system_folders.h"
#include "files/walk.h"
#include "ingest/rules.h"
#include "ingest/switches.h"
#include "store/record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
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
	ims_store_roots_free(&p->roots);
	ims_free(p->start);
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
	*st = (index_start){
		.root = root,
		.root_path = ims_strdup(root_path),
		.prefix = ims_strdup(prefix),
		.file = file,
	};
	return st->root_path && st->prefix ? 0 : ims_nomem(p->err);
}

/* The innermost root that the path lies in, but is not; n_roots: none. */
static size_t root_around(const index_plan *p, const char *path)
{
	size_t found = p->roots.n;
	for (size_t i = 0; i < p->roots.n; i++) {
		const char *rest = ims_path_below(path, p->roots.path[i]);
		size_t least = found < p->roots.n ? strlen(p->roots.path[found]) : 0;
		if (rest && *rest && strlen(p->roots.path[i]) > least)
			found = i;
	}
	return found;
}

/* ------------------------------------------------------------------- what a root takes over --- */

/* Whether the walk of a root leaves a path below it out for a name that only a start may have. */
static bool has_name_left_out(const char *path, bool folder)
{
	char name[NAME_MAX + 1];
	for (bool more = true; more; path += more) {
		size_t n = strcspn(path, "/");
		more = path[n] == '/';
		snprintf(name, sizeof name, "%.*s", (int)n, path);
		if (*name == '.' || ((more || folder) && ims_is_system_folder(name)))
			return true;
		path += n;
	}
	return false;
}

/* Whether a root has a name, which other machines know it by. */
static bool has_own_name(const index_plan *p, const char *root)
{
	bool named = *root != '/';
	for (size_t i = 0; i < ims_store_mounts(p->s->store); i++)
		named |= !strcmp(ims_store_mount(p->s->store, i), root);
	return named;
}

/*
 * Whether root number i becomes a part of the root around it, at `rest`. Patterns of what is taken
 * in cannot move, since they would leave out all that lies beside it.
 */
static bool may_merge(const index_plan *p, size_t i, const char *rest)
{
	return !has_own_name(p, p->roots.path[i]) && !has_name_left_out(rest, true)
		&& ims_folder_has_entries(p->roots.path[i]) && !p->roots.lists[i].of[STORE_INCLUDE].n;
}

/* Forgets root number i and its starts, which a start of the root around it will cover. */
static void drop_root(index_plan *p, size_t i)
{
	size_t kept = 0;
	for (size_t k = 0; k < p->n; k++)
		if (p->start[k].root == p->roots.id[i])
			free_start(&p->start[k]);
		else
			p->start[kept++] = p->start[k];
	p->n = kept;
	ims_store_roots_drop(&p->roots, i);
}

/* Makes roots that lie in another one a part of it, so that its rules reach them. */
static int merge_roots(index_plan *p)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < p->roots.n;) {
		size_t into = root_around(p, p->roots.path[i]);
		const char *rest = into < p->roots.n ? ims_path_below(p->roots.path[i], p->roots.path[into])
											 : NULL;
		if (!rest || !may_merge(p, i, rest)) {
			i++;
			continue;
		}
		rc = ims_rules_merge(p, i, into, rest);
		if (!rc)
			rc = ims_store_root_merge(p->s->store, p->roots.id[i], p->roots.id[into], rest, p->err);
		if (!rc)
			drop_root(p, i);
	}
	return rc;
}

typedef struct single_files {
	index_plan *plan;
	int64_t *id;
	size_t n, cap;
} single_files;

/* A vector with a name is indexed without a hash. */
static bool is_own_vector(const store_picture *pic)
{
	return pic->path[0] != '/'
		|| (pic->state == IMGSEARCH_STATE_INDEXED && ims_hash_is_zero(&pic->hash));
}

static int collect_single(void *user, const store_picture *pic, const char *root_path)
{
	(void)root_path;
	single_files *f = user;
	const index_plan *p = f->plan;
	size_t root = is_own_vector(pic) ? p->roots.n : root_around(p, pic->path);
	if (root == p->roots.n
		|| has_name_left_out(ims_path_below(pic->path, p->roots.path[root]), false))
		return 0;
	int64_t *grown = ims_grow(f->id, f->n, &f->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(p->err);
	f->id = grown;
	f->id[f->n++] = pic->id;
	return 0;
}

/* Where the root has the path already, the single file goes. */
static int move_single(index_plan *p, const store_picture *pic)
{
	store *st = p->s->store;
	store_picture there;
	size_t root = root_around(p, pic->path);
	const store_place to = { p->roots.id[root], ims_path_below(pic->path, p->roots.path[root]) };
	int rc = ims_store_find(st, &to, 1, &there, p->err);
	bool taken = there.path;
	ims_store_picture_clear(&there);
	if (rc || (taken && pic->state == IMGSEARCH_STATE_DELETED))
		return rc;
	return taken ? ims_store_remove(st, &pic->id, 1, p->err)
				 : ims_store_move(st, &(store_move){ pic->id, to, pic->mtime }, 1, p->err);
}

/* Makes single files that lie in a root a part of it, so that no path is there twice. */
static int move_singles(index_plan *p)
{
	single_files f = { .plan = p };
	int rc = ims_store_each_single(p->s->store, collect_single, &f, p->err);
	store_picture *pic = rc ? NULL : ims_alloc(f.n, sizeof *pic);
	if (!rc)
		rc = pic ? ims_store_get(p->s->store, f.id, f.n, pic, p->err) : ims_nomem(p->err);
	for (size_t i = 0; !rc && i < f.n; i++)
		rc = pic[i].path ? move_single(p, &pic[i]) : 0;
	if (pic)
		ims_store_pictures_clear(pic, f.n);
	ims_free(pic);
	ims_free(f.id);
	return rc;
}

/* ------------------------------------------------------------------------------- the paths ---- */

static int add_new_root(index_plan *p, const char *real)
{
	int64_t id;
	int rc = ims_store_root_add(p->s->store, real, &id, p->err);
	if (!rc && !ims_store_roots_lists(&p->roots, id))
		rc = ims_store_roots_add(&p->roots, id, real) ? ims_nomem(p->err) : 0;
	return rc ? rc : merge_roots(p);
}

static bool is_in_a_root(const index_plan *p, const char *real)
{
	bool known = false;
	for (size_t i = 0; i < p->roots.n; i++)
		known |= ims_path_below(real, p->roots.path[i]) != NULL;
	return known;
}

/* Makes the folders with a name that the path lies in roots by it; NULL: all that are there. */
static int add_named_roots(index_plan *p, const char *real)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < ims_store_mounts(p->s->store); i++) {
		const char *folder = ims_store_mount(p->s->store, i);
		if (real ? ims_path_below(real, folder) != NULL : ims_folder_has_entries(folder))
			rc = add_new_root(p, folder);
	}
	return rc;
}

static int add_folder(index_plan *p, const char *real)
{
	int rc = is_in_a_root(p, real) ? 0 : add_new_root(p, real);
	for (size_t i = 0; !rc && i < p->roots.n; i++) {
		const char *rest = ims_path_below(real, p->roots.path[i]);
		if (rest || ims_path_below(p->roots.path[i], real))
			rc = add_start(p, p->roots.id[i], p->roots.path[i], rest ? rest : "", false);
	}
	return rc;
}

/* What a root knows of a file that it leaves out becomes what is known of the single file. */
static int make_single(index_plan *p, size_t root, const char *real)
{
	enum { IN_ROOT, SINGLE, PLACES };
	const store_place at[PLACES] = {
		[IN_ROOT] = { p->roots.id[root], ims_path_below(real, p->roots.path[root]) },
		[SINGLE] = { 0, real },
	};
	store_picture there[PLACES];
	store *st = p->s->store;
	int rc = ims_store_find(st, at, PLACES, there, p->err);
	const store_picture *pic = &there[IN_ROOT];
	if (!rc && pic->path && there[SINGLE].path)
		rc = ims_store_remove(st, &pic->id, 1, p->err);
	else if (!rc && pic->path)
		rc = ims_store_move(st, &(store_move){ pic->id, at[SINGLE], pic->mtime }, 1, p->err);
	ims_store_pictures_clear(there, PLACES);
	return rc;
}

/* A file that its root would leave out for its name stays single. */
static int add_file(index_plan *p, const char *real)
{
	size_t i = root_around(p, real);
	const char *rest = i < p->roots.n ? ims_path_below(real, p->roots.path[i]) : NULL;
	if (rest && !has_name_left_out(rest, false))
		return add_start(p, p->roots.id[i], p->roots.path[i], rest, true);
	int rc = rest ? make_single(p, i, real) : 0;
	return rc ? rc : add_start(p, 0, "", real, true);
}

/* ---------------------------------------------------------- paths that lead through links ---- */

static bool has_dots(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		size_t n = strcspn(part, "/");
		if ((n == 1 && *part == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return true;
	}
	return false;
}

/* The number of the root that a folder lies in, or is; n_roots: none. */
static size_t root_of_folder(const index_plan *p, const char *real)
{
	size_t found = p->roots.n;
	for (size_t i = 0; i < p->roots.n; i++)
		if (ims_path_below(real, p->roots.path[i])
			&& (found == p->roots.n || strlen(p->roots.path[i]) > strlen(p->roots.path[found])))
			found = i;
	return found;
}

static bool is_followed(const index_plan *p, size_t root, const char *path)
{
	return p->follow_links || ims_folders_cover(&p->roots.lists[root].of[STORE_FOLLOW], path);
}

/*
 * The path below a root that leads out of it through a link which is followed there, or NULL;
 * *root: its number. It is what is behind the deepest folder on the way that lies in a root.
 */
static int find_way(const index_plan *p, const char *given, size_t *root, char **way)
{
	char real[PATH_MAX], *path = ims_strdup(given);
	int rc = path ? 0 : ims_nomem(p->err);
	*way = NULL;
	for (size_t n = path ? strlen(path) : 0; n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = 0;
	for (size_t n = path ? strlen(path) : 0; !rc && n; n--) {
		bool whole = n == 1 && path[0] != '/'; /* a relative path, from the current folder */
		if (path[n - 1] != '/' && !whole)
			continue;
		const char *rest = given + (whole ? 0 : n);
		path[whole ? 0 : n > 1 ? n - 1 : n] = 0;
		if (has_dots(rest) || !realpath(*path ? path : ".", real))
			continue;
		*root = root_of_folder(p, real);
		if (*root == p->roots.n)
			continue;
		*way = ims_path_join(ims_path_below(real, p->roots.path[*root]), rest);
		rc = *way ? 0 : ims_nomem(p->err);
		if (!rc && !is_followed(p, *root, *way)) {
			ims_free(*way);
			*way = NULL;
		}
		break;
	}
	ims_free(path);
	return rc;
}

/* A path that lies in no root by itself. *added: it does through a link. */
static int add_behind_link(index_plan *p, const char *path, bool file, bool *added)
{
	size_t root;
	char *way;
	int rc = find_way(p, path, &root, &way);
	*added = way != NULL;
	if (!rc && way)
		rc = add_start(p, p->roots.id[root], p->roots.path[root], way, file);
	ims_free(way);
	return rc;
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
	while (i < p->roots.n && strcmp(p->roots.path[i], path) && strcmp(p->roots.path[i], whole))
		i++;
	ims_free(whole);
	errno = why;
	return i < p->roots.n
		? add_start(p, p->roots.id[i], p->roots.path[i], "", false)
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
		bool added = false;
		rc = add_named_roots(p, real);
		if (!rc)
			rc = is_in_a_root(p, real) ? 0 : add_behind_link(p, path, files, &added);
		if (!rc && !added)
			rc = files ? add_file(p, real) : add_folder(p, real);
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
	return pic->path[0] != '/' ? 0 : add_start(p, 0, "", pic->path, true);
}

static int add_stored(index_plan *p, const store_picture *pic, size_t n)
{
	index_start *grown = ims_realloc(p->start, p->n + n, sizeof *grown);
	if (!grown)
		return ims_nomem(p->err);
	p->start = grown;
	for (size_t i = 0; i < n; i++) {
		if (!pic[i].path)
			continue;
		index_start *st = &p->start[p->n++];
		*st = (index_start){
			.root_path = ims_strdup(""),
			.prefix = ims_strdup(pic[i].path),
			.file = true,
			.stored = true,
		};
		if (!st->root_path || !st->prefix)
			return ims_nomem(p->err);
	}
	return 0;
}

int ims_plan_add_stored(index_plan *p)
{
	store *st = p->s->store;
	int64_t *ids;
	size_t n;
	int rc = ims_store_ids(st, STORE_FILES, &ids, &n, p->err);
	if (rc || !n) {
		ims_free(ids);
		return rc;
	}
	store_picture *pic = ims_alloc(n, sizeof *pic);
	rc = pic ? ims_store_get(st, ids, n, pic, p->err) : ims_nomem(p->err);
	if (!rc) {
		rc = add_stored(p, pic, n);
		ims_store_pictures_clear(pic, n);
	}
	ims_free(pic);
	ims_free(ids);
	return rc;
}

int ims_plan_make(index_plan *p, const char *const *paths, size_t n)
{
	int rc = ims_store_roots_settle(p->s->store, p->err);
	if (!rc)
		rc = ims_store_roots_get(p->s->store, &p->roots, p->err);
	if (!rc)
		rc = merge_roots(p);
	if (!rc && !n)
		rc = add_named_roots(p, NULL);
	for (size_t i = 0; !rc && i < 2 * n; i++) /* folders first: a file may lie in one */
		rc = add_path(p, paths[i % n], i >= n);
	if (!rc)
		rc = move_singles(p);
	if (rc || n)
		return rc;
	for (size_t i = 0; !rc && i < p->roots.n; i++)
		rc = add_start(p, p->roots.id[i], p->roots.path[i], "", false);
	if (!rc)
		rc = ims_store_each_single(p->s->store, add_single, p, p->err);
	if (!rc)
		rc = ims_plan_add_stored(p);
	if (!rc && !p->n)
		rc = ims_fail(p->err, IMGSEARCH_ENOTFOUND, "%s: the index has no folder yet",
			ims_store_name(p->s->store));
	return rc;
}

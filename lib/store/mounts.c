#include "store/mounts.h"

#include "base/ids.h"
#include "base/path.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------- the list ---- */

static bool is_name(const char *text, size_t n)
{
	static const char others[] = "-_.";
	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && !(c >= '0' && c <= '9') && !strchr(others, c))
			return false;
	}
	return n > 0;
}

/* Roots are real paths where they are there. NULL: no memory. */
static char *real_folder(const char *folder)
{
	char *real = realpath(folder, NULL), *out = real ? ims_strdup(real) : ims_path_resolve(folder);
	free(real);
	for (size_t n = out ? strlen(out) : 0; n > 1 && out[n - 1] == '/'; n--)
		out[n - 1] = 0;
	return out;
}

static int add(store *st, const char *text, imgsearch_error *err)
{
	const char *folder = strchr(text, '=');
	size_t n = folder ? (size_t)(folder - text) : 0;
	if (!folder || !is_name(text, n) || !folder[1])
		return ims_fail(err, IMGSEARCH_EINVAL,
			"root \"%s\": it is NAME=DIR, and NAME has letters, digits, \"-\", \"_\" and \".\"",
			text);
	store_mount *m = &st->mount[st->n_mounts++];
	*m = (store_mount){ ims_format("%.*s:", (int)n, text), real_folder(folder + 1) };
	if (!m->stored || !m->here)
		return ims_nomem(err);
	for (size_t i = 0; i + 1 < st->n_mounts; i++)
		if (!strcmp(st->mount[i].stored, m->stored) || !strcmp(st->mount[i].here, m->here))
			return ims_fail(err, IMGSEARCH_EINVAL, "root \"%s\": its name or folder is given twice",
				text);
	return 0;
}

int ims_mounts_copy(store *st, const store *from, imgsearch_error *err)
{
	st->mount = from->n_mounts ? ims_zalloc(from->n_mounts, sizeof *st->mount) : NULL;
	bool made = st->mount || !from->n_mounts;
	for (size_t i = 0; made && i < from->n_mounts; i++) {
		const store_mount *m = &from->mount[i];
		st->mount[st->n_mounts++] = (store_mount){ ims_strdup(m->stored), ims_strdup(m->here) };
		made = st->mount[i].stored && st->mount[i].here;
	}
	return made ? 0 : ims_nomem(err);
}

int ims_mounts_set(store *st, const char *const *texts, size_t n, imgsearch_error *err)
{
	st->mount = n ? ims_zalloc(n, sizeof *st->mount) : NULL;
	int rc = n && !st->mount ? ims_nomem(err) : 0;
	for (size_t i = 0; !rc && i < n; i++)
		rc = add(st, texts[i], err);
	return rc;
}

void ims_mounts_free(store *st)
{
	for (size_t i = 0; i < st->n_mounts; i++) {
		ims_free(st->mount[i].stored);
		ims_free(st->mount[i].here);
	}
	ims_free(st->mount);
	st->mount = NULL;
	st->n_mounts = 0;
}

/* ----------------------------------------------------------------------------- translating ---- */

const char *ims_mounts_stored(const store *st, const char *path)
{
	for (size_t i = 0; i < st->n_mounts; i++)
		if (!strcmp(st->mount[i].here, path))
			return st->mount[i].stored;
	return path;
}

const char *ims_mounts_here(const store *st, const char *path)
{
	for (size_t i = 0; path && *path != '/' && i < st->n_mounts; i++)
		if (!strcmp(st->mount[i].stored, path))
			return st->mount[i].here;
	return path;
}

/* Replaces an owned path. */
static int translate(const store *st, char **path)
{
	const char *here = ims_mounts_here(st, *path);
	char *copy = here == *path ? *path : ims_strdup(here);
	if (!copy)
		return IMGSEARCH_ENOMEM;
	if (copy != *path)
		ims_free(*path);
	*path = copy;
	return 0;
}

int ims_mounts_translate_roots(const store *st, store_roots *roots)
{
	int rc = 0;
	for (size_t i = 0; !rc && st->n_mounts && i < roots->n; i++)
		rc = translate(st, &roots->path[i]);
	return rc;
}

int ims_mounts_translate(const store *st, store_picture *p, size_t n)
{
	int rc = 0;
	for (size_t i = 0; !rc && st->n_mounts && i < n; i++) {
		char *path = (char *)p[i].root_path;
		rc = path ? translate(st, &path) : 0;
		p[i].root_path = path;
	}
	return rc;
}

/* Appends the ids below a folder as the engine has it. */
static int add_below(store *st, const char *folder, int64_t **ids, size_t *n, imgsearch_error *err)
{
	int64_t *below = NULL;
	size_t n_below = 0;
	int rc = st->engine->pictures.ids_under(st, folder, &below, &n_below, err);
	int64_t *grown = rc ? NULL : ims_realloc(*ids, *n + n_below + 1, sizeof *grown);
	if (!rc && !grown)
		rc = ims_nomem(err);
	if (grown) {
		*ids = grown;
		if (n_below)
			memcpy(grown + *n, below, n_below * sizeof *below);
		*n = ims_ids_sort(grown, *n + n_below);
	}
	ims_free(below);
	return rc;
}

int ims_mounts_ids_under(store *st, const char *folder, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	int rc = st->engine->pictures.ids_under(st, folder, ids, n, err);
	for (size_t i = 0; !rc && i < st->n_mounts; i++) {
		const store_mount *m = &st->mount[i];
		const char *rest = ims_path_below(folder, m->here);
		char *inside = rest ? ims_path_join(m->stored, rest) : ims_strdup(m->stored);
		if (!inside)
			rc = ims_nomem(err);
		else if (rest || ims_path_below(m->here, folder))
			rc = add_below(st, inside, ids, n, err);
		ims_free(inside);
	}
	if (rc) {
		ims_free(*ids);
		*ids = NULL;
		*n = 0;
	}
	return rc;
}

/* ------------------------------------------------------------------------------- callbacks ---- */

static store_picture translated(const mounts_each *e, const store_picture *p)
{
	store_picture here = *p;
	here.root_path = ims_mounts_here(e->st, p->root_path);
	return here;
}

int ims_mounts_each_picture(void *each, const store_picture *p, const char *root_path)
{
	const mounts_each *e = each;
	store_picture here = translated(e, p);
	return e->picture(e->user, &here, ims_mounts_here(e->st, root_path));
}

int ims_mounts_each_lookup(void *each, size_t i, const store_picture *p, const char *root_path,
	const store_cell *cell)
{
	const mounts_each *e = each;
	store_picture here = translated(e, p);
	return e->lookup(e->user, i, &here, ims_mounts_here(e->st, root_path), cell);
}

int ims_mounts_each_path(void *each, size_t i, const store_picture *p, const char *root_path)
{
	const mounts_each *e = each;
	store_picture here = translated(e, p);
	return e->path(e->user, i, &here, ims_mounts_here(e->st, root_path));
}

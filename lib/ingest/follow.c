/* The lists are short: one folder covers all below it. */
#include "ingest/follow.h"

#include "base/path.h"
#include "store/store.h"

#include <string.h>
#include <sys/stat.h>

int ims_follow_read(imgsearch *s, int64_t root, follow_list *out, imgsearch_error *err)
{
	return ims_store_patterns_get(s->store, root, STORE_FOLLOW, &out->path, &out->n, err);
}

void ims_follow_free(follow_list *l)
{
	ims_store_patterns_free(l->path, l->n);
	*l = (follow_list){ 0 };
}

/* Whether a path below a root is a folder of it, or lies in it. */
static bool is_in(const char *path, const char *folder)
{
	return !*folder || ims_path_below(path, folder);
}

bool ims_follow_covers(const follow_list *l, const char *path)
{
	bool covers = false;
	for (size_t i = 0; i < l->n; i++)
		covers |= is_in(path, l->path[i]);
	return covers;
}

/* Removes what lies in a folder, or is it. Returns whether there was anything. */
static bool drop_below(follow_list *l, const char *folder)
{
	size_t kept = 0, before = l->n;
	for (size_t i = 0; i < before; i++)
		if (is_in(l->path[i], folder))
			ims_free(l->path[i]);
		else
			l->path[kept++] = l->path[i];
	l->n = kept;
	return kept != before;
}

static int add(follow_list *l, const char *path, imgsearch_error *err)
{
	char **grown = ims_realloc(l->path, l->n + 1, sizeof *grown);
	if (!grown)
		return ims_nomem(err);
	l->path = grown;
	grown[l->n] = ims_strdup(path);
	return grown[l->n] ? l->n++, 0 : ims_nomem(err);
}

/* A file needs a place in the list only where it is a link itself. */
static bool is_plain_file(const index_start *start)
{
	struct stat st;
	char *full = ims_path_join(start->root ? start->root_path : NULL, start->prefix);
	bool plain = start->file && !(full && !lstat(full, &st) && S_ISLNK(st.st_mode));
	ims_free(full);
	return plain;
}

static int change(follow_list *l, const index_start *start, bool follow, bool *changed,
	imgsearch_error *err)
{
	*changed = false;
	if (is_plain_file(start) || (follow && ims_follow_covers(l, start->prefix)))
		return 0;
	*changed = drop_below(l, start->prefix) || follow;
	if (follow)
		return add(l, start->prefix, err);
	for (size_t i = 0; i < l->n; i++)
		if (is_in(start->prefix, l->path[i]))
			return ims_fail(err, IMGSEARCH_EINVAL, "%s: links are followed in all of %s/%s",
				start->prefix, start->root_path, l->path[i]);
	return 0;
}

int ims_follow_store(const index_plan *p, const imgsearch_index_update_options *o,
	imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && (o->follow_links || o->no_follow_links) && i < p->n; i++) {
		const index_start *start = &p->start[i];
		follow_list l = { 0 };
		bool changed = false;
		rc = ims_follow_read(p->s, start->root, &l, err);
		if (!rc)
			rc = change(&l, start, o->follow_links, &changed, err);
		if (!rc && changed)
			rc = ims_store_patterns_set(p->s->store, start->root, STORE_FOLLOW,
				(const char *const *)l.path, l.n, err);
		ims_follow_free(&l);
	}
	return rc;
}

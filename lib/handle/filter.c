/* Folders become ids by one statement each; then the two sorted lists are intersected. */
#include "handle/filter.h"

#include "base/ids.h"
#include "base/path.h"
#include "base/spelling.h"
#include "handle/condition.h"
#include "store/store.h"

#include <string.h>

/* ----------------------------------------------------------------------------- folders ---- */

void ims_filter_folders_free(filter_folders *f)
{
	for (size_t i = 0; i < f->n; i++)
		ims_free(f->item[i]);
	ims_free(f->item);
	*f = (filter_folders){ 0 };
}

/* Becomes the owner of the folder, which is freed where it is there already. ENOMEM. */
static int add(filter_folders *f, char *folder)
{
	bool there = false;
	for (size_t i = 0; folder && i < f->n; i++)
		there |= !strcmp(f->item[i], folder);
	char **grown = folder && !there ? ims_grow(f->item, f->n, &f->cap, sizeof *grown) : NULL;
	if (!grown) {
		ims_free(folder);
		return there ? 0 : IMGSEARCH_ENOMEM;
	}
	f->item = grown;
	f->item[f->n++] = folder;
	return 0;
}

typedef struct speller {
	filter_folders *f;
	char *composed; /* of the folder that is looked for, without slashes at its end */
	size_t parts;   /* slashes in it */
} speller;

/* The length of the beginning of a path that has as many parts as the folder; 0: it has fewer. */
static size_t length_of_parts(const char *path, size_t slashes)
{
	size_t n = 0;
	for (; path[n]; n++)
		if (path[n] == '/' && !slashes--)
			return n;
	return 0;
}

/* Adds the folder as a path of the index spells it. ENOMEM. */
static int add_spelling(void *user, const store_picture *p, const char *root)
{
	speller *sp = user;
	char *path = ims_path_join(p->root ? root : NULL, p->path), *composed = NULL;
	size_t n = path ? length_of_parts(path, sp->parts) : 0;
	int rc = path ? 0 : IMGSEARCH_ENOMEM;
	if (n) {
		path[n] = 0;
		bool known = !strcmp(sp->f->item[sp->f->n - 1], path); /* neighbours are often below one */
		rc = known ? 0 : ims_spelling_compose(path, &composed);
		if (!rc && composed && !strcmp(composed, sp->composed)) {
			rc = add(sp->f, path);
			path = NULL;
		}
	}
	ims_free(composed);
	ims_free(path);
	return rc;
}

static int add_spellings(imgsearch *s, filter_folders *f, const char *folder, imgsearch_error *err)
{
	speller sp = { .f = f };
	if (ims_spelling_compose(folder, &sp.composed))
		return ims_nomem(err);
	if (!sp.composed) /* ASCII */
		return 0;
	for (size_t n = strlen(sp.composed); n > 1 && sp.composed[n - 1] == '/'; n--)
		sp.composed[n - 1] = 0;
	for (const char *c = sp.composed; *c; c++)
		sp.parts += *c == '/';
	int rc = ims_store_each_picture(s->store, 0, add_spelling, &sp, err);
	ims_free(sp.composed);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : rc;
}

int ims_filter_widen(imgsearch *s, imgsearch_filter *filter, filter_folders *owned,
	imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < filter->n_folders; i++) {
		const char *folder = filter->folders[i];
		bool relative = *folder && *folder != '/';
		char *resolved = relative ? ims_path_resolve(folder) : NULL;
		rc = relative && !resolved ? IMGSEARCH_ENOMEM : add(owned, ims_strdup(folder));
		if (!rc && relative)
			rc = add(owned, ims_strdup(resolved));
		if (rc)
			rc = ims_nomem(err);
		if (!rc)
			rc = add_spellings(s, owned, relative ? resolved : folder, err);
		ims_free(resolved);
	}
	if (!rc && filter->folders) {
		filter->folders = (const char *const *)owned->item;
		filter->n_folders = owned->n;
	}
	return rc;
}

void ims_filter_tell_empty(const imgsearch_filter *filter, job *j)
{
	ims_job_log(j, IMGSEARCH_LOG_WARNING, "nothing of the index lies below %s%s",
		filter->folders[0], filter->n_folders > 1 ? ", and the other folders asked for" : "");
}

/* --------------------------------------------------------------------------------- ids ---- */

/* Appends the ids below one folder. */
static int add_folder(imgsearch *s, const char *folder, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	int64_t *below = NULL;
	size_t n_below = 0;
	int rc = ims_store_ids_under(s->store, folder, &below, &n_below, err);
	if (!rc && n_below) {
		int64_t *grown = ims_realloc(*ids, *n + n_below, sizeof *grown);
		rc = grown ? 0 : ims_nomem(err);
		if (!rc) {
			*ids = grown;
			memcpy(grown + *n, below, n_below * sizeof *below);
			*n += n_below;
		}
	}
	ims_free(below);
	return rc;
}

/* The ids below the folders, or (without folders) those of the condition. */
static int first_list(imgsearch *s, const imgsearch_filter *filter, job *j, int64_t **ids,
	size_t *n, imgsearch_error *err)
{
	int rc = 0;
	if (!filter->folders)
		return ims_filter_has_condition(filter) ? ims_filter_matching(s, filter, ids, n, err) : 0;
	for (size_t i = 0; !rc && i < filter->n_folders; i++)
		rc = add_folder(s, filter->folders[i], ids, n, err);
	*n = *ids ? ims_ids_sort(*ids, *n) : 0;
	if (!rc && filter->n_folders && !*n)
		ims_filter_tell_empty(filter, j);
	return rc;
}

/* Leaves the ids of a list for which the condition is true. */
static int keep_matching(imgsearch *s, const imgsearch_filter *filter, int64_t *ids, size_t *n,
	imgsearch_error *err)
{
	int64_t *matching;
	size_t n_matching, kept = 0;
	int rc = ims_filter_matching(s, filter, &matching, &n_matching, err);
	for (size_t i = 0; !rc && i < *n; i++)
		if (ims_id_find(matching, n_matching, ids[i], NULL))
			ids[kept++] = ids[i];
	*n = rc ? *n : kept;
	ims_free(matching);
	return rc;
}

int ims_filter_ids(imgsearch *s, const imgsearch_filter *filter, job *j, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	int64_t *below = NULL, *out = NULL;
	size_t n_below = 0, kept = 0;
	bool first = filter->folders || ims_filter_has_condition(filter);
	int rc = first_list(s, filter, j, &below, &n_below, err);
	if (!rc && filter->folders && ims_filter_has_condition(filter))
		rc = keep_matching(s, filter, below, &n_below, err);
	if (!rc && !filter->ids) {
		out = below;
		kept = n_below;
		below = NULL;
	}
	if (!rc && !out && !(out = ims_alloc(filter->n_ids, sizeof *out)))
		rc = ims_nomem(err);
	if (!rc && filter->ids) {
		if (filter->n_ids)
			memcpy(out, filter->ids, filter->n_ids * sizeof *out);
		size_t distinct = ims_ids_sort(out, filter->n_ids);
		for (size_t i = 0; i < distinct; i++)
			if (!first || ims_id_find(below, n_below, out[i], NULL))
				out[kept++] = out[i];
	}
	ims_free(below);
	if (rc) {
		ims_free(out);
		out = NULL;
	}
	*ids = out;
	*n = kept;
	return rc;
}

int ims_filter_allowed(imgsearch *s, const imgsearch_filter *theirs, job *j, int64_t **ids,
	size_t *n, imgsearch_error *err)
{
	imgsearch_filter filter = *theirs;
	filter_folders folders = { 0 };
	int rc = ims_filter_widen(s, &filter, &folders, err);
	if (!rc)
		rc = ims_filter_ids(s, &filter, j, ids, n, err);
	ims_filter_folders_free(&folders);
	return rc;
}

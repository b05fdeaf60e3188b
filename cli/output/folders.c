/* The folders that the points of a map are coloured by. */
#include "cli/output/folders.h"

#include "cli/base/id_list.h"
#include "cli/base/list.h"
#include "cli/base/path.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t none = UINT32_MAX;

typedef struct reader {
	folders *f;
	const imgsearch_map *points;
	const imgsearch_filter *below; /* paths in its folders count; NULL: the picture's own path */
} reader;

static int compare_point(const void *id, const void *point)
{
	return id_compare(id, &(*(const imgsearch_map_point *const *)point)->id);
}

/* Where the number of a picture's folder goes; NULL: it is no point of the map. */
static uint32_t *folder_of(const reader *r, int64_t id)
{
	const imgsearch_map_point *const *first = r->points->items, *const *p = NULL;
	if (r->points->count)
		p = bsearch(&id, first, r->points->count, sizeof *first, compare_point);
	return p ? &r->f->of[p - first] : NULL;
}

/*
 * Items come in order of path, so that a folder is nearly always the last one or new; folders
 * within it may lie between.
 */
static bool folder_number(folders *f, const char *path, uint32_t *out)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	for (size_t i = f->n; i-- > 0;)
		if (!strncmp(f->name[i], path, length) && !f->name[i][length]) {
			*out = (uint32_t)i;
			return true;
		}
	char **grown = list_grow(f->name, f->n, &f->cap, sizeof *grown);
	if (!grown)
		return false;
	f->name = grown;
	f->name[f->n] = strndup(path, length);
	*out = (uint32_t)f->n;
	return f->name[f->n] && ++f->n;
}

/* Of several paths in the folders the picture's own one counts, else the first. */
static int read_item(void *user, const imgsearch_item *item)
{
	reader *r = user;
	bool own = item->state == IMGSEARCH_STATE_INDEXED;
	bool copy = item->state == IMGSEARCH_STATE_DUPLICATE || item->state == IMGSEARCH_STATE_LINK;
	if (!own && !(copy && r->below))
		return 0;
	if (r->below
		&& !path_is_below_any(item->path, (char *const *)(uintptr_t)r->below->folders,
			r->below->n_folders))
		return 0;
	uint32_t *to = folder_of(r, own ? item->id : item->same_as);
	if (!to || (*to != none && !own))
		return 0;
	return !folder_number(r->f, item->path, to);
}

/* Those of which no path lies in the folders, as these are spelt, have their own. */
static bool has_rest(const reader *r)
{
	bool rest = false;
	for (size_t i = 0; i < r->points->count; i++)
		rest |= r->f->of[i] == none;
	return rest;
}

static int read_rest(void *user, const imgsearch_item *item)
{
	const reader *r = user;
	uint32_t *to = folder_of(r, item->id);
	return to && *to == none && !folder_number(r->f, item->path, to);
}

/* Leaves out the beginning that all names have in common, up to a slash. */
static void shorten(folders *f)
{
	size_t common = f->n ? strlen(f->name[0]) : 0;
	for (size_t i = 1; i < f->n; i++) {
		size_t n = 0;
		while (n < common && f->name[i][n] == f->name[0][n])
			n++;
		common = n;
	}
	while (f->n && common && f->name[0][common - 1] != '/')
		common--;
	for (size_t i = 0; i < f->n; i++)
		memmove(f->name[i], f->name[i] + common, strlen(f->name[i] + common) + 1);
}

int folders_read(folders *f, imgsearch *s, const imgsearch_map *points,
	const imgsearch_filter *below, const imgsearch_call *call, imgsearch_error *err)
{
	reader r = { f, points, below };
	*f = (folders){ .of = malloc((points->count + 1) * sizeof *f->of) };
	for (size_t i = 0; f->of && i < points->count; i++)
		f->of[i] = none;
	int rc = f->of
		? imgsearch_item_each(s, below ? 0 : IMGSEARCH_STATE_INDEXED, read_item, &r, call, err)
		: 1;
	if (!rc && has_rest(&r))
		rc = imgsearch_item_each(s, IMGSEARCH_STATE_INDEXED, read_rest, &r, call, err);
	for (size_t i = 0; !rc && i < points->count; i++)
		if (f->of[i] == none) /* removed meanwhile */
			f->of[i] = 0;
	if (rc > 0) { /* error of this program, not of the library */
		rc = IMGSEARCH_ENOMEM;
		if (err)
			*err = (imgsearch_error){ IMGSEARCH_ENOMEM, 0, "out of memory" };
	}
	if (rc)
		folders_free(f);
	else
		shorten(f);
	return rc;
}

void folders_free(folders *f)
{
	text_list_free(f->name, f->n);
	free(f->of);
	*f = (folders){ 0 };
}

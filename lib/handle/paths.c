/* One statement reads the other paths of all pictures. */
#include "handle/paths.h"

#include "base/path.h"
#include "base/result.h"

int ims_paths_add(picture_paths *p, const char *path, int64_t file)
{
	picture_path *grown = ims_grow(p->item, p->n, &p->cap, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	p->item = grown;
	grown[p->n].file = file;
	grown[p->n].name = false;
	grown[p->n].path = ims_strdup(path);
	return grown[p->n].path ? p->n++, 0 : IMGSEARCH_ENOMEM;
}

void ims_paths_free(picture_paths *p, size_t n)
{
	for (size_t i = 0; p && i < n; i++) {
		for (size_t k = 0; k < p[i].n; k++)
			ims_free(p[i].item[k].path);
		ims_free(p[i].item);
	}
	ims_free(p);
}

static int add_path(void *user, size_t i, const store_picture *p, const char *root_path)
{
	picture_paths *lists = user;
	char *path = ims_path_join(p->root ? root_path : NULL, p->path);
	bool name = p->state == IMGSEARCH_STATE_LINK && p->same_file;
	int rc = path ? ims_paths_add(&lists[i], path, name ? p->same_file : p->id) : IMGSEARCH_ENOMEM;
	if (!rc)
		lists[i].item[lists[i].n - 1].name = name;
	ims_free(path);
	return rc;
}

int ims_paths_read(imgsearch *s, const int64_t *ids, size_t n, picture_paths *lists,
	imgsearch_error *err)
{
	int rc = ims_store_paths_lookup(s->store, ids, n, add_path, lists, err);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : rc;
}

size_t ims_paths_below(const picture_paths *p, const char *const *folders, size_t n)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t f = 0; f < n; f++)
			if (ims_path_below(p->item[i].path, folders[f]))
				return i;
	return 0;
}

/* The number of the path of a file that is no other name of it, else of the first one. */
static size_t first_path(const picture_paths *p, int64_t file)
{
	size_t first = p->n;
	for (size_t i = 0; i < p->n; i++) {
		if (p->item[i].file == file && !p->item[i].name)
			return i;
		if (p->item[i].file == file && first == p->n)
			first = i;
	}
	return first;
}

/* The path of the same file that path i is another name of; p->n: it is a copy. */
static size_t same_file(const picture_paths *p, size_t shown, size_t i)
{
	const picture_path *one = &p->item[i];
	if (one->file == p->item[shown].file)
		return shown;
	size_t first = one->name ? first_path(p, one->file) : i;
	return first == i ? p->n : first;
}

int ims_paths_show(void *result, const picture_paths *p, size_t shown, const char *own,
	const imgsearch_paths **out)
{
	imgsearch_paths *list = ims_result_alloc(result, 1, sizeof *list);
	imgsearch_path **items = list ? ims_result_list(result, p->n - 1, sizeof **items) : NULL;
	if (!items)
		return IMGSEARCH_ENOMEM;
	for (size_t i = 0; i < p->n; i++) {
		imgsearch_path *item = i == shown ? NULL : items[i - (i > shown)];
		if (item && !(item->path = ims_result_text(result, p->item[i].path)))
			return IMGSEARCH_ENOMEM;
	}
	for (size_t i = 0; i < p->n; i++) {
		size_t same = i == shown ? p->n : same_file(p, shown, i);
		if (same < p->n)
			items[i - (i > shown)]->same_file_path = same == shown
				? own
				: items[same - (same > shown)]->path;
	}
	*list = (imgsearch_paths){ p->n - 1, (const imgsearch_path *const *)items };
	*out = list;
	return 0;
}

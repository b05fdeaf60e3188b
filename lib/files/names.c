/*
 * A table sorted by the last part of the paths, then by value, so that finds come in the order of
 * their values.
 */
#include "files/names.h"

#include "base/path.h"

#include <stdlib.h>
#include <string.h>

int ims_path_names_add(path_names *names, char *path, int64_t value)
{
	char *composed = NULL;
	if (path && ims_spelling_compose(path, &composed)) {
		ims_free(path);
		return IMGSEARCH_ENOMEM;
	}
	if (composed) {
		ims_free(path);
		path = composed;
	}
	path_name *grown = path ? ims_grow(names->item, names->n, &names->cap, sizeof *grown) : NULL;
	if (!grown) {
		ims_free(path);
		return IMGSEARCH_ENOMEM;
	}
	names->item = grown;
	names->item[names->n++] = (path_name){ path, ims_path_name(path), value };
	return 0;
}

static int by_last_part(const void *a, const void *b)
{
	const path_name *x = a, *y = b;
	int order = strcmp(x->last, y->last);
	return order ? order : (x->value > y->value) - (x->value < y->value);
}

void ims_path_names_sort(path_names *names)
{
	if (names->n)
		qsort(names->item, names->n, sizeof *names->item, by_last_part);
}

/* The index of the first path whose last part is not below `last`. */
static const path_name *lower_bound(const path_names *names, const char *last)
{
	size_t low = 0, high = names->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(names->item[middle].last, last) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return names->item + low;
}

static bool ends_in(const char *path, const char *key)
{
	size_t n = strlen(path), k = strlen(key);
	return k <= n && !strcmp(path + n - k, key) && (k == n || path[n - k - 1] == '/');
}

static const path_name *find(const path_names *names, const char *key, const path_name *after)
{
	const char *last = ims_path_name(key);
	if (!names->n || !*last)
		return NULL;
	const path_name *at = after ? after + 1 : lower_bound(names, last),
					*end = names->item + names->n;
	for (; at < end && !strcmp(at->last, last); at++)
		if (ends_in(at->path, key))
			return at;
	return NULL;
}

/* Where memory is short the key stays as it is spelt. */
const path_name *ims_path_names_find(const path_names *names, const char *key,
	const path_name *after)
{
	char *composed;
	while (key[0] == '.' && key[1] == '/')
		key += 1 + strspn(key + 1, "/");
	ims_spelling_compose(key, &composed);
	const path_name *found = find(names, composed ? composed : key, after);
	ims_free(composed);
	return found;
}

void ims_path_names_free(path_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		ims_free(names->item[i].path);
	ims_free(names->item);
	*names = (path_names){ 0 };
}

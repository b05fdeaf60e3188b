/*
 * A table of paths that are found by their endings. A CSV names a picture by its absolute path, by
 * the last folders and the name ("museum/a.jpg"), or by the name alone ("a.jpg"). A "./" before it
 * is passed over. One name may match several pictures.
 */
#ifndef IMS_FILES_NAMES_H
#define IMS_FILES_NAMES_H

#include "base/base.h"

typedef struct path_name {
	char *path;       /* absolute, owned by the table; in one spelling (base/spelling.h) */
	const char *last; /* its last part */
	int64_t value;    /* of the caller: an id or a row */
} path_name;

typedef struct path_names {
	path_name *item;
	size_t n, cap;
} path_names;

/*
 * Adds a path and becomes its owner, also on failure. path NULL is ENOMEM, so that callers need not
 * check an allocation. 0 or ENOMEM.
 */
int ims_path_names_add(path_names *names, char *path, int64_t value);

/* Sorts the table: once, after the last add and before the first find. */
void ims_path_names_sort(path_names *names);

/*
 * The first path that ends in key at a folder boundary, or the next one after `after`; NULL: no
 * more. How letters with accents are spelt makes no difference. Any thread.
 */
const path_name *ims_path_names_find(const path_names *names, const char *key,
	const path_name *after);

void ims_path_names_free(path_names *names);

#endif

/*
 * The paths of pictures that a connection has read, by id. It belongs to the connection, which
 * clears it when the file has changed. All caches of a store share one budget.
 */
#ifndef IMS_SQLITE_PATH_CACHE_H
#define IMS_SQLITE_PATH_CACHE_H

#include "base/base.h"

enum { PATH_CACHE_BYTES = 16 << 20 /* of all connections of a store */, PATH_CACHE_ROOTS = 16 };

/* Zero: empty. */
typedef struct path_cache {
	buf text;       /* entries and the paths of roots, by offset */
	uint32_t *slot; /* open addressing; the offset of an entry, in units of 8 bytes, plus 1 */
	size_t slots, n;
	uint32_t root_text[PATH_CACHE_ROOTS]; /* offset + 1 of the path of the root below */
	int64_t root_id[PATH_CACHE_ROOTS];
} path_cache;

/* One picture; the strings are valid until the next put or clear. */
typedef struct cached_path {
	int64_t root;
	uint32_t state, width, height;
	const char *path; /* NULL: there is no picture of this id */
	const char *root_path;
} cached_path;

bool ims_path_cache_get(const path_cache *c, int64_t id, cached_path *out);

/* Keeps a copy, if memory and the budget allow. used: the bytes of all caches of the store. */
void ims_path_cache_put(path_cache *c, atomic_size_t *used, int64_t id, const cached_path *p);

/* Frees everything. */
void ims_path_cache_clear(path_cache *c, atomic_size_t *used);

#endif

/*
 * Named roots, within the store, for every engine. A root with a name is kept as "NAME:", which is
 * no absolute path: each machine that opens the index says at which folder it has that root. The
 * path of a root is translated here on its way out of the engine, and back on its way in; engines
 * and callers know nothing of it. Where a machine does not have the root, its path stays "NAME:",
 * so its pictures are shown as NAME:/PATH, and it is offline.
 */
#ifndef IMS_STORE_MOUNTS_H
#define IMS_STORE_MOUNTS_H

#include "store/engine.h"

/*
 * Keeps where this machine has named roots: n texts NAME=DIR. EINVAL: a name has other characters
 * than letters, digits, "-", "_" and ".", or is given twice, or DIR is empty.
 */
int ims_mounts_set(store *st, const char *const *texts, size_t n, imgsearch_error *err);
int ims_mounts_copy(store *st, const store *from, imgsearch_error *err); /* those of from */
void ims_mounts_free(store *st);

/* The path as the engine has it: borrowed, or from the store. */
const char *ims_mounts_stored(const store *st, const char *path);
/* The path as this machine has it: the same. */
const char *ims_mounts_here(const store *st, const char *path);

/* Of roots and pictures that an engine has filled. ENOMEM. */
int ims_mounts_translate_roots(const store *st, store_roots *roots);
int ims_mounts_translate(const store *st, store_picture *p, size_t n);

/* ids_under of the engine, for a folder as this machine has it. */
int ims_mounts_ids_under(store *st, const char *folder, int64_t **ids, size_t *n,
	imgsearch_error *err);

/* A callback whose pictures have their roots where this machine has them. */
typedef struct mounts_each {
	const store *st;
	store_picture_each *picture;
	store_lookup_each *lookup;
	store_path_each *path;
	void *user;
} mounts_each;
int ims_mounts_each_picture(void *each, const store_picture *p, const char *root_path);
int ims_mounts_each_lookup(void *each, size_t i, const store_picture *p, const char *root_path,
	const store_cell *cell);
int ims_mounts_each_path(void *each, size_t i, const store_picture *p, const char *root_path);

#endif

/* All paths of a picture: its own, those of its copies, and other names of the files. */
#ifndef IMS_HANDLE_PATHS_H
#define IMS_HANDLE_PATHS_H

#include "handle/handle.h"

/* A path, and the picture whose file it leads to. */
typedef struct picture_path {
	char *path; /* owned */
	int64_t file;
	bool name; /* another name: that picture has another path */
} picture_path;

typedef struct picture_paths {
	picture_path *item;
	size_t n, cap;
} picture_paths;

int ims_paths_add(picture_paths *p, const char *path, int64_t file); /* copies path; ENOMEM */
void ims_paths_free(picture_paths *p, size_t n);                     /* the lists, and the array */

/* Appends the other paths of n indexed pictures to their lists, in order. EDB, EIO, ENOMEM. */
int ims_paths_read(imgsearch *s, const int64_t *ids, size_t n, picture_paths *lists,
	imgsearch_error *err);

/* The number of the first path below one of the folders; 0 where there is none. */
size_t ims_paths_below(const picture_paths *p, const char *const *folders, size_t n);

/*
 * Puts all of at least two paths but the one of number `shown` into a result. own: the text of that
 * one, which belongs to the result. ENOMEM.
 */
int ims_paths_show(void *result, const picture_paths *p, size_t shown, const char *own,
	const imgsearch_paths **out);

#endif

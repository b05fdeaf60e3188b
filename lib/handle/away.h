/*
 * Folders that are away for a while: what the index knows of files below them stays. A root is away
 * where it is absent or empty, as the place of a disk that is not mounted. So is a folder that was
 * a root before it became a part of another one, and a folder that a symbolic link leads to.
 */
#ifndef IMS_HANDLE_AWAY_H
#define IMS_HANDLE_AWAY_H

#include "handle/handle.h"

/* Zeroed before ims_away_read. One thread at a time. */
typedef struct away_folders {
	char **part; /* owned: absolute paths of folders that were roots */
	size_t n, cap;
	bool possible; /* a root is away, or it has such a part, or links are followed in it */
	char *folder;  /* owned: the last one that was looked at */
	bool is_away;
} away_folders;

int ims_away_read(imgsearch *s, away_folders *a, imgsearch_error *err); /* EDB, EIO, ENOMEM */
void ims_away_free(away_folders *a);

/*
 * Whether an absolute path lies in a folder that is away. root: the length of its root's path in
 * it; 0: none, then it does not. Neighbours in order of path are cheap.
 */
bool ims_away_has(away_folders *a, const char *path, size_t root);

#endif

/*
 * Folders that are offline: the index keeps what it knows of files below them. A root is offline
 * where it is absent or empty, like the mount point of a disk that is not mounted, or has a name
 * and this machine does not have it. The same holds for a folder that was a root before it became a
 * part of another one, for a mount point in a root (ingest/parts.h), and for a folder that a
 * symbolic link leads to.
 */
#ifndef IMS_HANDLE_OFFLINE_H
#define IMS_HANDLE_OFFLINE_H

#include "handle/handle.h"

/* Zeroed before ims_offline_read. One thread at a time. */
typedef struct offline_folders {
	text_list parts; /* absolute paths of such parts of roots */
	bool possible;   /* a root is offline, or it has such a part, or links are followed in it */
	char *folder;    /* owned: the last one that was looked at */
	bool is_offline;
} offline_folders;

int ims_offline_read(imgsearch *s, offline_folders *a, imgsearch_error *err); /* EDB, EIO, ENOMEM */
void ims_offline_free(offline_folders *a);

/*
 * Whether an absolute path lies in a folder that is offline. root: the length of its root's path in
 * it; 0: none, then it does not. Neighbours in order of path are cheap.
 */
bool ims_offline_has(offline_folders *a, const char *path, size_t root);

#endif

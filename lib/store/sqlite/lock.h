/* The files of an index, and the writer lock. */
#ifndef IMS_SQLITE_LOCK_H
#define IMS_SQLITE_LOCK_H

#include "store/sqlite/conn.h"

/* The paths of a file, which need not exist. ENOTFOUND: its folder; EIO, ENOMEM. */
int ims_store_paths(store *st, const char *path, imgsearch_error *err);
void ims_store_paths_free(store *st); /* also what a failure left */

/* Whether files can be created beside the index. Sets errno. */
bool ims_store_folder_writable(const store *st);

/* An exclusive advisory lock on FILE-lock, which ends with the process. EBUSY at once; EIO. */
int ims_store_lock(store *st, imgsearch_error *err);
void ims_store_unlock(store *st);

#endif

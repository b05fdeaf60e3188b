/* The files of an index, and the writer lock. */
#ifndef IMS_SQLITE_LOCK_H
#define IMS_SQLITE_LOCK_H

#include "store/sqlite/conn.h"

/* The paths of a file, which need not exist. ENOTFOUND: its folder; EIO, ENOMEM. */
int ims_sqlite_paths(sqlite_store *st, const char *path, imgsearch_error *err);
void ims_sqlite_paths_free(sqlite_store *st); /* also what a failure left */

/* Whether files can be created beside the index. Sets errno. */
bool ims_sqlite_folder_writable(const sqlite_store *st);

/* An exclusive advisory lock on FILE-lock, which ends with the process. EBUSY at once; EIO. */
int ims_sqlite_lock(sqlite_store *st, imgsearch_error *err);
void ims_sqlite_unlock(sqlite_store *st);

#endif

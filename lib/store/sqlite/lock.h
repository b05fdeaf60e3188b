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

/* At the end, without connections: FILE-lock goes where no journal is left and nobody writes. */
void ims_sqlite_remove_lock_file(sqlite_store *st);

/* What FILE-lock holds: of which file the journal beside it is. Bytes without padding. */
typedef struct lock_note {
	int64_t id, state; /* its number; ims_sqlite_file_state when it was last noted */
	uint64_t device, inode;
} lock_note;

/* The state, device and inode of the file now. False: it is not there. */
bool ims_sqlite_look_at_file(const sqlite_store *st, lock_note *note);
bool ims_sqlite_read_note(const sqlite_store *st, lock_note *note); /* false: there is none */

#endif

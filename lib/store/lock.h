/* The files of an index, and the writer lock. */
#ifndef IMS_STORE_LOCK_H
#define IMS_STORE_LOCK_H

#include "store/conn.h"

/* The paths of a file, which need not exist. ENOTFOUND: its folder; EIO, ENOMEM. */
int ims_store_paths(store *st, const char *path, imgsearch_error *err);
void ims_store_paths_free(store *st); /* also what a failure left */

/* Whether files can be created beside the index. Sets errno. */
bool ims_store_folder_writable(const store *st);

/* An exclusive advisory lock on FILE-lock, which ends with the process. EBUSY at once; EIO. */
int ims_store_lock(store *st, imgsearch_error *err);
void ims_store_unlock(store *st);

/* At the end, without connections: FILE-lock goes where no journal is left and nobody writes. */
void ims_store_remove_lock_file(store *st);

/* What FILE-lock holds: of which file the journal beside it is. Bytes without padding. */
typedef struct lock_note {
	int64_t id, state; /* its number; ims_store_file_state when it was last noted */
	uint64_t device, inode;
} lock_note;

/* The state, device and inode of the file now. False: it is not there. */
bool ims_store_look_at_file(const store *st, lock_note *note);
bool ims_store_read_note(const store *st, lock_note *note); /* false: there is none */

#endif

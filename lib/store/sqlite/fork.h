/* What happens to open stores where the process forks. */
#ifndef IMS_SQLITE_FORK_H
#define IMS_SQLITE_FORK_H

#include "store/sqlite/conn.h"

/* Once a process, before SQLite opens a file: prepares for forks. */
void ims_sqlite_fork_set_up(void);

/*
 * Between them no fork happens: a lock file is opened and entered in its store, or removed from it.
 * A child closes the lock files of all stores, so a lock ends with the parent.
 */
void ims_sqlite_fork_lock(void);
void ims_sqlite_fork_unlock(void);

/* Between lock and unlock: st->lock_fd was opened; is about to be closed. */
void ims_sqlite_fork_add(sqlite_store *st);
void ims_sqlite_fork_remove(sqlite_store *st);

#endif

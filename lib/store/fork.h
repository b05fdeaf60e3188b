/* What a child process gives up and keeps out of. */
#ifndef IMS_STORE_FORK_H
#define IMS_STORE_FORK_H

#include "store/conn.h"

/* Once a process, before SQLite opens a file: prepares for forks. */
void ims_store_fork_set_up(void);

/*
 * Enclose the opening of a lock file until the store knows it: no fork happens in between. The
 * child closes what the stores know: the lock ends with the parent.
 */
void ims_store_fork_lock(void);
void ims_store_fork_unlock(void);

/* Under hold: st->lock_fd is open; is about to be closed. */
void ims_store_fork_add(store *st);
void ims_store_fork_remove(store *st);

#endif

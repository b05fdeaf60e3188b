/*
 * Within the store: an open file and its SQLite connections. One connection writes, a pool of them
 * reads. A connection belongs to one thread from ims_sqlite_acquire to ims_sqlite_release.
 */
#ifndef IMS_SQLITE_CONN_H
#define IMS_SQLITE_CONN_H

#include "store/sqlite/path_cache.h"
#include "store/sqlite/engine.h"

#include <sqlite3.h>

enum { CONN_STATEMENTS = 96, STORE_READERS = STORE_PARTS, TALLIES = 105 };

#define IMS_STORE_MAP "0x7fff0000"   /* bytes of a file that SQLite maps */
#define IMS_STORE_WRITER_KIB "65536" /* of pages, that a writer keeps in memory */

typedef struct sqlite_store sqlite_store;

typedef struct conn {
	sqlite_store *st;
	sqlite3 *db;
	bool borrowed;      /* the handle of ":memory:", which all connections share */
	bool scattered;     /* its pages are read one by one, with none ahead */
	bool immutable;     /* opened without locks, since nothing could be written then */
	int64_t old;        /* reads a file of this version through views (schema.h); 0: needs none */
	store_hold hold;    /* of ":memory:" */
	int64_t file_state; /* of an immutable file, when it was opened */
	uint64_t wal_device, wal_inode; /* of its journal; 0: not seen yet, or none */
	bool shared;                    /* belongs to a snapshot of its thread */
	bool has_state;                 /* state is that of the data version */
	bool state_seen;                /* ... and was compared in the open snapshot */
	int64_t data_version;
	store_state state;
	path_cache paths; /* of that data version */
	unsigned steps;   /* of statements, since ims_sqlite_acquire */
	int failed; /* status of the first statement that failed; a transaction must be rolled back */
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
		bool used;
	} cached[CONN_STATEMENTS];
	size_t n;
} conn;

struct sqlite_store {
	store base;
	char *folder, *lock_path, *wal_path; /* absolute; ":memory:" has none */
	bool memory;
	bool asked_read_only; /* by the options */
	int lock_fd;
	struct sqlite_store *next_locked; /* fork.h */
	uint64_t device, inode;           /* of the file that was opened; 0: not yet, or none */
	atomic_llong file_id;             /* its random number; 0: it has none */
	atomic_llong checked;             /* the state of the file when its number was last compared */
	atomic_llong looked;              /* the millisecond of the last look at the file by a reader */
	atomic_bool overwritten;          /* it had another number: another file was copied over it */
	atomic_bool current;              /* the file was seen to be of the newest version */
	atomic_bool writing;              /* the writer lock is held through this handle */
	atomic_bool in_tx;
	_Atomic(pthread_t) tx_thread; /* the thread that sees the work of the open transaction */
	atomic_llong commits;
	atomic_size_t path_bytes; /* of the path caches of all connections */
	conn *writer;
	bool logging;                  /* in the open transaction: every change is logged */
	bool changed;                  /* else: the number of the newest change was raised */
	int64_t tally[TALLIES];        /* what the open transaction adds to each (tally.h) */
	pthread_mutex_t mutex;         /* guards what follows */
	pthread_cond_t gate;           /* this and the next ones: gate.h */
	store_hold *holds;             /* of the threads that read */
	bool gate_closed, gate_wanted; /* a transaction is open; waits to begin */
	unsigned gate_queue;           /* threads that wait for its end */
	conn *idle[STORE_READERS];
	size_t n_idle;
	int64_t file_state; /* of a file that is open for reading only: its time and size */
	bool journal;       /* whether it has a journal with something in it */
};

/* A connection for writing or reading. On failure *out is NULL. */
int ims_sqlite_connect(sqlite_store *st, conn **out, bool writer, imgsearch_error *err);
void ims_sqlite_disconnect(conn *c); /* NULL is fine */

/* Whether an older file can be read through views; otherwise it is upgraded first. */
bool ims_sqlite_has_views(void);

/*
 * A connection for reading on this thread: that of its snapshot, or from the pool, or the writing
 * one in its transaction.
 */
int ims_sqlite_acquire(sqlite_store *st, conn **out, imgsearch_error *err);
/* One from the pool. It may be used on another thread. */
int ims_sqlite_acquire_own(sqlite_store *st, conn **out, imgsearch_error *err);
void ims_sqlite_release(sqlite_store *st, conn *c); /* NULL is fine */

/*
 * Whether pages are read ahead around those that are needed: true for a scan, false for rows that
 * are looked up by id. A connection begins with true; so does every ims_sqlite_acquire outside a
 * snapshot. Within one it stays as it was set, since setting it costs a call of the system.
 */
void ims_sqlite_read_ahead(conn *c, bool ahead);

/* The snapshot of this thread; NULL: none. */
store_snapshot *ims_sqlite_snapshot_get(const sqlite_store *st);

/*
 * The connection of the writer, which upgrades an older file; under the writer lock. On failure
 * there is none.
 */
int ims_sqlite_open_writer(sqlite_store *st, imgsearch_error *err);

/* Whether this thread has a transaction open. */
bool ims_sqlite_own_transaction(sqlite_store *st);

/*
 * An immutable connection sees no change of the file, or sees some of it. ims_sqlite_drop_outdated
 * closes those that are idle after a change, under the mutex. ims_sqlite_check_unchanged: EBUSY
 * where the file was changed under an immutable connection.
 */
void ims_sqlite_drop_outdated(sqlite_store *st);
int ims_sqlite_check_unchanged(conn *c, imgsearch_error *err);

/*
 * What a read returns: rc, or EBUSY where that is damage and the file was changed under an
 * immutable connection, whose rows then may make no sense.
 */
int ims_sqlite_read_result(conn *c, int rc, imgsearch_error *err);

/*
 * The file of the path is the one that was opened. EIO: it was replaced, moved or deleted; what is
 * written through this handle would go to a file that nobody sees. Nothing for ":memory:". *state
 * receives ims_sqlite_file_state, from the same look at the file; 0 where nothing was looked at.
 */
int ims_sqlite_look(const sqlite_store *st, int64_t *state, imgsearch_error *err);
int ims_sqlite_check_path(const sqlite_store *st, imgsearch_error *err);
int ims_sqlite_remember_file(sqlite_store *st, imgsearch_error *err);

/*
 * No other file was copied over it: whenever its state changed, the number that it got when it was
 * made is read through c. EIO. What lies in the journal hides the file.
 */
int ims_sqlite_check_content(conn *c, int64_t state, imgsearch_error *err);
int ims_sqlite_check_file(conn *c, imgsearch_error *err); /* both */
/* Whether an error of SQLite comes from another file that was copied over this one; err says so. */
bool ims_sqlite_is_overwritten(conn *c, imgsearch_error *err);
/* Reads the number of a file that had none: it was made or upgraded. */
int ims_sqlite_learn_file_id(conn *c, imgsearch_error *err);
/* Within a transaction: gives the file a number, where it has none. */
int ims_sqlite_file_id_put(conn *c, bool anew, imgsearch_error *err);

/* The time and size of the file in one number; 0: there is none. */
int64_t ims_sqlite_file_state(const sqlite_store *st);

/*
 * The journal (-wal) of the path is the one that the idle connections have, and `own` (or NULL).
 * EIO: another program moved or deleted it; the next connection would make another, and write what
 * these do not see. SQLite itself deletes it only with the last connection.
 * ims_sqlite_remember_journal: once c has read.
 */
int ims_sqlite_check_journal(sqlite_store *st, const conn *own, imgsearch_error *err);
void ims_sqlite_remember_journal(conn *c);
bool ims_sqlite_has_other_journal(const conn *c); /* there is another one now */

/* Whether there is a journal with something in it. */
bool ims_sqlite_journal_exists(const sqlite_store *st);

/*
 * Before SQLite opens a file: EIO where the journal beside it was left by another index, in whose
 * place this file was put. FILE-lock says whose it is; where it does not, nothing is compared.
 */
int ims_sqlite_check_journal_owner(const sqlite_store *st, imgsearch_error *err);

/* The file alone, without locks and journal, as a URI; ims_free. NULL: out of memory. */
char *ims_sqlite_immutable_uri(const char *path);

/*
 * The state of the file as c reads it: kept until another connection commits, then read anew, and
 * c->paths is empty again. The caller has begun a read. Not for the writing connection.
 */
int ims_sqlite_state_update(conn *c, imgsearch_error *err);

/* Statements in between read one state of the file. */
int ims_sqlite_read_begin(conn *c, imgsearch_error *err);
void ims_sqlite_read_end(conn *c);

#endif

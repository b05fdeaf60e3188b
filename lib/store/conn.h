/*
 * Within the store: one SQLite connection with its prepared statements, and the few calls by which everything here
 * speaks SQL. Statements are cached by the address of their text, so SQL is always a string literal.
 */
#ifndef IMS_STORE_CONN_H
#define IMS_STORE_CONN_H

#include "store/store.h"

#include <sqlite3.h>

enum { CONN_STATEMENTS = 96, STORE_READERS = 16 };

typedef struct conn {
	store *st;
	sqlite3 *db;
	bool borrowed;  /* the handle of ":memory:", which all connections share */
	bool immutable; /* opened in the belief that nobody writes */
	int failed;     /* status of the first statement that failed; a transaction must then be rolled back */
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
		bool taken;
	} cached[CONN_STATEMENTS];
	size_t n;
} conn;

/* TALLIES: see tally.h */
enum { TALLIES = 10 };

struct store {
	char *path, *folder, *lock_path, *wal_path; /* absolute; ":memory:" has no files */
	bool memory, read_only;
	int lock_fd;
	atomic_bool writing;          /* someone holds the writer's right through this handle */
	atomic_bool in_tx;
	_Atomic(pthread_t) tx_thread; /* who sees the open transaction's work */
	atomic_llong commits;
	conn *writer;
	bool logging, noted;          /* of the open transaction: changes are logged; else: that there were some is noted */
	int64_t tally[TALLIES];       /* of the open transaction: what it adds */
	pthread_mutex_t mutex;        /* guards what follows */
	conn *idle[STORE_READERS];
	size_t n_idle;
	conn *watch;                  /* for data_version, which is of a connection */
	int64_t watched, epochs;      /* of a file opened in the belief that nobody writes: its state, and how often that changed */
};

/* -------------------------------------------------------------------------------------------- connections ---- */

int ims_store_connect(store *st, conn **out, bool writer, imgsearch_error *err);
void ims_store_disconnect(conn *c);

int ims_store_acquire(store *st, conn **out, imgsearch_error *err); /* for reading, on this thread */
void ims_store_release(store *st, conn *c);              /* NULL is fine */

/* Several statements that read one state of the file. */
int ims_store_read_begin(conn *c, imgsearch_error *err);
void ims_store_read_end(conn *c);

#endif

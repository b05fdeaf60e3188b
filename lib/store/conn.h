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
	bool broken;    /* a statement failed: the open transaction must not be committed */
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
		bool taken;
	} cached[CONN_STATEMENTS];
	size_t n;
} conn;

/* Rows that are counted as they come and go, since counting them would read the whole file: states, then vectors. */
enum { TALLY_VECTOR = 8, TALLY_NEXT = 9, TALLIES = 10 };

struct store {
	char *path, *lock_path, *wal_path; /* absolute; ":memory:" has no files */
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

/* ---------------------------------------------------------------------------------------------------- SQL ---- */

/*
 * Arguments by one letter each: i int64_t; t const char * (NULL: null); b const void *, size_t (NULL: null), p a path:
 * const char *, bound as its bytes.
 */
int ims_store_query(conn *c, sqlite3_stmt **out, imgsearch_error *err, const char *sql, const char *types, ...);
int ims_store_step(conn *c, sqlite3_stmt *s, imgsearch_error *err); /* 1: a row, 0: no more, else the error */
void ims_store_done(conn *c, sqlite3_stmt *s);                      /* hands the statement back; NULL is fine */

int ims_store_run(conn *c, imgsearch_error *err, const char *sql, const char *types, ...); /* to its end */

/* The first column of the first row; `none` where there is no row. */
int ims_store_number(conn *c, int64_t *out, int64_t none, imgsearch_error *err, const char *sql, const char *types, ...);

/* Text that is not worth caching: pragmas, schema. */
int ims_store_exec(conn *c, const char *sql, imgsearch_error *err);

/* What a result code of SQLite means to us, with the file's name and what to do. */
int ims_store_sql_fail(conn *c, int rc, imgsearch_error *err);

/* A copy of a text or blob column as a string; NULL where it is null (*failed when memory is short). */
char *ims_store_text(sqlite3_stmt *s, int column, bool *failed);

/* -------------------------------------------------------------------------------------------- connections ---- */

int ims_store_connect(store *st, conn **out, bool writer, imgsearch_error *err);
void ims_store_disconnect(conn *c);
int ims_store_add_functions(conn *c, imgsearch_error *err); /* whole(): see roots.c */

int ims_store_lease(store *st, conn **out, imgsearch_error *err); /* for reading, on this thread */
void ims_store_return(store *st, conn *c);              /* NULL is fine */

/* The writing connection within a transaction; fails outside of one and after a failed statement. */
int ims_store_writer(store *st, conn **out, imgsearch_error *err);

/* Several statements that read one state of the file. */
int ims_store_read_begin(conn *c, imgsearch_error *err);
void ims_store_read_end(conn *c);

/* ------------------------------------------------------------------------------------------------- schema ---- */

uint32_t ims_store_page_size(uint32_t dim);

/* Steps[i] is the SQL that makes version i + 1 of version i; 0 is an empty file. All in one transaction. */
extern const char *const ims_store_steps[IMS_STORE_VERSION];
int ims_store_upgrade(conn *c, const char *const *steps, int64_t version, imgsearch_error *err);

enum { STORE_APPLICATION_ID = 0x696d7365 }; /* "imse" */

bool ims_store_folder_writable(const char *path); /* that the file lies in; sets errno */

/* The lock file, and an advisory lock that goes with the process. EBUSY at once. */
int ims_store_lock(store *st, imgsearch_error *err);
void ims_store_unlock(store *st);

/* Notes that a vector of the current model changed; writes the transaction's tallies down. */
int ims_store_changed(store *st, conn *c, int64_t id, imgsearch_error *err);
int ims_store_tally_flush(store *st, conn *c, imgsearch_error *err);

/* Drops the vectors of id, noting the change; *gone becomes true where there was one. gone may be NULL. */
int ims_store_vector_drop(store *st, conn *c, int64_t id, bool *gone, imgsearch_error *err);

int ims_store_add_id(int64_t **ids, size_t *n, size_t *cap, int64_t id, imgsearch_error *err);

/* The columns that a store_picture is read from; borrowed strings. */
#define PICTURE_COLUMNS \
	"p.id, p.root, p.path, p.size, p.mtime_ns, p.state, p.reason, p.width, p.height, p.hash, p.same_as"
int ims_store_picture_row(sqlite3_stmt *s, store_picture *out, imgsearch_error *err);

#endif

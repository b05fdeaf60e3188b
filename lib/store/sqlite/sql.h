/*
 * Runs SQL. Prepared statements are cached by the address of their text, so SQL is a string
 * literal. Functions return 0 or a status; err gets the name of the file and what to do.
 */
#ifndef IMS_SQLITE_SQL_H
#define IMS_SQLITE_SQL_H

#include "store/sqlite/conn.h"

/*
 * Prepares and binds. types has one letter for each argument: i int64_t; t const char * (NULL:
 * null); b const void *, size_t (NULL: null); p const char *, a path, bound as its bytes. Arguments
 * are borrowed until ims_sqlite_done.
 */
int ims_sqlite_query(conn *c, sqlite3_stmt **out, imgsearch_error *err, const char *sql,
	const char *types, ...);
int ims_sqlite_step(conn *c, sqlite3_stmt *s, imgsearch_error *err); /* 1: a row; 0: no more */
void ims_sqlite_done(conn *c, sqlite3_stmt *s); /* resets and returns the statement; NULL is fine */

/*
 * Reads the remaining rows into an array of items of `item` bytes. read fills a zeroed item from
 * the row and returns false where memory is short. Also on failure the caller frees the *n items.
 */
int ims_sqlite_rows(conn *c, sqlite3_stmt *s, void **out, size_t *n, size_t item,
	bool (*read)(void *item, sqlite3_stmt *s), imgsearch_error *err);

/* Runs a statement to its end. */
int ims_sqlite_run(conn *c, imgsearch_error *err, const char *sql, const char *types, ...);

/* The first column of the first row; `none` where there is no row or it is null, or on failure. */
int ims_sqlite_number(conn *c, int64_t *out, int64_t none, imgsearch_error *err, const char *sql,
	const char *types, ...);

/* The same on a connection for reading of its own. */
int ims_sqlite_read_number(sqlite_store *st, int64_t *out, int64_t none, imgsearch_error *err,
	const char *sql, const char *types, ...);

/* Text that is not cached and may hold several statements: pragmas, schema. */
int ims_sqlite_exec(conn *c, const char *sql, imgsearch_error *err);

/* The status for a result code of SQLite. The connection counts as failed from here on. */
int ims_sqlite_sql_fail(conn *c, int sqlite, imgsearch_error *err);

/*
 * A copy of a text or blob column, terminated. NULL where it is null, or *failed where memory is
 * short.
 */
char *ims_sqlite_text(sqlite3_stmt *s, int column, bool *failed);

/*
 * Runs a query on a connection for reading and calls each for every row. ?1 is a JSON array of the
 * ids, which json_each turns into a table. A result of each other than 0 stops and is returned.
 */
typedef int store_row_each(void *user, sqlite3_stmt *s, imgsearch_error *err);
int ims_sqlite_rows_of(sqlite_store *st, const int64_t *ids, size_t n, const char *sql,
	store_row_each *each, void *user, imgsearch_error *err);

/* Appends an id to a list of *n. ENOMEM. */
int ims_sqlite_add_id(int64_t **ids, size_t *n, size_t *cap, int64_t id, imgsearch_error *err);

#endif

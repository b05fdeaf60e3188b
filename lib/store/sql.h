/* How the store speaks SQL. Statements are cached by the address of their text, so SQL is always a string literal. */
#ifndef IMS_STORE_SQL_H
#define IMS_STORE_SQL_H

#include "store/conn.h"

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


int ims_store_add_id(int64_t **ids, size_t *n, size_t *cap, int64_t id, imgsearch_error *err);

#endif

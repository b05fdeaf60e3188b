/*
 * Prepares statements from the cache of the connection, binds, steps, and translates the result
 * codes of SQLite.
 *
 * A cached statement that is in use is prepared a second time, so a callback may run the statement
 * that is stepping above it.
 */
#include "store/sqlite/sql.h"

#include <errno.h>
#include <string.h>

static int write_error(const conn *c, int sqlite, imgsearch_error *err)
{
	const char *path = c->st->base.label;
	/* the message of a shared handle may belong to another thread */
	const char *said = c->borrowed ? sqlite3_errstr(sqlite) : sqlite3_errmsg(c->db);
	int number = sqlite3_system_errno(c->db);
	const char *colon = number ? ": " : "", *system = number ? ims_errno_text(number) : "";
	switch (sqlite & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ims_fail(err, IMGSEARCH_EBUSY, "index %s: another program keeps it locked", path);
	case SQLITE_FULL:
		return ims_fail(err, IMGSEARCH_EIO,
			"index %s: the disk is full; what was not yet committed is undone", path);
	case SQLITE_IOERR:
		return ims_fail(err, IMGSEARCH_EIO, "index %s: %s%s%s", path, sqlite3_errstr(sqlite), colon,
			system);
	case SQLITE_CANTOPEN:
		return ims_fail(err, IMGSEARCH_EIO, "index %s: cannot be opened%s%s", path, colon, system);
	case SQLITE_READONLY:
		return ims_fail(err, IMGSEARCH_EIO,
			"index %s: cannot be written: the file, its folder or its disk is read-only", path);
	case SQLITE_TOOBIG:
		return ims_fail(err, IMGSEARCH_ELIMIT,
			"index %s: a text or a vector is longer than SQLite stores", path);
	case SQLITE_NOTADB:
		return ims_fail(err, IMGSEARCH_EDB,
			"%s is not an imgsearch index: it is no SQLite database", path);
	case SQLITE_CORRUPT:
		return ims_fail(err, IMGSEARCH_EDB, "index %s is damaged or cut off (%s)", path, said);
	default:
		return ims_fail(err, IMGSEARCH_EDB, "index %s: %s", path, said);
	}
}

int ims_sqlite_sql_fail(conn *c, int sqlite, imgsearch_error *err)
{
	bool memory = (sqlite & 0xff) == SQLITE_NOMEM || sqlite == SQLITE_IOERR_NOMEM;
	/* an immutable file that changes under its connection looks damaged to SQLite */
	if (!memory && ims_sqlite_check_unchanged(c, err))
		return c->failed;
	bool format = (sqlite & 0xff) == SQLITE_CORRUPT || (sqlite & 0xff) == SQLITE_NOTADB
		|| sqlite == SQLITE_IOERR_SHORT_READ;
	if (format && ims_sqlite_is_overwritten(c, err))
		return c->failed = IMGSEARCH_EIO;
	int rc = memory ? ims_nomem(err) : write_error(c, sqlite, err);
	if (err && !memory)
		err->detail = (sqlite & 0xff) == SQLITE_FULL ? ENOSPC : sqlite;
	if (!c->failed)
		c->failed = rc;
	return rc;
}

static int prepare(conn *c, sqlite3_stmt **out, const char *sql, imgsearch_error *err)
{
	size_t i = 0;
	while (i < c->n && (c->cached[i].sql != sql || c->cached[i].used))
		i++;
	if (i < c->n) {
		c->cached[i].used = true;
		*out = c->cached[i].stmt;
		return 0;
	}
	bool cache = c->n < CONN_STATEMENTS;
	int sqlite = sqlite3_prepare_v3(c->db, sql, -1, cache ? SQLITE_PREPARE_PERSISTENT : 0, out,
		NULL);
	if (sqlite)
		return ims_sqlite_sql_fail(c, sqlite, err);
	if (cache) {
		c->cached[c->n].sql = sql;
		c->cached[c->n].stmt = *out;
		c->cached[c->n++].used = true;
	}
	return 0;
}

void ims_sqlite_done(conn *c, sqlite3_stmt *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < c->n; i++)
		if (c->cached[i].stmt == s) {
			sqlite3_reset(s);
			sqlite3_clear_bindings(s);
			c->cached[i].used = false;
			return;
		}
	sqlite3_finalize(s);
}

/* Bound data are borrowed: a statement is reset before its caller returns. */
static int bind(sqlite3_stmt *s, const char *types, va_list args)
{
	int rc = SQLITE_OK;
	for (int i = 1; *types && rc == SQLITE_OK; types++, i++) {
		const void *data;
		size_t size;
		switch (*types) {
		case 'i':
			rc = sqlite3_bind_int64(s, i, va_arg(args, int64_t));
			break;
		case 't':
			rc = sqlite3_bind_text(s, i, va_arg(args, const char *), -1, SQLITE_STATIC);
			break;
		case 'p':
			data = va_arg(args, const char *);
			rc = sqlite3_bind_blob64(s, i, data, strlen(data), SQLITE_STATIC);
			break;
		default:
			data = va_arg(args, const void *);
			size = va_arg(args, size_t);
			rc = sqlite3_bind_blob64(s, i, data, size, SQLITE_STATIC);
		}
	}
	return rc;
}

static int query(conn *c, sqlite3_stmt **out, imgsearch_error *err, const char *sql,
	const char *types, va_list args)
{
	*out = NULL;
	int rc = prepare(c, out, sql, err);
	if (rc)
		return rc;
	int sqlite = bind(*out, types, args);
	if (sqlite == SQLITE_OK)
		return 0;
	rc = ims_sqlite_sql_fail(c, sqlite, err);
	ims_sqlite_done(c, *out);
	*out = NULL;
	return rc;
}

int ims_sqlite_query(conn *c, sqlite3_stmt **out, imgsearch_error *err, const char *sql,
	const char *types, ...)
{
	va_list args;
	va_start(args, types);
	int rc = query(c, out, err, sql, types, args);
	va_end(args);
	return rc;
}

int ims_sqlite_step(conn *c, sqlite3_stmt *s, imgsearch_error *err)
{
	enum { ROWS = 16 }; /* between two looks at an immutable file */
	int sqlite = sqlite3_step(s);
	int rc = sqlite != SQLITE_ROW || c->steps++ % ROWS == 0 ? ims_sqlite_check_unchanged(c, err)
															: 0;
	if (rc)
		return rc;
	if (sqlite == SQLITE_ROW)
		return 1;
	return sqlite == SQLITE_DONE ? 0 : ims_sqlite_sql_fail(c, sqlite, err);
}

int ims_sqlite_rows(conn *c, sqlite3_stmt *s, void **out, size_t *n, size_t item,
	bool (*read)(void *item, sqlite3_stmt *s), imgsearch_error *err)
{
	size_t cap = 0;
	int rc;
	*out = NULL;
	*n = 0;
	while ((rc = ims_sqlite_step(c, s, err)) > 0) {
		char *grown = ims_grow(*out, *n, &cap, item);
		if (!grown)
			return ims_nomem(err);
		*out = grown;
		void *next = memset(grown + (*n)++ * item, 0, item);
		if (!read(next, s))
			return ims_nomem(err);
	}
	return rc;
}

int ims_sqlite_run(conn *c, imgsearch_error *err, const char *sql, const char *types, ...)
{
	sqlite3_stmt *s;
	va_list args;
	va_start(args, types);
	int rc = query(c, &s, err, sql, types, args);
	va_end(args);
	if (rc)
		return rc;
	while ((rc = ims_sqlite_step(c, s, err)) > 0)
		;
	ims_sqlite_done(c, s);
	return rc;
}

static int number(conn *c, int64_t *out, int64_t none, imgsearch_error *err, const char *sql,
	const char *types, va_list args)
{
	sqlite3_stmt *s;
	*out = none;
	int rc = query(c, &s, err, sql, types, args);
	if (rc)
		return rc;
	rc = ims_sqlite_step(c, s, err);
	if (rc > 0 && sqlite3_column_type(s, 0) != SQLITE_NULL)
		*out = sqlite3_column_int64(s, 0);
	ims_sqlite_done(c, s);
	return rc < 0 ? rc : 0;
}

int ims_sqlite_number(conn *c, int64_t *out, int64_t none, imgsearch_error *err, const char *sql,
	const char *types, ...)
{
	va_list args;
	va_start(args, types);
	int rc = number(c, out, none, err, sql, types, args);
	va_end(args);
	return rc;
}

int ims_sqlite_read_number(sqlite_store *st, int64_t *out, int64_t none, imgsearch_error *err,
	const char *sql, const char *types, ...)
{
	conn *c;
	va_list args;
	*out = none;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	va_start(args, types);
	rc = number(c, out, none, err, sql, types, args);
	va_end(args);
	ims_sqlite_release(st, c);
	return rc;
}

int ims_sqlite_exec(conn *c, const char *sql, imgsearch_error *err)
{
	int sqlite = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
	return sqlite ? ims_sqlite_sql_fail(c, sqlite, err) : 0;
}

char *ims_sqlite_text(sqlite3_stmt *s, int column, bool *failed)
{
	if (sqlite3_column_type(s, column) == SQLITE_NULL)
		return NULL;
	const char *text = (const char *)sqlite3_column_text(s, column);
	char *copy = text ? ims_strdup(text) : NULL;
	*failed |= !copy;
	return copy;
}

int ims_sqlite_add_id(int64_t **ids, size_t *n, size_t *cap, int64_t id, imgsearch_error *err)
{
	int64_t *more = ims_grow(*ids, *n, cap, sizeof *more);
	if (!more)
		return ims_nomem(err);
	*ids = more;
	(*ids)[(*n)++] = id;
	return 0;
}

/* The ids as a JSON array; ims_free. NULL: out of memory. */
static char *id_list(const int64_t *ids, size_t n)
{
	buf text = { 0 };
	for (size_t i = 0; i < n; i++)
		ims_buf_text(&text, "%c%lld", i ? ',' : '[', (long long)ids[i]);
	ims_buf_text(&text, n ? "]" : "[]");
	if (!text.failed)
		return (char *)text.data;
	ims_buf_free(&text);
	return NULL;
}

int ims_sqlite_rows_of(sqlite_store *st, const int64_t *ids, size_t n, const char *sql,
	store_row_each *each, void *user, imgsearch_error *err)
{
	conn *c = NULL;
	sqlite3_stmt *s = NULL;
	char *list = id_list(ids, n);
	int rc = list ? ims_sqlite_acquire(st, &c, err) : ims_nomem(err);
	if (!rc)
		rc = ims_sqlite_query(c, &s, err, sql, "t", list);
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0)
		rc = each(user, s, err);
	if (c)
		rc = ims_sqlite_read_result(c, rc, err);
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	ims_free(list);
	return rc;
}

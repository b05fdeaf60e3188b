/*
 * Features of parts of pictures: a row for each picture that has them, beside its vector. Those of
 * a picture that was deleted on purpose stay, as its vector does in vector_kept, and are left out
 * of what is read. The first writer that stores something makes the tables.
 */
#include "store/sqlite/regions.h"

#include "store/sqlite/changes.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/tally.h"
#include "store/sqlite/transaction.h"

#include <string.h>

int ims_sqlite_regions_exist(conn *c, bool *exist, imgsearch_error *err)
{
	int64_t n = 0;
	int rc = ims_sqlite_number(c, &n, 0, err,
		"SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = 'region'", "");
	*exist = n != 0;
	return rc;
}

int ims_sqlite_regions_make(conn *c, imgsearch_error *err)
{
	return ims_sqlite_exec(c,
		"CREATE TABLE IF NOT EXISTS region(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
		"CREATE TABLE IF NOT EXISTS region_next(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
		err);
}

int ims_sqlite_regions_put(sqlite_store *st, conn *c, int64_t id, const void *data, size_t size,
	bool next, imgsearch_error *err)
{
	bool exist;
	int rc = ims_sqlite_regions_exist(c, &exist, err);
	if (!rc && !exist)
		rc = ims_sqlite_regions_make(c, err);
	if (!rc)
		rc = ims_sqlite_regions_drop(st, c, id, next, err);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			next ? "INSERT INTO region_next(id, data) SELECT id, ?2 FROM vector_next WHERE id = ?1"
				 : "INSERT INTO region(id, data) SELECT id, ?2 FROM vector WHERE id = ?1",
			"ib", id, data, size);
	if (!rc)
		st->tally[next ? TALLY_REGION_NEXT : TALLY_REGION] += sqlite3_changes(c->db);
	return rc;
}

int ims_sqlite_regions_drop(sqlite_store *st, conn *c, int64_t id, bool next, imgsearch_error *err)
{
	bool exist;
	int rc = ims_sqlite_regions_exist(c, &exist, err);
	if (rc || !exist)
		return rc;
	rc = ims_sqlite_run(c, err,
		next ? "DELETE FROM region_next WHERE id = ?1" : "DELETE FROM region WHERE id = ?1", "i",
		id);
	if (!rc)
		st->tally[next ? TALLY_REGION_NEXT : TALLY_REGION] -= sqlite3_changes(c->db);
	return rc;
}

int ims_sqlite_regions_inherit(sqlite_store *st, conn *c, int64_t from, int64_t to,
	imgsearch_error *err)
{
	bool exist;
	int rc = ims_sqlite_regions_exist(c, &exist, err);
	if (rc || !exist)
		return rc;
	rc = ims_sqlite_run(c, err,
		"INSERT INTO region(id, data) SELECT ?2, data FROM region WHERE id = ?1", "ii", from, to);
	if (!rc)
		st->tally[TALLY_REGION] += sqlite3_changes(c->db);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			"INSERT INTO region_next(id, data) SELECT ?2, data FROM region_next WHERE id = ?1",
			"ii", from, to);
	if (!rc)
		st->tally[TALLY_REGION_NEXT] += sqlite3_changes(c->db);
	return rc;
}

int ims_sqlite_regions_move(conn *c, int64_t from, int64_t to, imgsearch_error *err)
{
	bool exist;
	int rc = ims_sqlite_regions_exist(c, &exist, err);
	if (!rc && exist)
		rc = ims_sqlite_run(c, err, "UPDATE region SET id = ?2 WHERE id = ?1", "ii", from, to);
	return rc || !exist
		? rc
		: ims_sqlite_run(c, err, "UPDATE region_next SET id = ?2 WHERE id = ?1", "ii", from, to);
}

int ims_sqlite_regions_switch(conn *c, imgsearch_error *err)
{
	bool exist;
	int rc = ims_sqlite_regions_exist(c, &exist, err);
	if (!rc && exist)
		rc = ims_sqlite_exec(c,
			"DROP TABLE region; ALTER TABLE region_next RENAME TO region;"
			"CREATE TABLE region_next(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
			"INSERT OR REPLACE INTO tally(what, n) VALUES(105, ifnull((SELECT n FROM tally WHERE"
			" what = 106), 0));"
			"UPDATE tally SET n = 0 WHERE what = 106",
			err);
	return rc;
}

int ims_sqlite_regions_drop_next(sqlite_store *st, conn *c, imgsearch_error *err)
{
	bool exist;
	int rc = ims_sqlite_regions_exist(c, &exist, err);
	st->tally[TALLY_REGION_NEXT] = 0;
	return rc || !exist
		? rc
		: ims_sqlite_exec(c, "DELETE FROM region_next; UPDATE tally SET n = 0 WHERE what = 106",
			err);
}

int ims_sqlite_regions_clear(store *base, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_tally_flush(st, c, err);
	/* connections that show the second model have views of the tables */
	if (!rc)
		rc = ims_sqlite_exec(c,
			st->has_second ? "DELETE FROM region; DELETE FROM region_next"
						   : "DROP TABLE IF EXISTS region; DROP TABLE IF EXISTS region_next",
			err);
	if (!rc)
		rc = ims_sqlite_exec(c,
			"UPDATE tally SET n = 0 WHERE what IN (105, 106);"
			"DELETE FROM searcher WHERE name LIKE '%.regions';"
			"DELETE FROM setting WHERE name LIKE '%.regions'",
			err);
	if (!rc && st->has_second)
		rc = ims_sqlite_exec(c,
			"DELETE FROM searcher_next WHERE name LIKE '%.regions';"
			"DELETE FROM setting_next WHERE name LIKE '%.regions'",
			err);
	return rc;
}

/* ------------------------------------------------------------------------------- reading ---- */

typedef struct regions_reader {
	store_regions_each *each;
	void *user;
} regions_reader;

/* A row of an id, its data, and perhaps the number of the id. */
static int report(const regions_reader *r, sqlite3_stmt *s, size_t i, imgsearch_error *err)
{
	const void *data = sqlite3_column_blob(s, 1);
	size_t size = (size_t)sqlite3_column_bytes(s, 1);
	return size && !data ? ims_nomem(err)
						 : r->each(r->user, i, sqlite3_column_int64(s, 0), data, size);
}

int ims_sqlite_regions_scan(store *base, store_regions_each *each, void *user, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	regions_reader r = { each, user };
	bool exist;
	sqlite3_stmt *s = NULL;
	conn *c;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	ims_sqlite_read_ahead(c, true);
	rc = ims_sqlite_regions_exist(c, &exist, err);
	if (!rc && exist)
		rc = ims_sqlite_query(c, &s, err,
			"SELECT id, data FROM region WHERE id NOT IN (SELECT id FROM vector_kept) ORDER BY id",
			"");
	for (size_t i = 0; !rc && exist && (rc = ims_sqlite_step(c, s, err)) > 0; i++)
		rc = report(&r, s, i, err);
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	return rc;
}

enum { FETCH = 10 }; /* rows of a statement, as of vectors */

/* Rows of n <= FETCH ids, of which the first is number `first`. */
static int fetch_some(const regions_reader *r, conn *c, sqlite3_stmt *s, const int64_t *ids,
	size_t n, size_t first, imgsearch_error *err)
{
	int rc;
	size_t i = 0;
	sqlite3_reset(s);
	for (size_t j = 0; j < FETCH; j++)
		if (j < n)
			sqlite3_bind_int64(s, (int)j + 1, ids[j]);
		else
			sqlite3_bind_null(s, (int)j + 1);
	while ((rc = ims_sqlite_step(c, s, err)) > 0) {
		while (i + 1 < n && ids[i] != sqlite3_column_int64(s, 0)) /* ids without a row */
			i++;
		rc = report(r, s, first + i++, err);
		if (rc)
			break;
	}
	return rc;
}

/*
 * Asks what the connection knows of the tables, which is much quicker than to read them: what has
 * read the setting in the same state of the file has brought that up to date.
 */
static bool are_known(conn *c)
{
	return sqlite3_table_column_metadata(c->db, "main", "region", NULL, NULL, NULL, NULL, NULL,
			   NULL)
		== SQLITE_OK;
}

int ims_sqlite_regions_fetch(store *base, const int64_t *ids, size_t n, store_regions_each *each,
	void *user, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	regions_reader r = { each, user };
	sqlite3_stmt *s = NULL;
	conn *c;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	ims_sqlite_read_ahead(c, false);
	rc = ims_sqlite_read_begin(c, err);
	bool known = !rc && are_known(c);
	if (known)
		rc = ims_sqlite_query(c, &s, err,
			"SELECT q.column1, r.data FROM"
			" (VALUES (?1), (?2), (?3), (?4), (?5), (?6), (?7), (?8), (?9), (?10)) q"
			" CROSS JOIN region r ON r.id = q.column1"
			" WHERE NOT EXISTS(SELECT 1 FROM vector_kept k WHERE k.id = r.id)",
			"");
	for (size_t i = 0; known && !rc && i < n; i += FETCH)
		rc = fetch_some(&r, c, s, ids + i, n - i < FETCH ? n - i : FETCH, i, err);
	ims_sqlite_done(c, s);
	ims_sqlite_read_end(c);
	ims_sqlite_release(st, c);
	return rc;
}

/*
 * The log of changes: ids of vectors that changed, numbered without gaps. It is kept only while a
 * searcher has a state that it can bring up to date.
 */
#include "store/sqlite/changes.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

/*
 * Without a searcher nothing is logged, but the first change of a transaction raises the number of
 * the newest one.
 */
#define LOG(table) "INSERT INTO " table "(id) VALUES(?1)"
#define CLEAR(table) "DELETE FROM " table
#define RAISE(table) "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = '" table "'"

int ims_sqlite_changed(sqlite_store *st, conn *c, int64_t id, imgsearch_error *err)
{
	if (st->logging)
		return ims_sqlite_run(c, err, LOG("change"), "i", id);
	if (st->changed)
		return 0;
	st->changed = true;
	int rc = ims_sqlite_run(c, err, CLEAR("change"), "");
	return rc ? rc : ims_sqlite_run(c, err, RAISE("change"), "");
}

int ims_sqlite_changed_next(sqlite_store *st, conn *c, int64_t id, imgsearch_error *err)
{
	if (!st->has_second)
		return 0;
	if (st->logging_second)
		return ims_sqlite_run(c, err, LOG("change_next"), "i", id);
	if (st->changed_second)
		return 0;
	st->changed_second = true;
	int rc = ims_sqlite_run(c, err, CLEAR("change_next"), "");
	return rc ? rc : ims_sqlite_run(c, err, RAISE("change_next"), "");
}

#define TRIM(changes, searchers) \
	"DELETE FROM " changes " WHERE number <= ifnull((SELECT min(change) FROM " searchers \
	"), number)"

int ims_sqlite_changes_trim(store *base, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	return rc
		? rc
		: ims_sqlite_run(c, err,
			st->second ? TRIM("change_next", "searcher_next") : TRIM("change", "searcher"), "");
}

#define NEWEST(table) "SELECT seq FROM sqlite_sequence WHERE name = '" table "'"

int ims_sqlite_change_newest(conn *c, int64_t *change, imgsearch_error *err)
{
	return ims_sqlite_number(c, change, 0, err,
		c->st->second ? NEWEST("change_next") : NEWEST("change"), "");
}

int ims_sqlite_changes_between(store *base, int64_t after, int64_t last, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	sqlite3_stmt *s = NULL;
	int64_t newest = 0, oldest = 0;
	size_t cap = 0;
	*ids = NULL;
	*n = 0;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_read_begin(c, err);
	if (!rc)
		rc = ims_sqlite_change_newest(c, &newest, err);
	if (!rc) /* numbers have no gaps */
		rc = ims_sqlite_number(c, &oldest, newest + 1, err, "SELECT min(number) FROM change", "");
	if (!rc && (after < oldest - 1 || after > newest))
		rc = IMGSEARCH_ENOTFOUND;
	if (!rc)
		rc = ims_sqlite_query(c, &s, err,
			"SELECT DISTINCT id FROM change WHERE number > ?1 AND number <= ?2 ORDER BY id", "ii",
			after, last);
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0)
		rc = ims_sqlite_add_id(ids, n, &cap, sqlite3_column_int64(s, 0), err);
	ims_sqlite_done(c, s);
	ims_sqlite_read_end(c);
	ims_sqlite_release(st, c);
	if (rc) {
		ims_free(*ids);
		*ids = NULL;
		*n = 0;
	}
	return rc;
}

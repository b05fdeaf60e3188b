/* Small settings by name. */
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

#define DELETE(table) "DELETE FROM " table " WHERE name = ?1"
#define PUT(table) "INSERT OR REPLACE INTO " table "(name, data) VALUES(?1, ?2)"

int ims_sqlite_setting_set(store *base, const char *name, const void *data, size_t size,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (rc)
		return rc;
	if (!data)
		return ims_sqlite_run(c, err, st->second ? DELETE("setting_next") : DELETE("setting"), "t",
			name);
	return ims_sqlite_run(c, err, st->second ? PUT("setting_next") : PUT("setting"), "tb", name,
		data, size);
}

int ims_sqlite_setting_get(store *base, const char *name, buf *out, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	out->len = 0;
	rc = ims_sqlite_query(c, &s, err, "SELECT data FROM setting WHERE name = ?1", "t", name);
	if (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		ims_buf_put(out, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
		rc = out->failed ? ims_nomem(err) : 0;
	}
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	return rc;
}

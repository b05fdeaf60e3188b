/* Signatures of pictures. */
#include "store/sqlite/pictures.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

int ims_sqlite_signature_put(sqlite_store *st, int64_t picture, const hash256 *hash,
	const void *data, size_t size, imgsearch_error *err)
{
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	return rc ? rc
			  : ims_sqlite_run(c, err,
				  "INSERT OR REPLACE INTO signature(picture, hash, data) VALUES(?, ?, ?)", "ibb",
				  picture, (const void *)hash->byte, sizeof hash->byte, data, size);
}

int ims_sqlite_signature_get(store *base, int64_t picture, const hash256 *hash, buf *out,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	sqlite3_stmt *s = NULL;
	conn *c;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_query(c, &s, err, "SELECT data FROM signature WHERE picture = ? AND hash = ?",
		"ib", picture, (const void *)hash->byte, sizeof hash->byte);
	if (!rc)
		rc = ims_sqlite_step(c, s, err);
	bool found = rc == 1;
	if (found)
		ims_buf_put(out, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	if (out->failed)
		return ims_nomem(err);
	return rc == 0 || rc == 1 ? (found ? 0 : IMGSEARCH_ENOTFOUND) : rc;
}

int ims_sqlite_signatures(store *base, store_signature_each *each, void *user, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	sqlite3_stmt *s = NULL;
	conn *c;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	ims_sqlite_read_ahead(c, true);
	rc = ims_sqlite_query(c, &s, err,
		"SELECT g.picture, g.data FROM signature g JOIN picture p ON p.id = g.picture"
		" WHERE p.hash = g.hash AND p.state = 1 ORDER BY g.picture",
		"");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) == 1)
		rc = each(user, sqlite3_column_int64(s, 0), sqlite3_column_blob(s, 1),
			(size_t)sqlite3_column_bytes(s, 1));
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	return rc;
}

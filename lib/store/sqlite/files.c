/* Stored files: the bytes of pictures that have no file, in pieces. */
#include "store/sqlite/files.h"

#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

#include <string.h>

int ims_sqlite_files_exist(conn *c, bool *exist, imgsearch_error *err)
{
	int64_t n = 0;
	int rc = ims_sqlite_number(c, &n, 0, err,
		"SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = 'stored_file'", "");
	*exist = n != 0;
	return rc;
}

int ims_sqlite_files_make(conn *c, imgsearch_error *err)
{
	return ims_sqlite_exec(c,
		"CREATE TABLE IF NOT EXISTS stored_file(picture INTEGER NOT NULL REFERENCES picture(id) ON"
		" DELETE CASCADE, number INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE(picture, number))"
		" STRICT",
		err);
}

int ims_sqlite_file_drop(conn *c, int64_t picture, imgsearch_error *err)
{
	bool exist;
	int rc = ims_sqlite_files_exist(c, &exist, err);
	return rc || !exist
		? rc
		: ims_sqlite_run(c, err, "DELETE FROM stored_file WHERE picture = ?1", "i", picture);
}

int ims_sqlite_file_put(store *base, int64_t picture, const void *data, size_t size,
	imgsearch_error *err)
{
	conn *c;
	int rc = ims_sqlite_writer((sqlite_store *)base, &c, err);
	if (!rc)
		rc = ims_sqlite_files_make(c, err);
	if (!rc)
		rc = ims_sqlite_file_drop(c, picture, err);
	for (size_t i = 0; !rc && i < size; i += STORE_PIECE)
		rc = ims_sqlite_run(c, err,
			"INSERT INTO stored_file(picture, number, data) VALUES(?1, ?2, ?3)", "iib", picture,
			(int64_t)(i / STORE_PIECE), (const void *)((const char *)data + i),
			size - i < STORE_PIECE ? size - i : (size_t)STORE_PIECE);
	return rc;
}

static int read_pieces(conn *c, int64_t picture, buf *out, hash256 *hash, imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	bool found = false;
	int rc = ims_sqlite_query(c, &s, err,
		"SELECT s.data, q.hash FROM picture q JOIN stored_file s ON s.picture = coalesce((SELECT"
		" min(p.id) FROM picture p JOIN stored_file f ON f.picture = p.id AND f.number = 0 WHERE"
		" p.hash = q.hash), q.id) WHERE q.id = ?1 ORDER BY s.number",
		"i", picture);
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		size_t size = (size_t)sqlite3_column_bytes(s, 1);
		memset(hash, 0, sizeof *hash);
		if (size == sizeof *hash)
			memcpy(hash, sqlite3_column_blob(s, 1), size);
		ims_buf_put(out, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
		found = true;
		rc = out->failed ? ims_nomem(err) : 0;
	}
	ims_sqlite_done(c, s);
	return rc || found ? rc : IMGSEARCH_ENOTFOUND;
}

int ims_sqlite_file_get(store *base, int64_t picture, buf *out, hash256 *hash, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	bool exist;
	conn *c;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_files_exist(c, &exist, err);
	if (!rc)
		rc = exist ? read_pieces(c, picture, out, hash, err) : IMGSEARCH_ENOTFOUND;
	ims_sqlite_release(st, c);
	return rc;
}

int ims_sqlite_file_find(store *base, const hash256 *hash, int64_t *picture, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	bool exist = false;
	conn *c;
	*picture = 0;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_files_exist(c, &exist, err);
	if (!rc && exist)
		rc = ims_sqlite_number(c, picture, 0, err,
			"SELECT min(p.id) FROM picture p JOIN stored_file f ON f.picture = p.id AND f.number ="
			" 0 WHERE p.hash = ?1 AND p.state <> 8",
			"b", (const void *)hash->byte, sizeof hash->byte);
	ims_sqlite_release(st, c);
	return rc;
}

int ims_sqlite_file_bytes(store *base, uint64_t *bytes, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	bool exist = false;
	int64_t sum = 0;
	conn *c;
	*bytes = 0;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_files_exist(c, &exist, err);
	if (!rc && exist)
		rc = ims_sqlite_number(c, &sum, 0, err, "SELECT sum(length(data)) FROM stored_file", "");
	ims_sqlite_release(st, c);
	*bytes = (uint64_t)sum;
	return rc;
}

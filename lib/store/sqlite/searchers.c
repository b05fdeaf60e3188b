/*
 * States of searchers, in chunks with checksums. A state is written under a number of its own and
 * replaces the old one of its name in a single step. Until then, and after a kill, the old one is
 * valid.
 */
#include "store/sqlite/changes.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

#define FORGET(searchers) "DELETE FROM " searchers " WHERE name = ?1 AND NOT published"
#define BEGIN(searchers, changes) \
	"INSERT INTO " searchers "(name, published, version, rows, change)" \
	" VALUES(?1, 0, 0, 0, (SELECT seq FROM sqlite_sequence WHERE name = '" changes "'))"

int ims_sqlite_searcher_begin(store *base, const char *name, int64_t *state, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc) /* left by a killed build */
		rc = ims_sqlite_run(c, err, st->second ? FORGET("searcher_next") : FORGET("searcher"), "t",
			name);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			st->second ? BEGIN("searcher_next", "change_next") : BEGIN("searcher", "change"), "t",
			name);
	if (!rc) {
		*state = sqlite3_last_insert_rowid(c->db);
		st->logging = true;
	}
	return rc;
}

#define PUT(chunks) \
	"INSERT OR REPLACE INTO " chunks "(state, number, checksum, data) VALUES(?1, ?2, ?3, ?4)"

int ims_sqlite_searcher_chunk(store *base, int64_t state, uint32_t number, const void *data,
	size_t size, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	return rc
		? rc
		: ims_sqlite_run(c, err, st->second ? PUT("searcher_chunk_next") : PUT("searcher_chunk"),
			"iiib", state, (int64_t)number, (int64_t)ims_checksum(data, size, number),
			size ? data : "", size);
}

#define PUBLISH(searchers) \
	"UPDATE " searchers " SET published = 1, params = ?2, version = ?3, rows = ?4, change = ?5" \
	" WHERE state = ?1"
#define REPLACE(searchers) \
	"DELETE FROM " searchers " WHERE state <> ?1 AND name = (SELECT name FROM " searchers \
	" WHERE state = ?1)"

int ims_sqlite_searcher_publish(store *base, int64_t state, const char *params, uint32_t version,
	uint64_t rows, int64_t change, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_run(c, err, st->second ? PUBLISH("searcher_next") : PUBLISH("searcher"),
			"itiii", state, params, (int64_t)version, (int64_t)rows, change);
	if (!rc && !sqlite3_changes(c->db))
		return ims_fail(err, IMGSEARCH_ENOTFOUND, "index %s has no searcher's state %lld",
			st->base.label, (long long)state);
	return rc ? rc
			  : ims_sqlite_run(c, err, st->second ? REPLACE("searcher_next") : REPLACE("searcher"),
				  "i", state);
}

static bool read_searcher(void *item, sqlite3_stmt *s)
{
	bool failed = false;
	*(store_searcher *)item = (store_searcher){
		.state = sqlite3_column_int64(s, 0),
		.name = ims_sqlite_text(s, 1, &failed),
		.params = ims_sqlite_text(s, 2, &failed),
		.version = (uint32_t)sqlite3_column_int64(s, 3),
		.chunks = (uint32_t)sqlite3_column_int64(s, 6),
		.rows = (uint64_t)sqlite3_column_int64(s, 4),
		.change = sqlite3_column_int64(s, 5),
	};
	return !failed;
}

int ims_sqlite_searchers(store *base, store_searcher **out, size_t *n, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	sqlite3_stmt *s = NULL;
	void *searchers = NULL;
	*out = NULL;
	*n = 0;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_query(c, &s, err,
		"SELECT s.state, s.name, s.params, s.version, s.rows, s.change,"
		" (SELECT count(*) FROM searcher_chunk k WHERE k.state = s.state) FROM searcher s WHERE"
		" s.published ORDER BY s.name",
		"");
	if (!rc)
		rc = ims_sqlite_rows(c, s, &searchers, n, sizeof **out, read_searcher, err);
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	if (rc) {
		ims_store_searchers_free(searchers, *n);
		*n = 0;
		return rc;
	}
	*out = searchers;
	return 0;
}

int ims_sqlite_searcher_bytes(store *base, int64_t state, uint64_t *bytes, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	int64_t sum;
	int rc = ims_sqlite_read_number(st, &sum, 0, err,
		"SELECT sum(length(data)) FROM searcher_chunk WHERE state = ?1", "i", state);
	*bytes = (uint64_t)sum;
	return rc;
}

/* Reads straight into out. A column's value would be assembled elsewhere first and copied. */
static int read_blob(conn *c, int64_t row, buf *out, imgsearch_error *err)
{
	sqlite3_blob *blob = NULL;
	const char *chunks = c->st->second ? "searcher_chunk_next" : "searcher_chunk";
	int sqlite = sqlite3_blob_open(c->db, "main", chunks, "data", row, 0, &blob);
	if (sqlite)
		return ims_sqlite_sql_fail(c, sqlite, err);
	int size = sqlite3_blob_bytes(blob), rc = 0;
	void *at = ims_buf_grow(out, (size_t)size);
	if (!at)
		rc = ims_nomem(err);
	else if (size && (sqlite = sqlite3_blob_read(blob, at, size, 0)))
		rc = ims_sqlite_sql_fail(c, sqlite, err);
	sqlite3_blob_close(blob);
	return rc;
}

int ims_sqlite_searcher_read(store *base, int64_t state, uint32_t number, buf *out,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	sqlite3_stmt *s = NULL;
	size_t before = out->len;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	ims_sqlite_read_ahead(c, true);
	rc = ims_sqlite_query(c, &s, err,
		"SELECT rowid, checksum FROM searcher_chunk WHERE state = ?1 AND number = ?2", "ii", state,
		(int64_t)number);
	if (!rc && (rc = ims_sqlite_step(c, s, err)) == 0)
		rc = ims_fail(err, IMGSEARCH_EFORMAT,
			"index %s: chunk %u of searcher state %lld is missing", st->base.label, number,
			(long long)state);
	if (rc > 0) {
		rc = read_blob(c, sqlite3_column_int64(s, 0), out, err);
		if (!rc
			&& ims_checksum(out->data + before, out->len - before, number)
				!= (uint64_t)sqlite3_column_int64(s, 1))
			rc = ims_fail(err, IMGSEARCH_EFORMAT,
				"index %s: chunk %u of searcher state %lld is damaged", st->base.label, number,
				(long long)state);
	}
	rc = ims_sqlite_read_result(c, rc, err);
	if (rc)
		out->len = before;
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	return rc;
}

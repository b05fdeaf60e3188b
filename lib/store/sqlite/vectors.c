/*
 * One row for each vector: f32, little-endian, in order of id. The page size is chosen so that a
 * row lies within its page. SQLite then returns a pointer into the mapped file and copies nothing.
 */
#include "store/sqlite/vectors.h"

#include "store/sqlite/changes.h"
#include "store/sqlite/deleted.h"
#include "store/sqlite/pictures.h"
#include "store/sqlite/regions.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/tally.h"
#include "store/sqlite/transaction.h"

#include <string.h>

static int put(sqlite_store *st, conn *c, int64_t id, const float *v, size_t bytes, bool next,
	imgsearch_error *err)
{
	int rc = ims_sqlite_run(c, err,
		next ? "INSERT OR IGNORE INTO vector_next(id, data) VALUES(?1, ?2)"
			 : "INSERT OR IGNORE INTO vector(id, data) VALUES(?1, ?2)",
		"ib", id, (const void *)v, bytes);
	if (rc)
		return rc;
	if (sqlite3_changes(c->db))
		st->tally[next ? TALLY_NEXT : TALLY_VECTOR]++;
	else
		rc = ims_sqlite_run(c, err,
			next ? "UPDATE vector_next SET data = ?2 WHERE id = ?1"
				 : "UPDATE vector SET data = ?2 WHERE id = ?1",
			"ib", id, (const void *)v, bytes);
	if (!rc)
		rc = ims_sqlite_regions_drop(st, c, id, next, err); /* of the old vector */
	return rc || next ? rc : ims_sqlite_changed(st, c, id, err);
}

int ims_sqlite_vector_put(sqlite_store *st, int64_t id, const float *v, uint32_t dim, bool next,
	imgsearch_error *err)
{
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc && !next)
		rc = ims_sqlite_refuse_deleted_id(st, c, id, err);
	return rc ? rc : put(st, c, id, v, (size_t)dim * sizeof *v, next, err);
}

int ims_sqlite_vectors_put(store *base, const int64_t *ids, const float *rows, size_t n,
	uint32_t dim, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int64_t last = -1;
	bool any = false;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_any_deleted(st, c, &any, err);
	for (size_t i = 0; any && !rc && i < n; i++)
		rc = ims_sqlite_refuse_deleted_id(st, c, ids[i], err);
	for (size_t i = 0; !rc && i < n; i++) {
		rc = put(st, c, ids[i], rows + i * dim, (size_t)dim * sizeof *rows, false, err);
		last = ids[i] > last ? ids[i] : last;
	}
	return rc
		? rc
		: ims_sqlite_run(c, err,
			"UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'picture'", "i", last);
}

int ims_sqlite_vector_take(sqlite_store *st, conn *c, int64_t id, bool *dropped,
	imgsearch_error *err)
{
	int rc = ims_sqlite_run(c, err, "DELETE FROM vector WHERE id = ?1", "i", id);
	if (!rc && sqlite3_changes(c->db)) {
		st->tally[TALLY_VECTOR]--;
		if (dropped)
			*dropped = true;
		rc = ims_sqlite_changed(st, c, id, err);
	}
	if (!rc)
		rc = ims_sqlite_run(c, err, "DELETE FROM vector_next WHERE id = ?1", "i", id);
	if (!rc && sqlite3_changes(c->db))
		st->tally[TALLY_NEXT]--;
	return rc ? rc : ims_sqlite_regions_drop(st, c, id, true, err);
}

int ims_sqlite_vector_drop(sqlite_store *st, conn *c, int64_t id, bool *dropped,
	imgsearch_error *err)
{
	int rc = ims_sqlite_vector_take(st, c, id, dropped, err);
	return rc ? rc : ims_sqlite_regions_drop(st, c, id, false, err);
}

/* Copies a row's values into out (dim). EDB where it has another number of them. */
static int copy_row(sqlite_store *st, sqlite3_stmt *s, int column, int64_t id, uint32_t dim,
	float *out, imgsearch_error *err)
{
	const void *data = sqlite3_column_blob(s, column);
	size_t bytes = (size_t)sqlite3_column_bytes(s, column), expected = (size_t)dim * sizeof *out;
	if (bytes && !data)
		return ims_nomem(err);
	if (bytes != expected)
		return ims_fail(err, IMGSEARCH_EDB,
			"index %s is damaged: vector %lld has %zu bytes instead of %zu", st->base.label,
			(long long)id, bytes, expected);
	if (bytes)
		memcpy(out, data, bytes);
	return 0;
}

int ims_sqlite_vectors_rows(sqlite_store *st, conn *c, sqlite3_stmt *s, uint32_t dim,
	store_vectors_each *each, void *user, imgsearch_error *err)
{
	size_t block = dim ? 262144 / dim : 1, n = 0; /* 1 MiB */
	block = block < 16 ? 16 : block > 1024 ? 1024 : block;
	int64_t *ids = ims_alloc(block, sizeof *ids);
	float *rows = ims_alloc_aligned(block, (dim ? dim : 1) * sizeof *rows);
	int rc = ids && rows ? 0 : ims_nomem(err);
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		int64_t id = sqlite3_column_int64(s, 0);
		rc = copy_row(st, s, 1, id, dim, rows + n * dim, err);
		ids[n++] = id;
		if (!rc && n == block) {
			rc = each(user, ids, rows, n);
			n = 0;
		}
	}
	if (!rc && n)
		rc = each(user, ids, rows, n);
	ims_free(ids);
	ims_free(rows);
	return rc;
}

int ims_sqlite_vectors_scan(store *base, bool next, uint32_t dim, store_vectors_each *each,
	void *user, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c = NULL;
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	ims_sqlite_read_ahead(c, true);
	rc = ims_sqlite_query(c, &s, err,
		next ? "SELECT id, data FROM vector_next ORDER BY id"
			 : "SELECT id, data FROM vector ORDER BY id",
		"");
	if (!rc)
		rc = ims_sqlite_vectors_rows(st, c, s, dim, each, user, err);
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	return rc;
}

enum {
	FETCH = 10, /* rows of a statement: as many as a query usually asks for */
	FEW = 1000  /* more of them lie close together */
};

/*
 * Rows of n <= FETCH ids. One statement that steps from row to row costs half of one that is reset
 * for each: 0.2 us a row less. An id of NULL has no row.
 */
static int fetch_some(sqlite_store *st, conn *c, sqlite3_stmt *s, const int64_t *ids, size_t n,
	uint32_t dim, float *out, uint8_t *found, imgsearch_error *err)
{
	int rc;
	size_t i = 0;
	sqlite3_reset(s);
	for (size_t j = 0; j < FETCH; j++)
		if (j < n)
			sqlite3_bind_int64(s, (int)j + 1, ids[j]);
		else
			sqlite3_bind_null(s, (int)j + 1);
	memset(found, 0, n);
	while ((rc = ims_sqlite_step(c, s, err)) > 0) {
		int64_t id = sqlite3_column_int64(s, 0);
		while (i + 1 < n && ids[i] != id) /* ids without a row */
			i++;
		rc = copy_row(st, s, 1, id, dim, out + i * dim, err);
		if (rc)
			break;
		found[i++] = 1;
	}
	return rc;
}

/* One transaction for all, since the reader's lock costs more than finding a row. */
int ims_sqlite_vectors_fetch(store *base, const int64_t *ids, size_t n, uint32_t dim, float *out,
	uint8_t *found, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	ims_sqlite_read_ahead(c, n > FEW);
	rc = ims_sqlite_read_begin(c, err);
	if (!rc)
		rc = ims_sqlite_query(c, &s, err,
			"SELECT q.column1, v.data FROM"
			" (VALUES (?1), (?2), (?3), (?4), (?5), (?6), (?7), (?8), (?9), (?10)) q"
			" CROSS JOIN vector v ON v.id = q.column1",
			"");
	for (size_t i = 0; !rc && i < n; i += FETCH)
		rc = fetch_some(st, c, s, ids + i, n - i < FETCH ? n - i : FETCH, dim, out + i * dim,
			found + i, err);
	ims_sqlite_done(c, s);
	ims_sqlite_read_end(c);
	ims_sqlite_release(st, c);
	return rc;
}

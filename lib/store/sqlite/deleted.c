/*
 * Deleted on purpose: a state of pictures. Row, content hash and signature stay. The vector goes
 * from `vector` to `vector_kept`, where nothing that searches looks; the change is logged, so that
 * searchers that are loaded drop it. All rows with the same bytes are deleted together: same_as of
 * the copies names the one that has the vector, as with duplicates.
 *
 * A vector without a picture is deleted where it lies in vector_kept.
 */
#include "store/sqlite/deleted.h"
#include "store/sqlite/changes.h"
#include "store/record.h"
#include "store/sqlite/files.h"
#include "store/sqlite/regions.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/tally.h"
#include "store/sqlite/transaction.h"
#include "store/sqlite/vectors.h"

static const char readmitted[] = "readmitted without a vector: the next index run reads it again";

/* ------------------------------------------------------------------------------- questions ---- */

int ims_sqlite_any_deleted(sqlite_store *st, conn *c, bool *any, imgsearch_error *err)
{
	int64_t n;
	int rc = ims_sqlite_number(c, &n, 0, err, "SELECT sum(n) FROM tally WHERE what IN (8, 103)",
		"");
	*any = n + st->tally[IMGSEARCH_STATE_DELETED] + st->tally[TALLY_KEPT] > 0;
	return rc;
}

/* 1: deleted; 0: not deleted; -1: there is no such item. */
static int look(conn *c, int64_t id, int64_t *answer, imgsearch_error *err)
{
	return ims_sqlite_number(c, answer, -1, err,
		"SELECT CASE WHEN EXISTS(SELECT 1 FROM picture WHERE id = ?1) THEN"
		" (SELECT state = 8 FROM picture WHERE id = ?1)"
		" WHEN EXISTS(SELECT 1 FROM vector_kept WHERE id = ?1) THEN 1"
		" WHEN EXISTS(SELECT 1 FROM vector WHERE id = ?1) THEN 0 ELSE -1 END",
		"i", id);
}

int ims_sqlite_refuse_deleted_id(sqlite_store *st, conn *c, int64_t id, imgsearch_error *err)
{
	int64_t deleted;
	int rc = look(c, id, &deleted, err);
	return rc || deleted != 1 ? rc : ims_store_refuse_deleted(&st->base, "the vector", id, err);
}

int ims_sqlite_presences(store *base, const int64_t *ids, size_t n, uint8_t *presence,
	imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int64_t answer = 0;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_read_begin(c, err);
	for (size_t i = 0; !rc && i < n; i++) {
		rc = look(c, ids[i], &answer, err);
		presence[i] = answer < 0 ? STORE_ABSENT : answer ? STORE_DELETED : STORE_PRESENT;
	}
	ims_sqlite_read_end(c);
	ims_sqlite_release(st, c);
	return rc;
}

int ims_sqlite_ids(store *base, store_id_list list, int64_t **ids, size_t *n, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	static const char *const sql[] = {
		[STORE_BARE] = "SELECT id FROM vector WHERE id NOT IN (SELECT id FROM picture) ORDER BY id",
		[STORE_BARE_KEPT] =
			"SELECT id FROM vector_kept WHERE id NOT IN (SELECT id FROM picture) ORDER BY id",
		[STORE_NEXT] = "SELECT id FROM vector_next ORDER BY id",
		[STORE_NOT_NEXT] =
			"SELECT id FROM vector WHERE id NOT IN (SELECT id FROM vector_next) ORDER BY id",
		[STORE_LACKING] = ("SELECT id FROM picture WHERE state = 1 AND id NOT IN (SELECT id FROM"
						   " vector) ORDER BY id"),
		[STORE_LACKING_NEXT] = ("SELECT id FROM picture WHERE state = 1 AND id NOT IN (SELECT id"
								" FROM vector_next) ORDER BY id"),
		[STORE_FILES] = "SELECT DISTINCT picture FROM stored_file ORDER BY picture",
		[STORE_WHOLE] = ("SELECT id FROM picture WHERE state = 1 AND id IN (SELECT id FROM vector)"
						 " AND id NOT IN (SELECT id FROM region) ORDER BY id"),
		[STORE_WHOLE_NEXT] = ("SELECT id FROM picture WHERE state = 1 AND id IN (SELECT id FROM"
							  " vector_next) AND id NOT IN (SELECT id FROM region_next) ORDER BY"
							  " id"),
	};
	static const char all_indexed[] =
		"SELECT id FROM picture WHERE state = 1 AND id IN (SELECT id FROM vector) ORDER BY id";
	bool exist = true, regions = true;
	conn *c;
	sqlite3_stmt *s = NULL;
	size_t cap = 0;
	*ids = NULL;
	*n = 0;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	if (list == STORE_FILES)
		rc = ims_sqlite_files_exist(c, &exist, err);
	if (list == STORE_WHOLE || list == STORE_WHOLE_NEXT)
		rc = ims_sqlite_regions_exist(c, &regions, err);
	if (!rc && exist)
		rc = ims_sqlite_query(c, &s, err,
			regions                        ? sql[list]
				: list == STORE_WHOLE_NEXT ? sql[STORE_NEXT]
										   : all_indexed,
			"");
	while (!rc && exist && (rc = ims_sqlite_step(c, s, err)) > 0)
		rc = ims_sqlite_add_id(ids, n, &cap, sqlite3_column_int64(s, 0), err);
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	if (rc) {
		ims_free(*ids);
		*ids = NULL;
		*n = 0;
	}
	return rc;
}

/* --------------------------------------------------------------------------------- vectors ---- */

/* Hides the vector of the next model, where that is a second one. */
static int keep_next(sqlite_store *st, conn *c, int64_t id, imgsearch_error *err)
{
	int rc = st->has_second
		? ims_sqlite_run(c, err,
			"INSERT INTO vector_kept_next(id, data) SELECT id, data FROM vector_next WHERE id = ?1",
			"i", id)
		: 0;
	if (!rc && st->has_second)
		st->tally[TALLY_KEPT_NEXT] += sqlite3_changes(c->db);
	return rc;
}

/* Hides the vectors of id. *had: whether there was one of the current model. */
static int keep_vector(sqlite_store *st, conn *c, int64_t id, bool *had, imgsearch_error *err)
{
	*had = false;
	int rc = ims_sqlite_run(c, err,
		"INSERT INTO vector_kept(id, data) SELECT id, data FROM vector WHERE id = ?1", "i", id);
	if (!rc && (*had = sqlite3_changes(c->db) > 0))
		st->tally[TALLY_KEPT]++;
	if (!rc && *had)
		rc = keep_next(st, c, id, err);
	if (!rc)
		rc = ims_sqlite_vector_take(st, c, id, NULL, err);
	return rc || st->has_second ? rc : ims_sqlite_regions_drop(st, c, id, true, err);
}

static int drop_kept(sqlite_store *st, conn *c, int64_t id, bool *gone, imgsearch_error *err)
{
	int rc = ims_sqlite_run(c, err, "DELETE FROM vector_kept WHERE id = ?1", "i", id);
	if (!rc && sqlite3_changes(c->db)) {
		st->tally[TALLY_KEPT]--;
		*gone = true;
	}
	if (rc || !st->has_second)
		return rc;
	rc = ims_sqlite_run(c, err, "DELETE FROM vector_kept_next WHERE id = ?1", "i", id);
	if (!rc)
		st->tally[TALLY_KEPT_NEXT] -= sqlite3_changes(c->db);
	return rc;
}

static int return_next(sqlite_store *st, conn *c, int64_t id, imgsearch_error *err)
{
	int rc = st->has_second
		? ims_sqlite_run(c, err,
			"INSERT INTO vector_next(id, data) SELECT id, data FROM vector_kept_next WHERE id = ?1",
			"i", id)
		: 0;
	if (rc || !st->has_second || !sqlite3_changes(c->db))
		return rc;
	st->tally[TALLY_NEXT]++;
	return ims_sqlite_changed_next(st, c, id, err);
}

/* The way back. */
static int return_vector(sqlite_store *st, conn *c, int64_t id, bool *had, imgsearch_error *err)
{
	*had = false;
	int rc = ims_sqlite_run(c, err,
		"INSERT INTO vector(id, data) SELECT id, data FROM vector_kept WHERE id = ?1", "i", id);
	if (rc)
		return rc;
	bool returned = sqlite3_changes(c->db) > 0;
	st->tally[TALLY_VECTOR] += returned;
	if (returned)
		rc = return_next(st, c, id, err);
	if (!rc)
		rc = drop_kept(st, c, id, had, err);
	return rc || !returned ? rc : ims_sqlite_changed(st, c, id, err);
}

/* ------------------------------------------------------------------------------------ rows ---- */

/* The pictures with the bytes of id: id itself, what is the same as it, what it is the same as. */
static int equal_rows(conn *c, int64_t id, int64_t *first, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	size_t cap = 0;
	*ids = NULL;
	*n = 0;
	int rc = ims_sqlite_number(c, first, id, err,
		"SELECT ifnull(same_as, id) FROM picture WHERE id = ?1", "i", id);
	if (!rc)
		rc = ims_sqlite_query(c, &s, err,
			"SELECT id FROM picture p WHERE id = ?1 OR same_as = ?1"
			" OR hash = (SELECT hash FROM picture WHERE id = ?1)"
			" ORDER BY NOT EXISTS(SELECT 1 FROM vector_kept k WHERE k.id = p.id), id <> ?1, id",
			"i", *first);
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0)
		rc = ims_sqlite_add_id(ids, n, &cap, sqlite3_column_int64(s, 0), err);
	ims_sqlite_done(c, s);
	return rc;
}

static int state_of(conn *c, int64_t id, int64_t *state, imgsearch_error *err)
{
	return ims_sqlite_number(c, state, 0, err, "SELECT state FROM picture WHERE id = ?1", "i", id);
}

static int set_state(sqlite_store *st, conn *c, int64_t id, int64_t old, int64_t now,
	int64_t same_as, const char *reason, imgsearch_error *err)
{
	st->tally[old]--;
	st->tally[now]++;
	return ims_sqlite_run(c, err,
		"UPDATE picture SET state = ?2, same_as = nullif(?3, 0), reason = ?4,"
		" same_file = CASE WHEN ?2 IN (8, 9) THEN same_file END WHERE id = ?1",
		"iiit", id, now, same_as, reason);
}

static int keep_row_out(sqlite_store *st, conn *c, int64_t id, int64_t first, imgsearch_error *err)
{
	int64_t state;
	bool had;
	int rc = state_of(c, id, &state, err);
	if (rc || state == IMGSEARCH_STATE_DELETED)
		return rc;
	rc = keep_vector(st, c, id, &had, err);
	bool copy = id != first && !had;
	return rc ? rc
			  : set_state(st, c, id, state, IMGSEARCH_STATE_DELETED, copy ? first : 0,
				  copy ? ims_store_reason_deleted_copy : ims_store_reason_deleted, err);
}

static int keep_out(sqlite_store *st, int64_t id, imgsearch_error *err)
{
	conn *c;
	int64_t state = 0, deleted = 0, first, *ids = NULL;
	size_t n = 0;
	bool had = false;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = look(c, id, &deleted, err);
	if (rc || deleted)
		return rc || deleted > 0 ? rc : ims_store_no_item(&st->base, id, err);
	rc = state_of(c, id, &state, err);
	if (!rc && !state)
		return keep_vector(st, c, id, &had, err);
	if (!rc)
		rc = equal_rows(c, id, &first, &ids, &n, err);
	for (size_t i = 0; !rc && i < n; i++)
		rc = keep_row_out(st, c, ids[i], first, err);
	ims_free(ids);
	return rc;
}

/*
 * With its vector it is indexed; else a duplicate of the one that is, or the name that it was; else
 * it must be read.
 */
static int readmit_row(sqlite_store *st, conn *c, int64_t id, int64_t first, imgsearch_error *err)
{
	int64_t state, twin = 0, file = 0;
	bool had;
	int rc = state_of(c, id, &state, err);
	if (rc || state != IMGSEARCH_STATE_DELETED)
		return rc;
	rc = return_vector(st, c, id, &had, err);
	if (!rc && had)
		return set_state(st, c, id, state, IMGSEARCH_STATE_INDEXED, 0, NULL, err);
	if (!rc)
		rc = ims_sqlite_number(c, &twin, 0, err,
			"SELECT min(id) FROM picture WHERE state = 1 AND (id = ?2"
			" OR hash = (SELECT hash FROM picture WHERE id = ?1))",
			"ii", id, first);
	if (!rc)
		rc = ims_sqlite_number(c, &file, 0, err, "SELECT same_file FROM picture WHERE id = ?1", "i",
			id);
	if (rc)
		return rc;
	return twin ? set_state(st, c, id, state,
			   file ? IMGSEARCH_STATE_LINK : IMGSEARCH_STATE_DUPLICATE, twin, NULL, err)
				: set_state(st, c, id, state, IMGSEARCH_STATE_UNREADABLE, 0, readmitted, err);
}

static int readmit(sqlite_store *st, int64_t id, imgsearch_error *err)
{
	conn *c;
	int64_t deleted = 0, state = 0, first, *ids = NULL;
	size_t n = 0;
	bool had;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = look(c, id, &deleted, err);
	if (rc || deleted <= 0)
		return rc || !deleted ? rc : ims_store_no_item(&st->base, id, err);
	rc = state_of(c, id, &state, err);
	if (!rc && !state)
		return return_vector(st, c, id, &had, err);
	if (!rc)
		rc = equal_rows(c, id, &first, &ids, &n, err);
	for (size_t i = 0; !rc && i < n; i++)
		rc = readmit_row(st, c, ids[i], first, err);
	ims_free(ids);
	return rc;
}

int ims_sqlite_keep_out(store *base, const int64_t *ids, size_t n, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++)
		rc = keep_out(st, ids[i], err);
	return rc;
}

int ims_sqlite_readmit(store *base, const int64_t *ids, size_t n, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++)
		rc = readmit(st, ids[i], err);
	return rc;
}

/* The first copy of a deleted picture receives its vector and its other copies. */
static int promote_copy(sqlite_store *st, conn *c, int64_t id, imgsearch_error *err)
{
	int64_t copy;
	int rc = ims_sqlite_number(c, &copy, 0, err,
		"SELECT min(id) FROM picture WHERE same_as = ?1 AND state = 8", "i", id);
	if (rc || !copy)
		return rc;
	rc = ims_sqlite_run(c, err, "UPDATE picture SET same_as = ?2 WHERE same_as = ?1 AND id <> ?2",
		"ii", id, copy);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			"UPDATE picture SET same_as = NULL, reason = ?3,"
			" (width, height) = (SELECT width, height FROM picture WHERE id = ?1) WHERE id = ?2",
			"iit", id, copy, ims_store_reason_deleted);
	if (!rc)
		rc = ims_sqlite_run(c, err, "UPDATE vector_kept SET id = ?2 WHERE id = ?1", "ii", id, copy);
	if (!rc)
		rc = ims_sqlite_regions_move(c, id, copy, err);
	return rc || !st->has_second
		? rc
		: ims_sqlite_run(c, err, "UPDATE vector_kept_next SET id = ?2 WHERE id = ?1", "ii", id,
			copy);
}

int ims_sqlite_deleted_drop(sqlite_store *st, conn *c, int64_t id, bool *gone, imgsearch_error *err)
{
	int rc = promote_copy(st, c, id, err);
	return rc ? rc : drop_kept(st, c, id, gone, err);
}

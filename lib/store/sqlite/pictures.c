/*
 * Pictures, written: one row for every path that was seen, in exactly one state.
 *
 * Of files with the same bytes one is indexed and has the vector; the others are duplicates that
 * name it. Where the indexed one is removed or its bytes change, its first duplicate becomes
 * indexed and receives the vector, so that nothing is extracted twice; one that is another name of
 * its file (store/names.h) before others.
 */
#include "store/sqlite/changes.h"
#include "store/sqlite/deleted.h"
#include "store/sqlite/facts.h"
#include "store/sqlite/files.h"
#include "store/sqlite/names.h"
#include "store/sqlite/pictures.h"
#include "store/sqlite/regions.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/tally.h"
#include "store/sqlite/transaction.h"
#include "store/sqlite/vectors.h"

#include <string.h>

typedef struct stored_row {
	int64_t id, state;
	bool found, same_bytes, hashed;
} stored_row;

static bool has_id(const store_picture *p)
{
	return p->id || p->has_id;
}

static int find_stored(conn *c, const store_picture *p, stored_row *out, imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	*out = (stored_row){ 0 };
	int rc = ims_sqlite_query(c, &s, err,
		"SELECT id, state, ifnull(hash = ?4, 0), hash NOTNULL FROM picture WHERE root = ?1 AND"
		" path = ?2 UNION ALL SELECT id, state, ifnull(hash = ?4, 0), hash NOTNULL FROM picture"
		" WHERE id = ?3",
		"ipib", p->root, p->path, has_id(p) ? p->id : -1, (const void *)p->hash.byte,
		sizeof p->hash.byte);
	if (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		*out = (stored_row){
			sqlite3_column_int64(s, 0),
			sqlite3_column_int64(s, 1),
			true,
			sqlite3_column_int(s, 2),
			sqlite3_column_int(s, 3),
		};
		rc = 0;
	}
	ims_sqlite_done(c, s);
	if (!rc && out->found && has_id(p) && out->id != p->id)
		return ims_fail(err, IMGSEARCH_EINVAL, "%s already has the id %lld", p->path,
			(long long)out->id);
	return rc;
}

/*
 * The first duplicate of id becomes indexed and receives its vector: `successor`, where the file
 * of id has another name (0: it has none).
 */
static int promote_duplicate(sqlite_store *st, conn *c, int64_t id, int64_t successor,
	imgsearch_error *err)
{
	int64_t duplicate;
	int rc = ims_sqlite_number(c, &duplicate, 0, err,
		"SELECT id FROM picture WHERE same_as = ?1 AND state = 2 ORDER BY id <> ?2, id LIMIT 1",
		"ii", id, successor);
	if (rc || !duplicate)
		return rc;
	rc = ims_sqlite_run(c, err, "UPDATE picture SET same_as = ?2 WHERE same_as = ?1 AND id <> ?2",
		"ii", id, duplicate);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			"UPDATE picture SET state = 1, same_as = NULL, reason = NULL,"
			" (width, height, pixels) = (SELECT width, height, pixels FROM picture WHERE id = ?1)"
			" WHERE id = ?2",
			"ii", id, duplicate);
	if (!rc)
		rc = ims_sqlite_facts_inherit(c, id, duplicate, err);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			"INSERT INTO vector(id, data) SELECT ?2, data FROM vector WHERE id = ?1", "ii", id,
			duplicate);
	if (!rc && sqlite3_changes(c->db)) {
		st->tally[TALLY_VECTOR]++;
		rc = ims_sqlite_changed(st, c, duplicate, err);
	}
	if (!rc)
		rc = ims_sqlite_run(c, err,
			"INSERT INTO vector_next(id, data) SELECT ?2, data FROM vector_next WHERE id = ?1",
			"ii", id, duplicate);
	if (!rc) {
		st->tally[TALLY_NEXT] += sqlite3_changes(c->db);
		rc = ims_sqlite_regions_inherit(st, c, id, duplicate, err);
	}
	st->tally[IMGSEARCH_STATE_DUPLICATE]--;
	st->tally[IMGSEARCH_STATE_INDEXED]++;
	return rc;
}

/* The picture is about to go, or to become another one: what it was is handed on. */
static int hand_on(sqlite_store *st, conn *c, int64_t id, bool indexed, imgsearch_error *err)
{
	int64_t successor;
	int rc = ims_sqlite_names_hand_on(st, c, id, &successor, err);
	return rc || !indexed ? rc : promote_duplicate(st, c, id, successor, err);
}

static int write_row(sqlite_store *st, conn *c, store_picture *p, bool insert, imgsearch_error *err)
{
	sqlite3_stmt *s;
	const void *hash = ims_hash_is_zero(&p->hash) ? NULL : p->hash.byte;
	int64_t newest = 0;
	int rc = insert && !has_id(p) ? ims_sqlite_number(c, &newest, 0, err,
				 "SELECT seq FROM sqlite_sequence WHERE name = 'picture'", "")
								  : 0;
	if (!rc && newest == INT64_MAX)
		return ims_fail(err, IMGSEARCH_ELIMIT,
			"index %s: no id is left: the largest possible one is in use", st->base.label);
	if (rc)
		return rc;
	rc = ims_sqlite_query(c, &s, err,
		insert
			? "INSERT INTO picture(id, root, path, size, mtime_seconds, state, reason, width,"
			  " height, hash, same_as, mtime_nanoseconds, ctime_seconds, ctime_nanoseconds,"
			  " pixels)"
			  " VALUES(nullif(?1, -1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, nullif(?11, 0), ?12,"
			  " CASE WHEN ?15 THEN ?13 END, CASE WHEN ?15 THEN ?14 END, ?16)"
			: "UPDATE picture SET root = ?2, path = ?3, size = ?4, mtime_seconds = ?5, state = ?6,"
			  " reason = ?7, width = ?8, height = ?9, hash = ?10, same_as = nullif(?11, 0),"
			  " mtime_nanoseconds = ?12, ctime_seconds = CASE WHEN ?15 THEN ?13 END,"
			  " ctime_nanoseconds = CASE WHEN ?15 THEN ?14 END, pixels = ?16,"
			  " same_file = CASE WHEN ?6 = 9 THEN same_file END WHERE id = ?1",
		"iipiiitiibiiiiii", insert && !has_id(p) ? -1 : p->id, p->root, p->path, (int64_t)p->size,
		p->mtime.seconds, (int64_t)p->state, p->reason, (int64_t)p->width, (int64_t)p->height, hash,
		hash ? sizeof p->hash.byte : (size_t)0, p->same_as, p->mtime.nanoseconds, p->ctime.seconds,
		p->ctime.nanoseconds, (int64_t)p->has_ctime, (int64_t)p->pixels);
	if (rc)
		return rc;
	rc = ims_sqlite_step(c, s, err);
	ims_sqlite_done(c, s);
	return rc;
}

/*
 * Whether the row becomes a picture of other bytes than the stored ones, or a vector. A picture
 * that could not be read may have no hash.
 */
static bool has_other_file(const stored_row *old, const store_picture *p)
{
	bool picture = p->state == IMGSEARCH_STATE_INDEXED || p->state == IMGSEARCH_STATE_DUPLICATE;
	return old->found && !p->root && picture && !old->same_bytes
		&& (old->hashed || ims_hash_is_zero(&p->hash));
}

int ims_sqlite_row_put(sqlite_store *st, store_picture *p, imgsearch_error *err)
{
	conn *c;
	stored_row old;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc && (p->state < IMGSEARCH_STATE_INDEXED || p->state > IMGSEARCH_STATE_DELETED))
		return ims_fail(err, IMGSEARCH_EINVAL, "%s: no such state: %u", p->path, p->state);
	if (!rc)
		rc = find_stored(c, p, &old, err);
	if (rc)
		return rc;
	if (old.state == IMGSEARCH_STATE_DELETED)
		return ims_store_refuse_deleted(&st->base, p->path, old.id, err);
	if (old.state == IMGSEARCH_STATE_LINK && p->state == IMGSEARCH_STATE_DUPLICATE
		&& old.same_bytes)
		p->state = IMGSEARCH_STATE_LINK; /* it stays the other name that it was */
	if (old.found && (p->state != old.state || !old.same_bytes))
		rc = hand_on(st, c, old.id, old.state == IMGSEARCH_STATE_INDEXED, err);
	if (old.found)
		p->id = old.id;
	if (!rc && has_other_file(&old, p))
		rc = ims_sqlite_file_drop(c, p->id, err);
	if (!rc)
		rc = write_row(st, c, p, !old.found, err);
	if (rc)
		return rc;
	if (!old.found)
		p->id = sqlite3_last_insert_rowid(c->db);
	else
		st->tally[old.state]--;
	st->tally[p->state]++;
	if (!old.found || p->state == IMGSEARCH_STATE_INDEXED)
		return 0;
	rc = ims_sqlite_vector_drop(st, c, p->id, NULL, err);
	return rc ? rc : ims_sqlite_facts_drop(c, p->id, err);
}

int ims_sqlite_row_move(sqlite_store *st, const store_move *m, imgsearch_error *err)
{
	conn *c;
	int64_t there = 0, deleted = 0;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_number(c, &there, 0, err,
			"SELECT id FROM picture WHERE root = ?1 AND path = ?2 AND id <> ?3", "ipi", m->to.root,
			m->to.path, m->id);
	if (!rc && there)
		rc = ims_sqlite_number(c, &deleted, 0, err, "SELECT state = 8 FROM picture WHERE id = ?1",
			"i", there);
	if (!rc && deleted)
		return ims_store_refuse_deleted(&st->base, m->to.path, there, err);
	if (!rc && there) /* another picture was where this one is now */
		rc = ims_sqlite_row_remove(st, there, err);
	return rc ? rc
			  : ims_sqlite_run(c, err,
				  "UPDATE picture SET root = ?2, path = ?3, mtime_seconds = ?4,"
				  " mtime_nanoseconds = ?5, ctime_seconds = NULL, ctime_nanoseconds = NULL"
				  " WHERE id = ?1",
				  "iipii", m->id, m->to.root, m->to.path, m->mtime.seconds, m->mtime.nanoseconds);
}

int ims_sqlite_pixels_set(sqlite_store *st, int64_t id, uint32_t pixels, imgsearch_error *err)
{
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	return rc ? rc
			  : ims_sqlite_run(c, err, "UPDATE picture SET pixels = ?2 WHERE id = ?1", "ii", id,
				  (int64_t)pixels);
}

int ims_sqlite_ctime_set(sqlite_store *st, int64_t id, timestamp ctime, imgsearch_error *err)
{
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	return rc ? rc
			  : ims_sqlite_run(c, err,
				  "UPDATE picture SET ctime_seconds = ?2, ctime_nanoseconds = ?3 WHERE id = ?1",
				  "iii", id, ctime.seconds, ctime.nanoseconds);
}

int ims_sqlite_row_remove(sqlite_store *st, int64_t id, imgsearch_error *err)
{
	conn *c;
	int64_t state = 0;
	bool dropped = false;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_number(c, &state, 0, err, "SELECT state FROM picture WHERE id = ?1", "i",
			id);
	if (!rc && state)
		rc = hand_on(st, c, id, state == IMGSEARCH_STATE_INDEXED, err);
	if (!rc && (!state || state == IMGSEARCH_STATE_DELETED))
		rc = ims_sqlite_deleted_drop(st, c, id, &dropped, err);
	if (!rc)
		rc = ims_sqlite_vector_drop(st, c, id, &dropped, err);
	if (rc || !state)
		return rc || dropped ? rc : ims_store_no_item(&st->base, id, err);
	st->tally[state]--;
	return ims_sqlite_run(c, err, "DELETE FROM picture WHERE id = ?1", "i", id);
}

int ims_sqlite_remove(store *base, const int64_t *ids, size_t n, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++)
		rc = ims_sqlite_row_remove(st, ids[i], err);
	return rc;
}

int ims_sqlite_move(store *base, const store_move *m, size_t n, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++)
		rc = ims_sqlite_row_move(st, &m[i], err);
	return rc;
}

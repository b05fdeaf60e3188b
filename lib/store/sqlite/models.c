/* The models that make the vectors. */
#include "store/sqlite/changes.h"
#include "store/sqlite/regions.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/tally.h"
#include "store/sqlite/transaction.h"

/* Removes the vectors of a re-index, when one begins and when it is dropped. */
static int drop_next_vectors(sqlite_store *st, conn *c, imgsearch_error *err)
{
	st->tally[TALLY_NEXT] = 0;
	int rc = ims_sqlite_run(c, err, "DELETE FROM vector_next", "");
	if (!rc)
		rc = ims_sqlite_regions_drop_next(c, err);
	return rc ? rc : ims_sqlite_run(c, err, "UPDATE tally SET n = 0 WHERE what = 102", "");
}

int ims_sqlite_model_set(store *base, const store_model *m, bool next, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			"INSERT INTO model(next, name, weights, weights_hash, recipe, dim, precision)"
			" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
			" ON CONFLICT(next) DO UPDATE SET name = ?2, weights = ?3, weights_hash = ?4, recipe"
			" = ?5, dim = ?6, precision = ?7",
			"ittttii", (int64_t)next, m->name, m->weights, m->weights_hash, m->recipe,
			(int64_t)m->dim, (int64_t)m->precision);
	return rc || !next ? rc : drop_next_vectors(st, c, err);
}

int ims_sqlite_model_drop_next(store *base, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_run(c, err, "DELETE FROM model WHERE next", "");
	return rc ? rc : drop_next_vectors(st, c, err);
}

int ims_sqlite_model_switch(store *base, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int64_t there;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_sqlite_number(c, &there, 0, err, "SELECT count(*) FROM model WHERE next", "");
	if (!rc && !there)
		return ims_fail(err, IMGSEARCH_ENOTFOUND,
			"index %s: no re-index by another model is under way", st->base.label);
	if (!rc) /* the tallies are written by hand below */
		rc = ims_sqlite_tally_flush(st, c, err);
	if (!rc)
		rc = ims_sqlite_changed(st, c, 0, err); /* so that readers of the old vectors notice */
	if (!rc)
		rc = ims_sqlite_exec(c,
			"DELETE FROM model WHERE NOT next; UPDATE model SET next = 0; DELETE FROM searcher;"
			" DELETE FROM change;"
			"DROP TABLE vector; ALTER TABLE vector_next RENAME TO vector;"
			"CREATE TABLE vector_next(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
			"DELETE FROM vector_kept;"
			"UPDATE tally SET n = (SELECT n FROM tally WHERE what = 102) WHERE what = 101; UPDATE"
			" tally SET n = 0 WHERE what IN (102, 103)",
			err);
	if (!rc)
		rc = ims_sqlite_regions_switch(c, err);
	st->logging = false;
	st->changed = true;
	return rc;
}

int ims_sqlite_model_get(store *base, store_model *out, bool next, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	sqlite3_stmt *s = NULL;
	bool failed = false;
	*out = (store_model){ 0 };
	int rc = ims_sqlite_acquire(st, &c, err);
	if (rc)
		return rc;
	rc = ims_sqlite_query(c, &s, err,
		"SELECT id, name, weights, weights_hash, recipe, dim, precision FROM model WHERE next = ?1",
		"i", (int64_t)next);
	if (!rc && (rc = ims_sqlite_step(c, s, err)) == 0)
		rc = IMGSEARCH_ENOTFOUND;
	if (rc > 0) {
		out->id = sqlite3_column_int64(s, 0);
		out->name = ims_sqlite_text(s, 1, &failed);
		out->weights = ims_sqlite_text(s, 2, &failed);
		out->weights_hash = ims_sqlite_text(s, 3, &failed);
		out->recipe = ims_sqlite_text(s, 4, &failed);
		out->dim = (uint32_t)sqlite3_column_int64(s, 5);
		out->precision = (uint32_t)sqlite3_column_int64(s, 6);
		rc = failed ? ims_nomem(err) : 0;
		if (failed)
			ims_store_model_clear(out);
	}
	ims_sqlite_done(c, s);
	ims_sqlite_release(st, c);
	return rc;
}

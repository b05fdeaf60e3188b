/*
 * A second model beside the current one. A store that shows it has temporary views in the place of
 * the tables, since names are looked up among the views first; what it writes names the tables
 * themselves. An exchange renames the tables.
 */
#include "store/sqlite/second.h"

#include "store/sqlite/changes.h"
#include "store/sqlite/regions.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/tally.h"
#include "store/sqlite/transaction.h"

/* Settings of the index, whatever the model. */
#define SHARED "('metric', 'file', 'copy', 'second', 'weights_seen', 'regions')"

#define MODEL_COLUMNS "name, weights, weights_hash, recipe, dim, precision"

/* Statements of a table that each of the two models has. */
#define EXCHANGE(table) \
	"ALTER TABLE " table " RENAME TO " table "_other; ALTER TABLE " table "_next RENAME TO " table \
	"; ALTER TABLE " table "_other RENAME TO " table "_next;"

#define OTHER_TALLY \
	"CASE what WHEN 101 THEN 102 WHEN 102 THEN 101 WHEN 103 THEN 104 WHEN 104 THEN 103 WHEN 105" \
	" THEN 106 WHEN 106 THEN 105 ELSE what END"

static const char tables[] =
	"CREATE TABLE IF NOT EXISTS setting_next(name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT,"
	" WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS vector_kept_next(id INTEGER PRIMARY KEY, data BLOB NOT NULL)"
	" STRICT;"
	"CREATE TABLE IF NOT EXISTS searcher_next(state INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT"
	" NOT NULL, published INTEGER NOT NULL, params TEXT, version INTEGER NOT NULL, rows INTEGER NOT"
	" NULL, change INTEGER NOT NULL) STRICT;"
	"CREATE TABLE IF NOT EXISTS searcher_chunk_next(state INTEGER NOT NULL REFERENCES"
	" searcher_next(state) ON DELETE CASCADE, number INTEGER NOT NULL, checksum INTEGER NOT NULL,"
	" data BLOB NOT NULL, UNIQUE(state, number)) STRICT;"
	"CREATE TABLE IF NOT EXISTS change_next(number INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER"
	" NOT NULL) STRICT;"
	"INSERT INTO sqlite_sequence(name, seq) SELECT 'change_next', 0 WHERE NOT EXISTS(SELECT 1 FROM"
	" sqlite_sequence WHERE name = 'change_next');"
	"INSERT OR IGNORE INTO tally(what, n) VALUES(104, 0);";

/* What is not among them: pictures and what belongs to them whatever the model. */
static const char views[] =
	"CREATE TEMP VIEW vector AS SELECT id, data FROM main.vector_next;"
	"CREATE TEMP VIEW vector_next AS SELECT id, data FROM main.vector;"
	"CREATE TEMP VIEW vector_kept AS SELECT id, data FROM main.vector_kept_next;"
	"CREATE TEMP VIEW region AS SELECT id, data FROM main.region_next;"
	"CREATE TEMP VIEW region_next AS SELECT id, data FROM main.region;"
	"CREATE TEMP VIEW searcher AS SELECT state, name, published, params, version, rows, change FROM"
	" main.searcher_next;"
	"CREATE TEMP VIEW searcher_chunk AS SELECT rowid AS rowid, state, number, checksum, data FROM"
	" main.searcher_chunk_next;"
	"CREATE TEMP VIEW change AS SELECT number, id FROM main.change_next;"
	"CREATE TEMP VIEW setting AS SELECT name, data FROM main.setting_next UNION ALL SELECT name,"
	" data FROM main.setting WHERE name IN " SHARED ";"
	"CREATE TEMP VIEW model AS SELECT id, 1 - next AS next, " MODEL_COLUMNS " FROM main.model;"
	"CREATE TEMP VIEW tally AS SELECT " OTHER_TALLY " AS what, n FROM main.tally;";

/* The references of searcher_chunk follow the new names of searcher. */
static const char *const exchange[] = {
	EXCHANGE("vector"),
	EXCHANGE("vector_kept"),
	EXCHANGE("region"),
	EXCHANGE("searcher"),
	EXCHANGE("searcher_chunk"),
	EXCHANGE("change"),
	EXCHANGE("setting"),
	"INSERT INTO setting(name, data) SELECT name, data FROM setting_next WHERE name IN " SHARED,
	"DELETE FROM setting_next WHERE name IN " SHARED,
	"CREATE TEMP TABLE other_model AS SELECT 1 - next AS next, " MODEL_COLUMNS " FROM main.model",
	"DELETE FROM main.model",
	"INSERT INTO main.model(next, " MODEL_COLUMNS ") SELECT next, " MODEL_COLUMNS
	" FROM temp.other_model ORDER BY next",
	"DROP TABLE temp.other_model",
	"CREATE TEMP TABLE other_tally AS SELECT " OTHER_TALLY " AS what, n FROM main.tally WHERE what"
	" > 100",
	"DELETE FROM main.tally WHERE what > 100",
	"INSERT INTO main.tally(what, n) SELECT what, n FROM temp.other_tally",
	"DROP TABLE temp.other_tally",
};

int ims_sqlite_second_views(conn *c, imgsearch_error *err)
{
	if (!ims_sqlite_has_views() || c->st->memory)
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"index %s: a second model needs a file and SQLite 3.35", c->st->base.label);
	return ims_sqlite_exec(c, views, err);
}

int ims_sqlite_second_look(sqlite_store *st, conn *c, imgsearch_error *err)
{
	int64_t second = 0, searchers = 0;
	int rc = ims_sqlite_number(c, &second, 0, err, "SELECT 1 FROM setting WHERE name = 'second'",
		"");
	if (!rc && second)
		rc = ims_sqlite_number(c, &searchers, 0, err, "SELECT EXISTS(SELECT 1 FROM searcher_next)",
			"");
	st->has_second = second != 0;
	st->logging_second = searchers != 0;
	return rc;
}

/*
 * Gives the settings of both models a number of views that neither had, so that no program goes on
 * with one that it has.
 */
static int renew(conn *c, bool both, imgsearch_error *err)
{
	enum { EPOCH = 4 /* bytes */ };
	sqlite3_stmt *s = NULL;
	uint32_t epoch = 0;
	buf data = { 0 };
	int rc = ims_sqlite_query(c, &s, err,
		"SELECT data FROM setting WHERE name = 'epoch' UNION ALL SELECT data FROM setting_next"
		" WHERE name = 'epoch'",
		"");
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		reader r = { .data = sqlite3_column_blob(s, 0), .len = (size_t)sqlite3_column_bytes(s, 0) };
		uint32_t stored = ims_read_u32(&r);
		epoch = stored > epoch ? stored : epoch;
		rc = 0;
	}
	ims_sqlite_done(c, s);
	ims_buf_u32(&data, epoch + 1);
	if (!rc && data.failed)
		rc = ims_nomem(err);
	if (!rc && both)
		rc = ims_sqlite_run(c, err,
			"INSERT OR REPLACE INTO setting(name, data) VALUES('epoch', ?1)", "b", data.data,
			(size_t)EPOCH);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			"INSERT OR REPLACE INTO setting_next(name, data) VALUES('epoch', ?1)", "b", data.data,
			(size_t)EPOCH);
	ims_buf_free(&data);
	return rc;
}

int ims_sqlite_second_clear(sqlite_store *st, conn *c, imgsearch_error *err)
{
	if (!st->has_second)
		return 0;
	st->has_second = st->logging_second = false;
	st->tally[TALLY_KEPT_NEXT] = 0;
	int rc = renew(c, false, err);
	return rc ? rc
			  : ims_sqlite_exec(c,
				  "DELETE FROM setting WHERE name = 'second';"
				  "DELETE FROM setting_next WHERE name <> 'epoch';"
				  "DELETE FROM vector_kept_next; DELETE FROM searcher_next;"
				  "DELETE FROM change_next; UPDATE tally SET n = 0 WHERE what = 104;",
				  err);
}

static int refuse(sqlite_store *st, imgsearch_error *err)
{
	int64_t models = 0;
	int rc = ims_sqlite_number(st->writer, &models, 0, err, "SELECT count(*) FROM model", "");
	if (!rc && models != 1)
		rc = ims_fail(err, IMGSEARCH_EINVAL,
			models ? "index %s has another model beside its own already"
				   : "index %s has no model to keep another one beside",
			st->base.label);
	if (!rc && (st->memory || !ims_sqlite_has_views()))
		rc = ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"index %s: a second model needs a file and SQLite 3.35", st->base.label);
	return rc;
}

int ims_sqlite_model_add(store *base, const store_model *m, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	buf dim = { 0 };
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = refuse(st, err);
	if (!rc)
		rc = ims_sqlite_model_set(base, m, true, err);
	if (!rc)
		rc = ims_sqlite_exec(c, tables, err);
	if (!rc)
		rc = ims_sqlite_regions_make(c, err);
	if (!rc)
		rc = renew(c, false, err);
	ims_buf_u32(&dim, m->dim);
	if (!rc && dim.failed)
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			"INSERT OR REPLACE INTO setting_next(name, data) VALUES('dim', ?1)", "b", dim.data,
			dim.len);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			"INSERT OR REPLACE INTO setting(name, data) VALUES('second', x'01')", "");
	ims_buf_free(&dim);
	if (!rc)
		rc = ims_sqlite_second_look(st, c, err);
	return rc;
}

int ims_sqlite_model_exchange(store *base, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc && !st->has_second)
		return ims_fail(err, IMGSEARCH_ENOTFOUND, "index %s has no second model", st->base.label);
	if (!rc) /* the tallies are written by hand */
		rc = ims_sqlite_tally_flush(st, c, err);
	for (size_t i = 0; !rc && i < sizeof exchange / sizeof *exchange; i++)
		rc = ims_sqlite_exec(c, exchange[i], err);
	if (!rc)
		rc = renew(c, true, err);
	bool logging = st->logging;
	st->logging = st->logging_second;
	st->logging_second = logging;
	st->changed = st->changed_second = false;
	return rc;
}

int ims_sqlite_models_renew(store *base, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	conn *c;
	int rc = ims_sqlite_writer(st, &c, err);
	return rc || !st->has_second ? rc : renew(c, true, err);
}

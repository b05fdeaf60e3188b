/* The tables of a file as rows of values. */
#include "store/sqlite/files.h"
#include "store/sqlite/regions.h"
#include "store/sqlite/roots.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

#include <string.h>

enum { PUTS = 3 };

/*
 * each: its parameters are the columns of the key, then a limit. put: every statement is run for
 * every row, whose values are its parameters; types has a letter for each of these: i a number, t a
 * text, b bytes.
 */
typedef struct table_sql {
	const char *each, *types, *put[PUTS], *clear;
} table_sql;

#define VECTORS(table) \
	{ \
		.each = "SELECT id, data FROM " table " WHERE id > ?1 ORDER BY id LIMIT ?2", \
		.types = "ib", .put = { "INSERT INTO " table "(id, data) VALUES(?1, ?2)" }, \
		.clear = "DELETE FROM " table, \
	}

#define REGIONS(table) \
	{ \
		.each = "SELECT id, data FROM " table " WHERE id > ?1 ORDER BY id LIMIT ?2", \
		.types = "ib", .put = { "INSERT INTO " table "(id, data) VALUES(?1, ?2)" }, \
		.clear = "DROP TABLE IF EXISTS " table, \
	}

#define FACT_NAMES \
	"date, zone, date_from, camera, lens, latitude, longitude, rating, keywords, title," \
	" description"

_Static_assert(STORE_EXCLUDE == 0 && STORE_INCLUDE == 1 && STORE_FOLLOW == 2 && STORE_TIFF == 3
		&& STORE_VIDEO == 4 && STORE_PART == 5 && STORE_LISTS == 6,
	"the numbers of lists in SQL");

static const table_sql tables[STORE_TABLES] = {
	[TABLE_SETTING] = {
		.each = "SELECT name, data FROM setting WHERE name > CAST(?1 AS TEXT) AND name NOT IN"
				" ('file', 'version', 'lease', 'copy') ORDER BY name LIMIT ?2",
		.types = "tb",
		.put = { "INSERT INTO setting(name, data) VALUES(?1, ?2)" },
		.clear = "DELETE FROM setting WHERE name <> 'file'",
	},
	[TABLE_MODEL] = {
		.each = "SELECT next, name, weights, weights_hash, recipe, dim, precision FROM model WHERE"
				" next > ?1 ORDER BY next LIMIT ?2",
		.types = "ittttii",
		.put = { "INSERT INTO model(next, name, weights, weights_hash, recipe, dim, precision)"
				 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)" },
		.clear = "DELETE FROM model",
	},
	[TABLE_ROOT] = {
		.each = "SELECT id, whole(path, inside) FROM root WHERE id > max(?1, 0) ORDER BY id LIMIT"
				" ?2",
		.types = "ib",
		.put = { "INSERT INTO root(id, path) VALUES(?1, ?2)" },
		.clear = "DELETE FROM root WHERE id > 0",
	},
	[TABLE_LIST] = {
		.each = "SELECT root, list, number, item FROM (SELECT root, 0 AS list, number, pattern AS"
				" item FROM root_exclude UNION ALL SELECT root, 1, number, pattern FROM"
				" root_include UNION ALL SELECT root, CASE what WHEN 'follow' THEN 2 WHEN 'tiff'"
				" THEN 3 WHEN 'video' THEN 4 WHEN 'part' THEN 5 END, number, path FROM"
				" root_folder) WHERE list IS NOT NULL AND (root, list, number) > (?1, ?2, ?3)"
				" ORDER BY root, list, number LIMIT ?4",
		.types = "iiib",
		.put = {
			"INSERT INTO root_exclude(root, number, pattern) SELECT ?1, ?3, ?4 WHERE ?2 = 0",
			"INSERT INTO root_include(root, number, pattern) SELECT ?1, ?3, ?4 WHERE ?2 = 1",
			"INSERT INTO root_folder(root, what, number, path) SELECT ?1, CASE ?2 WHEN 2 THEN"
			" 'follow' WHEN 3 THEN 'tiff' WHEN 4 THEN 'video' ELSE 'part' END, ?3, ?4 WHERE ?2 > 1",
		},
		.clear = "DELETE FROM root_exclude; DELETE FROM root_include; DELETE FROM root_folder",
	},
	[TABLE_PICTURE] = {
		.each = "SELECT id, root, path, size, mtime_seconds, mtime_nanoseconds, state, reason,"
				" width, height, hash, same_as, ctime_seconds, ctime_nanoseconds, same_file,"
				" pixels FROM picture WHERE id > ?1 ORDER BY id LIMIT ?2",
		.types = "iibiiiitiibiiiii",
		.put = { "INSERT INTO picture(id, root, path, size, mtime_seconds, mtime_nanoseconds,"
				 " state, reason, width, height, hash, same_as, ctime_seconds, ctime_nanoseconds,"
				 " same_file, pixels) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
				 " ?13, ?14, ?15, ?16)" },
		.clear = "DELETE FROM picture",
	},
	[TABLE_VECTOR] = VECTORS("vector"),
	[TABLE_NEXT] = VECTORS("vector_next"),
	[TABLE_KEPT] = VECTORS("vector_kept"),
	[TABLE_CELL] = {
		.each = "SELECT picture, number, name, value, title <> 0 FROM cell WHERE (picture, number)"
				" > (?1, ?2) ORDER BY picture, number LIMIT ?3",
		.types = "iitti",
		.put = { "INSERT INTO cell(picture, number, name, value, title) VALUES(?1, ?2, ?3, ?4,"
				 " ?5)" },
		.clear = "DELETE FROM cell",
	},
	[TABLE_FACT] = {
		.each = "SELECT picture, version, sidecars, " FACT_NAMES " FROM fact WHERE picture > ?1"
				" ORDER BY picture LIMIT ?2",
		.types = "iiittttttttttt",
		.put = { "INSERT INTO fact(picture, version, sidecars, " FACT_NAMES ") VALUES(?1, ?2, ?3,"
				 " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)" },
		.clear = "DELETE FROM fact",
	},
	[TABLE_SIGNATURE] = {
		.each = "SELECT picture, hash, data FROM signature WHERE picture > ?1 ORDER BY picture"
				" LIMIT ?2",
		.types = "ibb",
		.put = { "INSERT INTO signature(picture, hash, data) VALUES(?1, ?2, ?3)" },
		.clear = "DELETE FROM signature",
	},
	[TABLE_REJECTED] = {
		.each = "SELECT a, b FROM rejected WHERE (a, b) > (?1, ?2) ORDER BY a, b LIMIT ?3",
		.types = "bb",
		.put = { "INSERT INTO rejected(a, b) VALUES(?1, ?2)" },
		.clear = "DELETE FROM rejected",
	},
	[TABLE_SEARCHER] = {
		.each = "SELECT state, name, params, version, rows, change FROM searcher WHERE published"
				" AND state > ?1 ORDER BY state LIMIT ?2",
		.types = "ittiii",
		.put = { "INSERT INTO searcher(state, name, published, params, version, rows, change)"
				 " VALUES(?1, ?2, 1, ?3, ?4, ?5, ?6)" },
		.clear = "DELETE FROM searcher",
	},
	[TABLE_CHUNK] = {
		.each = "SELECT state, number, checksum, data FROM searcher_chunk WHERE (state, number) >"
				" (?1, ?2) AND state IN (SELECT state FROM searcher WHERE published) ORDER BY"
				" state, number LIMIT ?3",
		.types = "iiib",
		.put = { "INSERT INTO searcher_chunk(state, number, checksum, data) VALUES(?1, ?2, ?3,"
				 " ?4)" },
		.clear = "DELETE FROM searcher_chunk",
	},
	[TABLE_CHANGE] = {
		.each = "SELECT number, id FROM change WHERE number > ?1 ORDER BY number LIMIT ?2",
		.types = "ii",
		.put = { "INSERT INTO change(number, id) VALUES(?1, ?2)" },
		.clear = "DELETE FROM change",
	},
	[TABLE_TALLY] = {
		.each = "SELECT what, n FROM tally WHERE n <> 0 AND what > ?1 ORDER BY what LIMIT ?2",
		.types = "ii",
		.put = { "INSERT INTO tally(what, n) VALUES(?1, ?2)" },
		.clear = "DELETE FROM tally",
	},
	[TABLE_FILE] = { /* which need not exist */
		.each = "SELECT picture, number, data FROM stored_file WHERE (picture, number) > (?1, ?2)"
				" ORDER BY picture, number LIMIT ?3",
		.types = "iib",
		.put = { "INSERT INTO stored_file(picture, number, data) VALUES(?1, ?2, ?3)" },
		.clear = "DROP TABLE IF EXISTS stored_file",
	},
	[TABLE_REGION] = REGIONS("region"), /* neither of these */
	[TABLE_REGION_NEXT] = REGIONS("region_next"),
};

/* -------------------------------------------------------------------------------- values ---- */

static int bind(sqlite3_stmt *s, int i, const store_value *v, char type)
{
	if (v->kind == VALUE_NULL)
		return sqlite3_bind_null(s, i);
	if (v->kind == VALUE_NUMBER)
		return sqlite3_bind_int64(s, i, v->number);
	return type == 't' ? sqlite3_bind_text64(s, i, v->data, v->size, SQLITE_STATIC, SQLITE_UTF8)
					   : sqlite3_bind_blob64(s, i, v->data, v->size, SQLITE_STATIC);
}

/* False: out of memory. */
static bool read_value(sqlite3_stmt *s, int i, store_value *v)
{
	int type = sqlite3_column_type(s, i);
	*v = (store_value){ .kind = VALUE_NULL, .data = "" };
	if (type == SQLITE_INTEGER) {
		v->kind = VALUE_NUMBER;
		v->number = sqlite3_column_int64(s, i);
	} else if (type != SQLITE_NULL) {
		const void *data = sqlite3_column_blob(s, i);
		v->kind = VALUE_BYTES;
		v->size = (size_t)sqlite3_column_bytes(s, i);
		v->data = v->size ? data : "";
	}
	return v->data;
}

static int read_rows(conn *c, store_table table, const store_value *after, int64_t most,
	store_table_each *each, void *user, imgsearch_error *err)
{
	const store_shape *shape = &ims_store_tables[table];
	store_value row[TABLE_COLUMNS_MOST], limit = { VALUE_NUMBER, .number = most };
	sqlite3_stmt *s = NULL;
	int sqlite = SQLITE_OK;
	int rc = ims_sqlite_query(c, &s, err, tables[table].each, "");
	int keys = (int)strlen(shape->keys);
	for (int i = 0; !rc && !sqlite && i <= keys; i++)
		sqlite = bind(s, i + 1, i < keys ? &after[i] : &limit, 'b');
	if (sqlite)
		rc = ims_sqlite_sql_fail(c, sqlite, err);
	while (!rc && (rc = ims_sqlite_step(c, s, err)) > 0) {
		bool read = true;
		for (size_t i = 0; read && i < shape->columns; i++)
			read = read_value(s, (int)i, &row[i]);
		rc = read ? each(user, row, err) : ims_nomem(err);
	}
	ims_sqlite_done(c, s);
	return rc;
}

int ims_sqlite_table_each(store *base, store_table table, const store_value *after, int64_t most,
	store_table_each *each, void *user, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	bool exist = true;
	conn *c;
	int rc = ims_sqlite_acquire(st, &c, err);
	if (!rc && table == TABLE_FILE)
		rc = ims_sqlite_files_exist(c, &exist, err);
	if (!rc && (table == TABLE_REGION || table == TABLE_REGION_NEXT))
		rc = ims_sqlite_regions_exist(c, &exist, err);
	if (!rc && exist)
		rc = read_rows(c, table, after, most, each, user, err);
	ims_sqlite_release(st, c);
	return rc;
}

/* ------------------------------------------------------------------------------ a target ---- */

/* The rows that others refer to may come after them. Finish checks. */
int ims_sqlite_transfer_begin(store *base, imgsearch_error *err)
{
	return ims_sqlite_exec(((sqlite_store *)base)->writer, "PRAGMA foreign_keys=OFF", err);
}

void ims_sqlite_transfer_end(store *base)
{
	ims_sqlite_exec(((sqlite_store *)base)->writer, "PRAGMA foreign_keys=ON", NULL);
}

int ims_sqlite_transfer_clear(store *base, imgsearch_error *err)
{
	conn *c;
	int rc = ims_sqlite_writer((sqlite_store *)base, &c, err);
	for (int i = 0; !rc && i < STORE_TABLES; i++)
		rc = ims_sqlite_exec(c, tables[i].clear, err);
	return rc ? rc
			  : ims_sqlite_exec(c,
				  "DELETE FROM sqlite_sequence WHERE name IN ('model', 'root', 'searcher')", err);
}

static int put_row(conn *c, sqlite3_stmt *s, const char *types, const store_value *row,
	imgsearch_error *err)
{
	int sqlite = SQLITE_OK;
	sqlite3_reset(s);
	for (int i = 0; !sqlite && types[i]; i++)
		sqlite = bind(s, i + 1, &row[i], types[i]);
	return sqlite ? ims_sqlite_sql_fail(c, sqlite, err) : ims_sqlite_step(c, s, err);
}

static int put_by(conn *c, const char *sql, store_table table, const store_rows *rows,
	imgsearch_error *err)
{
	store_value row[TABLE_COLUMNS_MOST];
	reader r = { .data = rows->data.data, .len = rows->data.len };
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_query(c, &s, err, sql, "");
	for (size_t i = 0; !rc && i < rows->n; i++)
		if (ims_store_rows_next(&r, row, ims_store_tables[table].columns))
			rc = put_row(c, s, tables[table].types, row, err);
	ims_sqlite_done(c, s);
	return rc;
}

int ims_sqlite_transfer_put(store *base, store_table table, const store_rows *rows,
	imgsearch_error *err)
{
	conn *c;
	int rc = ims_sqlite_writer((sqlite_store *)base, &c, err);
	if (!rc && table == TABLE_FILE)
		rc = ims_sqlite_files_make(c, err);
	if (!rc && (table == TABLE_REGION || table == TABLE_REGION_NEXT))
		rc = ims_sqlite_regions_make(c, err);
	for (int i = 0; !rc && i < PUTS && tables[table].put[i]; i++)
		rc = put_by(c, tables[table].put[i], table, rows, err);
	return rc;
}

static int check_references(conn *c, imgsearch_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = ims_sqlite_query(c, &s, err, "PRAGMA foreign_key_check", "");
	if (!rc && (rc = ims_sqlite_step(c, s, err)) > 0)
		rc = ims_fail(err, IMGSEARCH_EDB,
			"index %s: a row of %s refers to one of %s that is absent", c->st->base.label,
			(const char *)sqlite3_column_text(s, 0), (const char *)sqlite3_column_text(s, 2));
	ims_sqlite_done(c, s);
	return rc;
}

int ims_sqlite_transfer_finish(store *base, int64_t max_id, int64_t change, imgsearch_error *err)
{
	conn *c;
	int rc = ims_sqlite_writer((sqlite_store *)base, &c, err);
	if (!rc)
		rc = ims_sqlite_exec(c,
			"INSERT OR IGNORE INTO tally(what, n) VALUES(1, 0), (2, 0), (3, 0), (4, 0), (5, 0),"
			" (6, 0), (7, 0), (8, 0), (9, 0), (101, 0), (102, 0), (103, 0)",
			err);
	static const char set[] = "UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1";
	if (!rc)
		rc = ims_sqlite_run(c, err, set, "ti", "picture", max_id);
	if (!rc)
		rc = ims_sqlite_run(c, err, set, "ti", "change", change);
	if (!rc)
		rc = check_references(c, err);
	return rc ? rc : ims_sqlite_roots_settle(base, err);
}

/*
 * Files of older versions, made by the SQL that made them, are upgraded with all that they hold: in
 * one step, whatever happens meanwhile.
 */
#include "faults.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sql.h"

#include <dlfcn.h>
#include <sys/statvfs.h>

static int made; /* the version of the files of the test that runs */

static sqlite3 *raw_open(void)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	return db;
}

static void raw(sqlite3 *db, const char *sql)
{
	char *why = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

/* Every row of a query as text. */
static void dump(buf *out, sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s;
	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	ims_buf_text(out, "%s\n", sql);
	while (sqlite3_step(s) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(s); i++) {
			int type = sqlite3_column_type(s, i);
			const char *data = sqlite3_column_blob(s, i);
			ims_buf_text(out, "|%d:", type);
			for (int j = 0; j < sqlite3_column_bytes(s, i); j++)
				ims_buf_text(out, type == SQLITE_BLOB ? "%02x" : "%c", (unsigned char)data[j]);
		}
		ims_buf_text(out, "\n");
	}
	sqlite3_finalize(s);
}

static int64_t raw_number(const char *sql)
{
	sqlite3 *db = raw_open();
	sqlite3_stmt *s;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}

#define VERSION() raw_number("PRAGMA user_version")

#define PICTURE \
	"SELECT id, root, path, size, %s, state, reason, width, height, hash, same_as " \
	"FROM picture ORDER BY id"

/* All that the file holds, the same text for every version. */
static char *contents(void)
{
	static const char *const tables[] = {
		"SELECT * FROM setting WHERE name <> 'file'", /* which an upgrade adds */
		"SELECT * FROM model",
		"SELECT * FROM root",
		"SELECT * FROM vector",
		"SELECT * FROM vector_next",
		"SELECT * FROM cell",
		"SELECT * FROM searcher",
		"SELECT * FROM searcher_chunk",
		"SELECT * FROM change",
		"SELECT * FROM rejected",
		"SELECT * FROM signature",
		"SELECT n FROM tally WHERE what BETWEEN 1 AND 7 ORDER BY what",
		"SELECT name, max(seq, 0) FROM sqlite_sequence ORDER BY name",
		"SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT IN ('picture_same_file',"
		" 'picture_unconverted', 'fact_date') ORDER BY name",
	};
	bool old = VERSION() == 1;
	buf b = { 0 };
	sqlite3 *db = raw_open();
	char *picture = ims_format(PICTURE,
		old ? "mtime_ns"
			: "iif(mtime_seconds < 0, (mtime_seconds + 1) * 1000000000 + (mtime_nanoseconds -"
			  " 1000000000), mtime_seconds * 1000000000 + mtime_nanoseconds)");
	dump(&b, db, picture);
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		dump(&b, db, tables[i]);
	ims_buf_text(&b, "vectors %d, next %d",
		(int)raw_number(
			old ? "SELECT n FROM tally WHERE what = 8" : "SELECT n FROM tally WHERE what = 101"),
		(int)raw_number(
			old ? "SELECT n FROM tally WHERE what = 9" : "SELECT n FROM tally WHERE what = 102"));
	sqlite3_close(db);
	ims_free(picture);
	ims_buf_u8(&b, 0);
	assert_false(b.failed);
	char *text = strdup(strchr((char *)b.data, '\n')); /* how pictures were asked for differs */
	ims_buf_free(&b);
	return text;
}

static void fill_chunks(sqlite3 *db)
{
	static const char chunk[] = "a chunk of a searcher";
	sqlite3_stmt *s;
	raw(db,
		"INSERT INTO searcher VALUES(4, 'graph', 1, 'p', 2, 3, 1),"
		" (5, 'pca', 0, NULL, 0, 0, 2)");
	assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO searcher_chunk VALUES(4, 0, ?1, ?2)", -1,
						 &s, NULL),
		SQLITE_OK);
	sqlite3_bind_int64(s, 1, (int64_t)ims_checksum(chunk, sizeof chunk, 0));
	sqlite3_bind_blob(s, 2, chunk, sizeof chunk, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(s), SQLITE_DONE);
	sqlite3_finalize(s);
}

static void set_version(sqlite3 *db, int version)
{
	char text[100];
	snprintf(text, sizeof text, "PRAGMA user_version=%d; PRAGMA application_id=0x696d7365",
		version);
	raw(db, text);
}

/* From version 1 to the one of the test, as programs of that time did. */
static void raise_version(sqlite3 *db)
{
	raw(db, "PRAGMA foreign_keys=OFF; PRAGMA legacy_alter_table=ON; BEGIN");
	for (int have = 1; have < made; have++)
		raw(db, ims_sqlite_steps[have]);
	set_version(db, made);
	raw(db, "COMMIT");
}

/* A file with something in every table; `more` damaged pictures make it larger. */
static void make_old(int more)
{
	char text[400];
	remove_files();
	sqlite3 *db = raw_open();
	raw(db,
		"PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
		"PRAGMA foreign_keys=ON; BEGIN");
	raw(db, ims_sqlite_steps[0]);
	raw(db,
		"INSERT INTO setting VALUES('metric', x'00000000'), ('dim', x'04000000');"
		"INSERT INTO model VALUES(1, 0, 'one', 'w', 'h', 'r', 4, 0),"
		" (2, 1, 'two', 'w', 'h', 'r', 4, 0);"
		"INSERT INTO root VALUES(3, CAST('/photos' AS BLOB), NULL), (7, x'2f62ff', '.')");
	for (int state = 1; state <= 7; state++) {
		snprintf(text, sizeof text,
			"INSERT INTO picture VALUES(%d, 3, CAST('p%d' AS BLOB), %d, %d, %d, %s, 4, 3,"
			" %s, %s)",
			state * 10, state, state, state - 3, state, state > 2 ? "'why'" : "NULL",
			state == 2 ? "(SELECT hash FROM picture WHERE id = 10)" : "randomblob(32)",
			state == 2 ? "10" : "NULL");
		raw(db, text);
	}
	raw(db,
		"INSERT INTO picture VALUES(80, 7, x'ff', 1, -1, 1, NULL, 1, 1, NULL, NULL),"
		" (81, 7, x'fe', 1, -1000000000, 1, NULL, 1, 1, NULL, NULL),"
		" (82, 0, x'01', 1, -9223372036854775808, 1, NULL, 1, 1, NULL, NULL),"
		" (83, 0, x'02', 1, 9223372036854775807, 1, NULL, 1, 1, NULL, NULL),"
		" (84, 0, x'03', 1, 1700000000123456789, 1, NULL, 1, 1, NULL, NULL);"
		"UPDATE sqlite_sequence SET seq = 900 WHERE name = 'picture';"
		"UPDATE sqlite_sequence SET seq = 50 WHERE name = 'change';"
		"INSERT INTO vector SELECT id, CAST(printf('%04d%04d%04d%04d', id, id, id, id) AS BLOB)"
		" FROM picture WHERE state = 1;"
		"INSERT INTO vector VALUES(0, zeroblob(16)), (500, randomblob(16));"
		"INSERT INTO vector_next VALUES(10, randomblob(16)), (80, randomblob(16));"
		"INSERT INTO cell VALUES(10, 0, 'artist', 'O''Keeffe', 0), (10, 1, 'title', '', 1);"
		"INSERT INTO signature SELECT id, hash, x'aabb' FROM picture WHERE id = 10;"
		"INSERT INTO change(id) VALUES(10), (500);"
		"INSERT INTO rejected VALUES(zeroblob(32), randomblob(32));"
		"UPDATE tally SET n = (SELECT count(*) FROM picture WHERE state = what);"
		"UPDATE tally SET n = 8 WHERE what = 8; UPDATE tally SET n = 2 WHERE what = 9");
	fill_chunks(db);
	snprintf(text, sizeof text,
		"INSERT INTO picture(root, path, size, mtime_ns, state, width, height, hash)"
		" WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < %d)"
		" SELECT 0, randomblob(40), i, i, 4, 0, 0, randomblob(32) FROM r;"
		"UPDATE tally SET n = n + %d WHERE what = 4; COMMIT",
		more, more);
	raw(db, more ? text : "COMMIT");
	raise_version(db);
	sqlite3_close(db);
	assert_int_equal(VERSION(), made);
}

static void is_same_as(const char *before)
{
	assert_int_equal(VERSION(), IMS_STORE_VERSION);
	char *after = contents();
	assert_string_equal(after, before);
	free(after);
}

/* The first writer upgrades. */
static void upgrade(const char *path)
{
	store *st = open_store(path, 0);
	ok(ims_store_write_begin(st, &err));
	ims_store_write_end(st);
	assert_int_equal(ims_store_old_version(st), 0);
	ims_store_close(st);
}

static void upgrade_file(void)
{
	upgrade(file);
}

static void has_time(store *st, int64_t id, int64_t seconds, int64_t nanoseconds)
{
	store_picture p;
	ok(ims_store_picture_get(st, id, &p, &err));
	assert_int_equal(p.mtime.seconds, seconds);
	assert_int_equal(p.mtime.nanoseconds, nanoseconds);
	ims_store_picture_clear(&p);
}

static void everything_stays(void **state)
{
	(void)state;
	make_old(0);
	char *before = contents();
	upgrade_file();
	is_same_as(before);
	free(before);
	store *st = open_store(file, 0);
	assert_int_equal(problems(st), 0);
	has_time(st, 10, -1, 999999998);
	has_time(st, 80, -1, 999999999);
	has_time(st, 81, -1, 0);
	has_time(st, 82, INT64_MIN / 1000000000 - 1, 145224192);
	has_time(st, 83, INT64_MAX / 1000000000, 854775807);
	has_time(st, 84, 1700000000, 123456789);
	store_counts counts;
	ok(ims_store_counts(st, &counts, &err));
	assert_int_equal(counts.by_state[IMGSEARCH_STATE_INDEXED], 6);
	assert_int_equal(counts.by_state[IMGSEARCH_STATE_DELETED], 0);
	assert_int_equal(counts.vectors, 8);
	assert_int_equal(counts.vectors_next, 2);
	int64_t id;
	ok(ims_store_max_id(st, &id, &err));
	assert_int_equal(id, 900);
	begin(st); /* references still hold: what belongs to a picture goes with it */
	assert_int_equal(add_picture(st, 3, "new", 9), 901);
	ok(ims_store_remove(st, ONE(10), &err));
	commit(st);
	assert_true(has_vector(st, 20)); /* its duplicate inherited */
	store_cell *c;
	size_t n;
	ok(ims_store_columns_get(st, 10, &c, &n, &err));
	assert_int_equal(n, 0);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
	assert_int_equal(raw_number("SELECT count(*) FROM signature"), 0);
}

/* A view that somebody made on the pictures does not stand in the way. */
static void with_a_view(void **state)
{
	(void)state;
	make_old(0);
	sqlite3 *db = raw_open();
	raw(db,
		made == 1 ? "CREATE VIEW mine AS SELECT path, mtime_ns FROM picture"
				  : "CREATE VIEW mine AS SELECT path, mtime_seconds FROM picture");
	sqlite3_close(db);
	upgrade_file();
	store *st = open_store(file, 0);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

/* --------------------------------------------------------------------------- only reading ---- */

static int note_picture(void *user, const store_picture *p, const char *root)
{
	ims_buf_text(user, "%lld %lld %s/%s %llu %lld.%lld %u %s %ux%u %02x%02x %lld\n",
		(long long)p->id, (long long)p->root, root ? root : "", p->path,
		(unsigned long long)p->size, (long long)p->mtime.seconds, (long long)p->mtime.nanoseconds,
		p->state, p->reason ? p->reason : "-", p->width, p->height, p->hash.byte[0],
		p->hash.byte[31], (long long)p->same_as);
	return 0;
}

static int note_cell(void *user, size_t i, const store_picture *p, const char *root,
	const store_cell *cell)
{
	ims_buf_text(user, "%d %s=%s ", (int)i, cell ? cell->name : "", cell ? cell->value : "");
	return note_picture(user, p, root);
}

static int note_rows(void *user, const int64_t *ids, const float *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ims_buf_text(user, "vector %lld ", (long long)ids[i]);
		for (int k = 0; k < 4; k++)
			ims_buf_text(user, "%a ", rows[i * 4 + k]);
	}
	return 0;
}

static int note_pair(void *user, const hash256 *a, const hash256 *b)
{
	ims_buf_text(user, "pair %02x %02x\n", a->byte[0], b->byte[0]);
	return 0;
}

static int note_signature(void *user, int64_t picture, const void *data, size_t size)
{
	ims_buf_text(user, "signature %d %02x %d\n", (int)picture, *(const uint8_t *)data, (int)size);
	return 0;
}

static int note_problem(void *user, const char *text)
{
	ims_buf_text(user, "problem: %s\n", text);
	return 0;
}

static void note_ids(buf *b, int64_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ims_buf_text(b, "%lld ", (long long)ids[i]);
	ims_free(ids);
}

static void note_found(buf *b, store_picture *p)
{
	if (p->path)
		note_picture(b, p, NULL);
	ims_store_picture_clear(p);
}

static void read_pictures(store *st, buf *b)
{
	static const int64_t ids[] = { 84, 10, 7, 20, 83 };
	store_picture p;
	hash256 known = { 0 };
	int64_t *under;
	size_t n;
	for (uint32_t state = 0; state <= 8; state++)
		ok(ims_store_each_picture(st, state, note_picture, b, &err));
	for (int64_t id = 0; id < 90; id++) {
		uint8_t presence;
		ok(ims_store_get(st, &id, 1, &p, &err));
		known = id == 10 ? p.hash : known;
		ims_buf_text(b, "%s ", p.root_path ? p.root_path : "-");
		note_found(b, &p);
		ok(ims_store_presences(st, &id, 1, &presence, &err));
		ims_buf_text(b, "%d\n", presence);
	}
	ok(ims_store_find(st, &(store_place){ 3, "p4" }, 1, &p, &err));
	note_found(b, &p);
	ok(ims_store_by_hash(st, &known, 1, &p, &err));
	note_found(b, &p);
	ok(ims_store_pictures_lookup(st, ids, 5, note_cell, b, &err));
	ok(ims_store_ids_under(st, "/photos", &under, &n, &err));
	note_ids(b, under, n);
	for (uint64_t size = 0; size < 9; size++) {
		bool has;
		ok(ims_store_has_size(st, size, &has, &err));
		ims_buf_text(b, "%d ", has);
	}
}

static void read_vectors(store *st, buf *b)
{
	static const int64_t ids[] = { 500, 10, 7, 0 };
	float rows[16] = { 0 };
	uint8_t found[4];
	int64_t *next;
	size_t n;
	ok(ims_store_vectors_scan(st, false, 4, note_rows, b, &err));
	ok(ims_store_vectors_scan(st, true, 4, note_rows, b, &err));
	ok(ims_store_vectors_fetch(st, ids, 4, 4, rows, found, &err));
	note_rows(b, ids, rows, 4);
	for (int i = 0; i < 4; i++)
		ims_buf_text(b, "%d\n", found[i]);
	ok(ims_store_ids(st, STORE_NEXT, &next, &n, &err));
	note_ids(b, next, n);
}

static void read_searchers(store *st, buf *b)
{
	store_searcher *all;
	size_t n;
	uint64_t bytes;
	ok(ims_store_searchers(st, &all, &n, &err));
	for (size_t i = 0; i < n; i++) {
		ok(ims_store_searcher_bytes(st, all[i].state, &bytes, &err));
		ims_buf_text(b, "%s %s %u %u %d %d %d\n", all[i].name, all[i].params, all[i].version,
			all[i].chunks, (int)all[i].rows, (int)all[i].change, (int)bytes);
	}
	ims_store_searchers_free(all, n);
	ok(ims_store_searcher_read(st, 4, 0, b, &err));
}

static void read_settings(store *st, buf *b)
{
	store_cell *c;
	size_t n;
	for (int next = 0; next < 2; next++) {
		store_model m;
		int rc = ims_store_model_get(st, &m, next, NULL);
		ims_buf_text(b, "model %d %s %s\n", rc, m.name ? m.name : "-", m.recipe ? m.recipe : "-");
		ims_store_model_clear(&m);
	}
	buf metric = { 0 };
	ok(ims_store_setting_get(st, "metric", &metric, &err));
	ims_buf_put(b, metric.data, metric.len);
	ims_buf_free(&metric);
	store_roots roots;
	ok(ims_store_roots_get(st, &roots, &err));
	for (size_t i = 0; i < roots.n; i++)
		ims_buf_text(b, "root %d %s\n", (int)roots.id[i], roots.path[i]);
	ims_store_roots_free(&roots);
	ok(ims_store_columns_get(st, 10, &c, &n, &err));
	for (size_t i = 0; i < n; i++)
		ims_buf_text(b, "%s=%s %d\n", c[i].name, c[i].value, c[i].title);
	ims_store_columns_free(c, n);
}

static void read_numbers(store *st, buf *b)
{
	store_counts counts;
	int64_t number, *ids;
	size_t n;
	ok(ims_store_counts(st, &counts, &err));
	for (int i = 0; i < STORE_STATES; i++)
		ims_buf_text(b, "%d ", (int)counts.by_state[i]);
	ims_buf_text(b, "%d %d %d\n", (int)counts.vectors, (int)counts.vectors_next,
		(int)counts.vectors_kept);
	ok(ims_store_max_id(st, &number, &err));
	ims_buf_text(b, "largest id %lld ", (long long)number);
	ok(ims_store_change_last(st, &number, &err));
	ims_buf_text(b, "change %lld\n", (long long)number);
	for (int64_t after = 0; after < 60; after++) {
		ims_buf_text(b, "%d: ", ims_store_changes(st, after, &ids, &n, NULL));
		note_ids(b, ids, n);
	}
	ok(ims_store_each_rejected(st, note_pair, b, &err));
	ok(ims_store_signatures(st, note_signature, b, &err));
}

/* What every reading function says, and the check. */
static char *answers(store *st)
{
	buf b = { 0 };
	read_settings(st, &b);
	read_searchers(st, &b);
	read_numbers(st, &b);
	read_vectors(st, &b);
	read_pictures(st, &b);
	ok(ims_store_check(st, note_problem, &b, &err));
	assert_false(b.failed);
	char *hex = ims_zalloc(b.len + 1, 1); /* bytes that are no text become dots */
	for (size_t i = 0; i < b.len; i++)
		hex[i] = (char)(b.data[i] ? b.data[i] : '.');
	ims_buf_free(&b);
	return hex;
}

static store *open_to_read(void)
{
	store *st;
	store_options o = { .read_only = true };
	ok(ims_store_open(&st, file, &o, &err));
	return st;
}

static void read_file(buf *out)
{
	out->len = 0;
	ok(ims_read_file(out, file, 1 << 26, &err));
}

/* No writer, and no other file that would have to be written beside the index. */
static void is_unchanged(const buf *before)
{
	char wal[128];
	buf after = { 0 };
	snprintf(wal, sizeof wal, "%s-wal", file);
	assert_int_not_equal(access(wal, F_OK), 0);
	read_file(&after);
	assert_int_equal(after.len, before->len);
	assert_memory_equal(after.data, before->data, after.len);
	ims_buf_free(&after);
}

static void only_to_be_read(void **state)
{
	(void)state;
	buf before = { 0 };
	make_old(40);
	read_file(&before);
	store *st = open_to_read();
	char *old = answers(st);
	fails(IMGSEARCH_EINVAL, ims_store_write_begin(st, &err));
	ims_store_close(st);
	is_unchanged(&before);
	upgrade_file();
	assert_int_equal(VERSION(), IMS_STORE_VERSION);
	st = open_to_read();
	char *upgraded = answers(st);
	assert_string_equal(old, upgraded);
	assert_null(strstr(old, "problem"));
	ims_store_close(st);
	ims_free(old);
	ims_free(upgraded);
	ims_buf_free(&before);
}

/* A handle that may write, and does not, leaves the file as it is; its first write upgrades it. */
static void read_before_it_is_written(void **state)
{
	(void)state;
	buf before = { 0 };
	make_old(40);
	read_file(&before);
	store *st = open_store(file, 0);
	char *old = answers(st);
	assert_int_equal(ims_store_old_version(st), made);
	ims_store_close(st);
	is_unchanged(&before);
	st = open_store(file, 0);
	begin(st);
	assert_int_equal(VERSION(), IMS_STORE_VERSION);
	ims_store_tx_rollback(st);
	char *upgraded = answers(st);
	ims_store_write_end(st);
	assert_string_equal(old, upgraded);
	assert_int_equal(ims_store_old_version(st), 0);
	ims_store_close(st);
	ims_free(old);
	ims_free(upgraded);
	ims_buf_free(&before);
}

/* Where another writer is at work the file stays as it is, and is read. */
static void another_writer(void **state)
{
	(void)state;
	make_old(0);
	store *writer = open_store(file, 0), *st = open_store(file, 0);
	ok(ims_sqlite_lock((sqlite_store *)writer, &err));
	fails(IMGSEARCH_EBUSY, ims_store_write_begin(st, &err));
	assert_int_equal(ims_store_old_version(st), made);
	has_time(st, 84, 1700000000, 123456789);
	ims_sqlite_unlock((sqlite_store *)writer);
	ok(ims_store_write_begin(st, &err));
	ims_store_write_end(st);
	has_time(writer, 84, 1700000000, 123456789);
	ims_store_close(st);
	ims_store_close(writer);
	assert_int_equal(VERSION(), IMS_STORE_VERSION);
}

/* Nothing was ever given an id, which the sequence of version 1 does not tell from 0. */
static void empty_to_be_read(void **state)
{
	(void)state;
	int64_t id;
	remove_files();
	sqlite3 *db = raw_open();
	raw(db, ims_sqlite_steps[0]);
	raise_version(db);
	sqlite3_close(db);
	store *st = open_to_read();
	ok(ims_store_max_id(st, &id, &err));
	assert_int_equal(id, -1);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
	db = raw_open();
	raw(db, "INSERT INTO vector VALUES(0, zeroblob(16))");
	sqlite3_close(db);
	st = open_to_read();
	ok(ims_store_max_id(st, &id, &err));
	assert_int_equal(id, 0);
	ims_store_close(st);
}

/* A copy of a file that is read through views opens as an index. */
static void copied(void **state)
{
	(void)state;
	char target[128];
	snprintf(target, sizeof target, "%s/copy.db", folder);
	make_old(0);
	store *st = open_to_read();
	ok(ims_store_backup(st, target, false, NULL, &err));
	ims_store_close(st);
	upgrade_file();
	upgrade(target);
	st = open_store(target, 0);
	assert_int_equal(problems(st), 0);
	has_time(st, 84, 1700000000, 123456789);
	ims_store_close(st);
	unlink(target);
}

/* A program that has the file open, so that its journal is there and readers are not immutable. */
static sqlite3 *with_a_journal(void)
{
	sqlite3 *db = raw_open();
	raw(db, /* SQLite writes nothing where a value stays what it was */
		"UPDATE setting SET data = x'01000000' WHERE name = 'metric';"
		"UPDATE setting SET data = x'00000000' WHERE name = 'metric'");
	return db;
}

/* The handle is open when another one upgrades the file. */
static void upgraded_meanwhile(bool journal)
{
	make_old(40);
	sqlite3 *other = journal ? with_a_journal() : NULL;
	store *st = open_to_read();
	char *old = answers(st);
	upgrade_file();
	sqlite3_close(other);
	assert_int_equal(VERSION(), IMS_STORE_VERSION);
	char *upgraded = answers(st);
	assert_string_equal(old, upgraded);
	ims_store_close(st);
	ims_free(old);
	ims_free(upgraded);
}

static void upgraded_between(void **state)
{
	(void)state;
	upgraded_meanwhile(false);
	upgraded_meanwhile(true);
}

static int upgrade_at_once(void *user, const store_picture *p, const char *root)
{
	(void)p;
	(void)root;
	if (!(*(int *)user)++)
		upgrade_file();
	return 0;
}

/* A read under which the file is upgraded sees the old state, or says that it cannot go on. */
static void upgraded_within(void **state)
{
	(void)state;
	for (int journal = 0; journal < 2; journal++) {
		int n = 0;
		make_old(3000);
		sqlite3 *other = journal ? with_a_journal() : NULL;
		store *st = open_to_read();
		imgsearch_error err = { 0 };
		int rc = ims_store_each_picture(st, 0, upgrade_at_once, &n, &err);
		if (journal) {
			assert_int_equal(rc, 0);
			assert_int_equal(n, 3012);
		} else {
			assert_int_equal(rc, IMGSEARCH_EBUSY);
			assert_non_null(strstr(err.message, "changed while it was read"));
		}
		n = 1;
		ok(ims_store_each_picture(st, 0, upgrade_at_once, &n, &err));
		assert_int_equal(n, 3013);
		assert_int_equal(problems(st), 0);
		ims_store_close(st);
		sqlite3_close(other);
	}
}

/* Upgrades the file, whatever fails. */
static int try_upgrade(void)
{
	store *st;
	store_options o = { 0 };
	imgsearch_error err;
	int rc = ims_store_open(&st, file, &o, &err);
	if (rc)
		return rc;
	rc = ims_store_write_begin(st, &err);
	ims_store_close(st);
	return rc;
}

static void open_and_close(void *arg)
{
	(void)arg;
	try_upgrade();
}

/* Another process upgrades the file while this one reads it over and over. */
static void upgraded_by_another(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		make_old(400);
		store *st = open_to_read();
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			usleep((useconds_t)i * 500);
			open_and_close(NULL);
			_exit(0);
		}
		int status = 0, after = 0;
		for (bool ended = false; !ended || after < 2; after += ended) {
			int n = 1;
			imgsearch_error err = { 0 };
			int rc = ims_store_each_picture(st, 0, upgrade_at_once, &n, &err);
			if (rc && err.code != IMGSEARCH_EBUSY)
				fail_msg("%d: %s", err.code, err.message);
			if (!rc)
				assert_int_equal(n, 413);
			if (!ended && waitpid(pid, &status, WNOHANG) == pid)
				ended = true;
		}
		assert_int_equal(status, 0);
		assert_int_equal(VERSION(), IMS_STORE_VERSION);
		assert_int_equal(problems(st), 0);
		ims_store_close(st);
	}
}

static uint64_t blocks_left = UINT64_MAX; /* that statvfs tells; UINT64_MAX: the disk's own */

/* In the place of the system's, which it asks no more where a test says what is free. */
int statvfs(const char *path, struct statvfs *out)
{
	int (*own)(const char *, struct statvfs *);
	*(void **)&own = dlsym(RTLD_NEXT, "statvfs");
	int rc = own(path, out);
	if (blocks_left != UINT64_MAX) {
		out->f_bavail = blocks_left;
		out->f_frsize = 1;
	}
	return rc;
}

/* Where the upgrade copies the pictures, the room for that is asked for before it begins. */
static void too_small_a_disk(void **state)
{
	(void)state;
	imgsearch_error why;
	make_old(3000);
	char *before = contents();
	blocks_left = 3000 * 350 - 1;
	store *st = open_store(file, 0);
	int rc = ims_store_write_begin(st, &why);
	if (made == 1) {
		assert_int_equal(rc, IMGSEARCH_EIO);
		assert_non_null(strstr(why.message, "needs about 1.1 MB of the disk"));
		assert_int_equal(VERSION(), made);
		blocks_left = UINT64_MAX;
		ok(ims_store_write_begin(st, &err));
	}
	blocks_left = UINT64_MAX;
	ims_store_write_end(st);
	ims_store_close(st);
	is_same_as(before);
	free(before);
}

static void full_disk(void **state)
{
	(void)state;
	make_old(3000);
	char *before = contents();
	int failed = 0;
	for (int n = 0;; n += 1 + n / 4) {
		faults_writes_left = n;
		int rc = try_upgrade();
		faults_writes_left = -1;
		if (!rc)
			break;
		assert_int_equal(rc, IMGSEARCH_EIO);
		int64_t now = VERSION(); /* what follows the upgrade may fail, too */
		assert_true(now == made || now == IMS_STORE_VERSION);
		failed++;
	}
	assert_true(failed > 3);
	is_same_as(before);
	free(before);
}

static void killed(void **state)
{
	(void)state;
	int left_old = 0;
	bool died = true;
	make_old(3000);
	char *before = contents();
	buf whole = { 0 };
	ok(ims_read_file(&whole, file, 1 << 26, &err));
	for (int n = 0; died; n += 1 + n / 8) {
		remove_files();
		FILE *f = fopen(file, "wb");
		assert_int_equal(fwrite(whole.data, 1, whole.len, f), whole.len);
		fclose(f);
		died = faults_kill_at(n, open_and_close, NULL);
		left_old += VERSION() == made;
		upgrade_file();
		store *st = open_store(file, 0);
		assert_int_equal(problems(st), 0);
		ims_store_close(st);
		is_same_as(before);
	}
	assert_true(left_old > 5);
	ims_buf_free(&whole);
	free(before);
}

static int no_facts(void *user, const store_described *d)
{
	++*(int *)user;
	for (int i = 0; i < FACTS; i++)
		assert_null(d->fact[i]);
	return 0;
}

/* What versions from 3 on add is empty in an older file, also where that is only read. */
static void nothing_new_in_it(void **state)
{
	static const char new_columns[] =
		"SELECT ctime_seconds, ctime_nanoseconds, same_file, pixels FROM picture WHERE "
		"ctime_seconds"
		" NOTNULL OR ctime_nanoseconds NOTNULL OR same_file NOTNULL OR pixels <> 0";
	(void)state;
	make_old(0);
	for (int upgraded = 0; upgraded < 2; upgraded++) {
		conn *c;
		int64_t found;
		if (upgraded)
			upgrade_file();
		store *st = open_to_read();
		ok(ims_sqlite_acquire((sqlite_store *)st, &c, &err));
		ok(ims_sqlite_number(c, &found, -1, &err, new_columns, ""));
		assert_int_equal(found, -1);
		store_roots roots;
		ok(ims_store_roots_get(st, &roots, &err));
		for (store_list list = 0; list < STORE_LISTS; list++)
			assert_int_equal(ims_store_roots_lists(&roots, 3)->of[list].n, 0);
		ims_store_roots_free(&roots);
		int described = 0;
		ok(ims_store_each_described(st, no_facts, &described, &err));
		assert_int_equal(described, 7); /* six indexed pictures, one with two cells */
		ims_sqlite_release((sqlite_store *)st, c);
		ims_store_close(st);
	}
}

/* A handle whose views are those of version 1 goes on when the file becomes one of version 2. */
static void upgraded_in_part(void **state)
{
	(void)state;
	made = 1;
	make_old(40);
	sqlite3 *other = with_a_journal();
	store *st = open_to_read();
	char *old = answers(st);
	made = 2;
	raise_version(other);
	char *upgraded = answers(st);
	assert_string_equal(old, upgraded);
	ims_store_close(st);
	sqlite3_close(other);
	ims_free(old);
	ims_free(upgraded);
}

static int of_version_1(void **state)
{
	made = 1;
	return make_folder(state);
}

static int of_version_2(void **state)
{
	made = 2;
	return make_folder(state);
}

static int of_version_3(void **state)
{
	made = 3;
	return make_folder(state);
}

int main(void)
{
	faults_install();
#define on_version(test, n) \
	{ \
#test " " #n, test, of_version_##n, remove_folder, NULL \
	}
#define on_files(test) on_version(test, 1), on_version(test, 2), on_version(test, 3)
	const struct CMUnitTest tests[] = {
		on_files(everything_stays),
		on_files(with_a_view),
		on_files(only_to_be_read),
		on_files(read_before_it_is_written),
		on_files(another_writer),
		on_files(empty_to_be_read),
		on_files(copied),
		on_files(upgraded_between),
		on_files(upgraded_within),
		on_files(upgraded_by_another),
		on_files(too_small_a_disk),
		on_files(full_disk),
		on_files(killed),
		on_files(nothing_new_in_it),
		on_version(upgraded_in_part, 1),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Files of version 1, made by the SQL that made them, are upgraded with all that they hold: in one
 * step, whatever happens meanwhile.
 */
#include "faults.h"
#include "store/schema.h"

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

/* All that the file holds, the same text for both versions. */
static char *contents(void)
{
	static const char *const tables[] = {
		"SELECT * FROM setting",
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
		"SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name",
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

/* A file of version 1 with something in every table; `more` damaged pictures make it larger. */
static void make_old(int more)
{
	char text[400];
	remove_files();
	sqlite3 *db = raw_open();
	raw(db,
		"PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
		"PRAGMA foreign_keys=ON; BEGIN");
	raw(db, ims_store_steps[0]);
	raw(db,
		"PRAGMA user_version=1; PRAGMA application_id=0x696d7365;"
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
	sqlite3_close(db);
	assert_int_equal(VERSION(), 1);
}

static void is_same_as(const char *before)
{
	assert_int_equal(VERSION(), 2);
	char *after = contents();
	assert_string_equal(after, before);
	free(after);
}

static void has_time(store *st, int64_t id, int64_t seconds, int64_t nanoseconds)
{
	store_picture p;
	ok(ims_store_picture_get(st, id, &p, NULL, &err));
	assert_int_equal(p.mtime.seconds, seconds);
	assert_int_equal(p.mtime.nanoseconds, nanoseconds);
	ims_store_picture_clear(&p);
}

static void everything_stays(void **state)
{
	(void)state;
	make_old(0);
	char *before = contents();
	ims_store_close(open_store(file, 0));
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
	ok(ims_store_picture_remove(st, 10, &err));
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
	raw(db, "CREATE VIEW mine AS SELECT path, mtime_ns FROM picture");
	sqlite3_close(db);
	store *st = open_store(file, 0);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

static void only_to_be_read(void **state)
{
	(void)state;
	store *st;
	store_options o = { .read_only = true };
	imgsearch_error err;
	make_old(0);
	assert_int_equal(ims_store_open(&st, file, &o, &err), IMGSEARCH_EVERSION);
	assert_non_null(strstr(err.message, "open it once where it can be written"));
	assert_int_equal(VERSION(), 1);
}

static void full_disk(void **state)
{
	(void)state;
	make_old(3000);
	char *before = contents();
	int failed = 0;
	for (int n = 0;; n += 1 + n / 4) {
		store *st;
		store_options o = { 0 };
		imgsearch_error err = { 0 };
		faults_writes_left = n;
		int rc = ims_store_open(&st, file, &o, &err);
		faults_writes_left = -1;
		if (!rc) {
			ims_store_close(st);
			break;
		}
		assert_int_equal(rc, IMGSEARCH_EIO);
		assert_int_equal(VERSION(), 1);
		failed++;
	}
	assert_true(failed > 3);
	is_same_as(before);
	free(before);
}

static void open_and_close(void *arg)
{
	(void)arg;
	store *st;
	store_options o = { 0 };
	if (!ims_store_open(&st, file, &o, NULL))
		ims_store_close(st);
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
		left_old += VERSION() == 1;
		store *st = open_store(file, 0);
		assert_int_equal(problems(st), 0);
		ims_store_close(st);
		is_same_as(before);
	}
	assert_true(left_old > 5);
	ims_buf_free(&whole);
	free(before);
}

int main(void)
{
	faults_install();
#define on_files(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		on_files(everything_stays),
		on_files(with_a_view),
		on_files(only_to_be_read),
		on_files(full_disk),
		on_files(killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What goes wrong around the store: the disk is full or broken at any write, memory is short at any
 * allocation, the file is no index, cut off, damaged, newer, older, or must not be written.
 */
#include "common.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sql.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ------------------------------- a VFS that fails at the n-th write and every one after it ---- */

static sqlite3_vfs shim;
static int writes_left = -1, failure = SQLITE_FULL; /* -1: never */

typedef struct shim_file {
	sqlite3_file base;
	sqlite3_io_methods methods; /* the real ones with our write */
	const sqlite3_io_methods *real;
} shim_file;

static shim_file *shim_of(sqlite3_file *f); /* ours lies behind the real one's bytes */

static int shim_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
	if (writes_left == 0)
		return failure;
	if (writes_left > 0)
		writes_left--;
	return shim_of(f)->real->xWrite(f, data, n, at);
}

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	sqlite3_vfs *real = vfs->pAppData;
	int rc = real->xOpen(real, name, f, flags, out);
	if (rc == SQLITE_OK && f->pMethods) {
		shim_file *s = shim_of(f);
		s->real = f->pMethods;
		s->methods = *f->pMethods;
		s->methods.xWrite = shim_write;
		f->pMethods = &s->methods;
	}
	return rc;
}

static size_t real_size;

static shim_file *shim_of(sqlite3_file *f)
{
	return (shim_file *)(void *)((char *)f + real_size);
}

static void install_shim(void)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);
	shim = *real;
	shim.zName = "shim";
	shim.pAppData = real;
	shim.xOpen = shim_open;
	real_size = ((size_t)real->szOsFile + 15) & ~(size_t)15;
	shim.szOsFile = (int)(real_size + sizeof(shim_file));
	sqlite3_vfs_register(&shim, 1);
}

/* One run of work: 20 pictures, a searcher's state, a removal. */
static int work(store *st, imgsearch_error *err)
{
	char path[16];
	int64_t state;
	static const char chunk[100000];
	int rc = ims_store_write_begin(st, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(st, err);
	for (int i = 0; !rc && i < 20; i++) {
		float v[4] = { 1, 1, 1, 1 };
		store_picture p = { .path = path, .state = IMGSEARCH_STATE_INDEXED };
		snprintf(path, sizeof path, "%d", i);
		rc = put_row(st, &p, err);
		if (!rc)
			rc = put_vector(st, p.id, v, 4, false, err);
		if (!rc && i == 19)
			rc = ims_store_remove(st, ONE(p.id), err);
	}
	if (!rc)
		rc = ims_store_searcher_begin(st, "s", &state, err);
	if (!rc)
		rc = ims_store_searcher_chunk(st, state, 0, chunk, sizeof chunk, err);
	if (!rc)
		rc = ims_store_searcher_publish(st, state, "", 1, 1, 0, err);
	if (!rc)
		rc = ims_store_tx_commit(st, err);
	ims_store_tx_rollback(st);
	if (!rc)
		rc = ims_store_compact(st, err);
	ims_store_write_end(st);
	return rc;
}

static uint64_t vectors_of(store *st)
{
	store_counts counts;
	ok(ims_store_counts(st, &counts, &err));
	return counts.vectors;
}

static void failing_disk(void **state)
{
	(void)state;
	static const int failures[] = { SQLITE_FULL, SQLITE_IOERR_WRITE };
	for (int f = 0; f < 2; f++) {
		int rc = IMGSEARCH_EIO;
		for (int n = 0; rc; n++) {
			imgsearch_error err = { 0 };
			store *st = NULL;
			store_options o = { .dim = 4 };
			failure = failures[f];
			writes_left = n;
			rc = ims_store_open(&st, file, &o, &err);
			if (!rc)
				rc = work(st, &err);
			writes_left = -1;
			if (rc) {
				assert_int_equal(rc, IMGSEARCH_EIO);
				assert_non_null(strstr(err.message, file));
				assert_non_null(strstr(err.message, f ? "I/O" : "full"));
			}
			if (st) { /* all of it or nothing, and the handle lives on */
				uint64_t vectors = vectors_of(st);
				assert_true(vectors == 0 || vectors == 19);
				assert_int_equal(problems(st), 0);
				ok(work(st, &err));
				assert_int_equal(vectors_of(st), 19);
			}
			ims_store_close(st);
			remove_files();
			assert_true(n < 10000);
		}
	}
}

static bool has_wal(void)
{
	char path[200];
	struct stat st;
	snprintf(path, sizeof path, "%s-wal", file);
	return !stat(path, &st);
}

/*
 * From the n-th write on the disk is full, also while the store is closed. The journal then stays;
 * any later user moves its pages and deletes it. Returns whether it stayed with all rows.
 */
static bool journal_stays(int n, int *rc)
{
	store *st;
	imgsearch_error err;
	uint64_t vectors = 0;
	store_options o = { .dim = 4 };
	ok(ims_store_open(&st, file, &o, &err));
	writes_left = n;
	*rc = work(st, &err);
	ims_store_close(st);
	writes_left = -1;
	if (has_wal()) {
		o = (store_options){ .must_exist = true };
		ok(ims_store_open(&st, file, &o, &err));
		vectors = vectors_of(st);
		assert_true(vectors == 19 || (*rc && !vectors));
		ims_store_close(st);
		assert_false(has_wal());
	}
	remove_files();
	return vectors > 0;
}

static void full_until_the_end(void **state)
{
	(void)state;
	int rc = -1, stayed = 0;
	failure = SQLITE_FULL;
	for (int n = 0; rc; n++) {
		stayed += journal_stays(n, &rc);
		assert_true(n < 10000);
	}
	assert_true(stayed > 0);
}

/* ---------------------------------------------------------------------------------- memory ---- */

static sqlite3_mem_methods memory;
static int64_t sqlite_allocations_left = -1;

static void *failing_malloc(int n)
{
	if (sqlite_allocations_left == 0)
		return NULL;
	if (sqlite_allocations_left > 0)
		sqlite_allocations_left--;
	return memory.xMalloc(n);
}

static void *failing_realloc(void *p, int n)
{
	if (sqlite_allocations_left == 0)
		return NULL;
	if (sqlite_allocations_left > 0)
		sqlite_allocations_left--;
	return memory.xRealloc(p, n);
}

static int ignore_picture(void *user, const store_picture *p, const char *root)
{
	(void)user, (void)p, (void)root;
	return 0;
}

static int ignore_vectors(void *user, const int64_t *ids, const float *rows, size_t n)
{
	(void)user, (void)ids, (void)rows, (void)n;
	return 0;
}

static int ignore_pair(void *user, const hash256 *a, const hash256 *b)
{
	(void)user, (void)a, (void)b;
	return 0;
}

static int ignore_signature(void *user, int64_t picture, const void *data, size_t size)
{
	(void)user, (void)picture, (void)data, (void)size;
	return 0;
}

static int ignore_problem(void *user, const char *problem)
{
	(void)user, (void)problem;
	return 0;
}

/* A root that lies in another place than it did, and columns, a pair, a signature. */
static int write_more(store *st, imgsearch_error *err)
{
	static const char *const names[] = { "title" }, *const values[] = { "a" };
	const hash256 a = { { 1 } }, b = { { 2 } };
	int64_t root;
	int rc = ims_store_write_begin(st, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(st, err);
	if (!rc)
		rc = ims_store_root_add(st, "/somewhere/else", &root, err);
	if (!rc)
		rc = ims_store_root_move(st, "/somewhere/else", folder, err);
	if (!rc)
		rc = put_columns(st, 1, names, values, 1, 0, err);
	if (!rc)
		rc = ims_store_reject(st, &a, &b, err);
	if (!rc)
		rc = put_signature(st, 1, &a, "pixels", 6, err);
	if (!rc)
		rc = ims_store_keep_out(st, ONE(1), err);
	if (!rc)
		rc = ims_store_keep_out(st, ONE(2), err);
	if (!rc)
		rc = ims_store_readmit(st, ONE(1), err);
	if (!rc)
		rc = ims_store_tx_commit(st, err);
	ims_store_write_end(st);
	return rc;
}

/* The copy is there or not, and nothing else is. */
static int back_up(store *st, imgsearch_error *err)
{
	char target[128];
	snprintf(target, sizeof target, "%s/copy", folder);
	int rc = ims_store_backup(st, target, false, NULL, err);
	assert_int_equal(unlink(target), rc ? -1 : 0);
	return rc;
}

static int read_lists(store *st, imgsearch_error *err)
{
	int64_t *ids = NULL, id;
	store_state state;
	size_t n = 0, columns = 0;
	store_cell *c = NULL;
	store_counts counts;
	store_roots roots;
	int rc = ims_store_roots_get(st, &roots, err);
	if (!rc && (roots.n != 1 || strcmp(roots.path[0], folder)))
		rc = -99; /* a root was lost */
	ims_store_roots_free(&roots);
	if (!rc)
		rc = ims_store_ids_under(st, "/", &ids, &n, err);
	ims_free(ids);
	ids = NULL;
	if (!rc)
		rc = ims_store_columns_get(st, 1, &c, &columns, err);
	ims_store_columns_free(c, columns);
	if (!rc)
		rc = ims_store_each_rejected(st, ignore_pair, NULL, err);
	if (!rc)
		rc = ims_store_signatures(st, ignore_signature, NULL, err);
	if (!rc)
		rc = ims_store_counts(st, &counts, err);
	if (!rc)
		rc = ims_store_max_id(st, &id, err);
	if (!rc)
		rc = ims_store_ids(st, STORE_NEXT, &ids, &n, err);
	ims_free(ids);
	if (!rc)
		rc = ims_store_state_get(st, &state, err);
	if (!rc)
		rc = ims_store_check(st, ignore_problem, NULL, err);
	return rc ? rc : back_up(st, err);
}

static int read_all(store *st, imgsearch_error *err)
{
	size_t searchers = 0;
	store_searcher *s = NULL;
	store_picture p = { 0 };
	buf b = { 0 };
	const int64_t id = 1;
	float row[4];
	uint8_t found;
	int rc = ims_store_each_picture(st, 0, ignore_picture, NULL, err);
	if (!rc)
		rc = ims_store_vectors_scan(st, false, 4, ignore_vectors, NULL, err);
	if (!rc)
		rc = ims_store_vectors_fetch(st, &id, 1, 4, row, &found, err);
	if (!rc)
		rc = ims_store_picture_get(st, 1, &p, err);
	ims_store_picture_clear(&p);
	if (!rc)
		rc = ims_store_setting_get(st, "dim", &b, err);
	if (!rc)
		rc = ims_store_searchers(st, &s, &searchers, err);
	if (!rc)
		rc = ims_store_searcher_read(st, s[0].state, 0, &b, err);
	ims_store_searchers_free(s, searchers);
	ims_buf_free(&b);
	return rc ? rc : read_lists(st, err);
}

/* One round with the n-th allocation failing, of ours or of SQLite's; false: it has fewer. */
static bool fail_allocation(uint64_t n, bool sqlite)
{
	imgsearch_error err = { 0 };
	store *st = NULL;
	store_options o = { .dim = 4 };
	if (sqlite)
		sqlite_allocations_left = (int64_t)n;
	else
		ims_alloc_fail_after(n);
	int rc = ims_store_open(&st, file, &o, &err);
	if (!rc)
		rc = work(st, &err);
	if (!rc)
		rc = write_more(st, &err);
	if (!rc)
		rc = read_all(st, &err);
	bool failed = sqlite ? rc != 0
						 : ims_alloc_fail_after(0) >= n; /* SQLite can do without some of its own */
	sqlite_allocations_left = -1;
	ims_alloc_fail_after(0);
	if (failed && rc != IMGSEARCH_ENOMEM)
		fail_msg("allocation %d: %d %s", (int)n, rc, err.message);
	if (st)
		assert_int_equal(problems(st), 0);
	ims_store_close(st);
	return failed;
}

static void short_of_memory(void **state)
{
	(void)state;
	for (int sqlite = 0; sqlite < 2; sqlite++)
		for (int exists = 0; exists < 2; exists++) {
			bool failed = true;
			for (uint64_t n = 1; failed; n += sqlite ? 1 + n / 8 : 1) {
				if (exists)
					ims_store_close(open_store(file, 4));
				failed = fail_allocation(n, sqlite);
				remove_files();
				assert_true(n < 1000000);
			}
		}
}

/* A transaction that ran out of memory says so until it is rolled back. */
static void short_of_memory_in_a_transaction(void **state)
{
	(void)state;
	store *st = open_store(file, 4);
	float v[4] = { 1, 1, 1, 1 };
	ok(ims_store_write_begin(st, &err));
	ok(ims_store_tx_begin(st, &err));
	sqlite_allocations_left = 0;
	fails(IMGSEARCH_ENOMEM, put_vector(st, 1, v, 4, false, &err));
	sqlite_allocations_left = -1;
	fails(IMGSEARCH_ENOMEM, put_vector(st, 1, v, 4, false, &err));
	fails(IMGSEARCH_ENOMEM, ims_store_tx_commit(st, &err));
	ok(ims_store_tx_begin(st, &err));
	ok(put_vector(st, 1, v, 4, false, &err));
	commit(st);
	assert_true(has_vector(st, 1));
	ims_store_close(st);
}

/* ------------------------------------------------------------------------------- odd files ---- */

static void put_file(const void *data, size_t size)
{
	remove_files();
	FILE *f = fopen(file, "wb");
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

static void refuses(int code, const char *words, bool read_only)
{
	store *st;
	imgsearch_error err = { 0 };
	store_options o = { .must_exist = true, .read_only = read_only };
	assert_int_equal(ims_store_open(&st, file, &o, &err), code);
	assert_null(st);
	assert_non_null(strstr(err.message, file));
	if (!strstr(err.message, words))
		fail_msg("%s: no \"%s\" in it", err.message, words);
}

static void sql(const char *text)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void no_index(void **state)
{
	(void)state;
	char junk[5000];
	memset(junk, 'x', sizeof junk);
	refuses(IMGSEARCH_ENOTFOUND, "no index", false);
	put_file("", 0);
	refuses(IMGSEARCH_EDB, "empty", false);
	put_file(junk, sizeof junk);
	refuses(IMGSEARCH_EDB, "not an imgsearch index", false);
	refuses(IMGSEARCH_EDB, "not an imgsearch index", true);
	remove_files();
	sql("CREATE TABLE t(x); PRAGMA application_id=7");
	refuses(IMGSEARCH_EDB, "another program", false);
	remove_files();
	assert_int_equal(mkdir(file, 0700), 0);
	refuses(IMGSEARCH_EDB, "no regular file", false);
	rmdir(file);
	store *st = open_store(file, 4);
	ims_store_close(st);
	sql("PRAGMA user_version=99");
	refuses(IMGSEARCH_EVERSION, "newer", false);
	refuses(IMGSEARCH_EVERSION, "newer", true);
	store_options o = { 0 };
	fails(IMGSEARCH_ENOTFOUND, ims_store_open(&st, "/nowhere/at/all/x.db", &o, &err));
}

/* A whole index in memory, as bytes. */
static buf make_index(void)
{
	store *st = open_store(file, 256);
	float row[256] = { 1 };
	begin(st);
	for (int64_t i = 1; i < 200; i++)
		ok(ims_store_vectors_put(st, &i, row, 1, 256, &err));
	for (int i = 0; i < 100; i++) {
		char path[16];
		snprintf(path, sizeof path, "picture %d", i);
		store_picture p = { .path = path, .state = IMGSEARCH_STATE_DAMAGED, .reason = "why" };
		ok(put_row(st, &p, &err));
	}
	commit(st);
	ims_store_close(st);
	buf b = { 0 };
	ok(ims_read_file(&b, file, 1 << 26, &err));
	return b;
}

static int count_quietly(void *user, const char *problem)
{
	(void)problem;
	++*(int *)user;
	return 0;
}

/*
 * Whatever the bytes are: an answer or an error, nothing worse. Returns how many calls said that it
 * is damaged.
 */
static int survive(void)
{
	store *st;
	imgsearch_error err = { 0 };
	store_options o = { .must_exist = true };
	int refused = 0, n = 0;
	int rc = ims_store_open(&st, file, &o, &err);
	if (rc)
		return 1;
	refused += ims_store_each_picture(st, 0, ignore_picture, NULL, &err) != 0;
	refused += ims_store_vectors_scan(st, false, 256, ignore_vectors, NULL, &err) != 0;
	rc = ims_store_check(st, count_quietly, &n, &err);
	assert_true(rc == 0 || rc == IMGSEARCH_EDB || rc == IMGSEARCH_EIO || rc == IMGSEARCH_EFORMAT);
	refused += rc != 0 || n != 0;
	ims_store_close(st);
	return refused;
}

static void damaged(void **state)
{
	(void)state;
	buf whole = make_index();
	assert_int_equal(survive(), 0);
	uint64_t random = 7;
	int noticed = 0;
	for (int i = 1; i < 40; i++) { /* cut off */
		put_file(whole.data, whole.len * (size_t)i / 40);
		assert_true(survive() > 0);
	}
	for (int i = 0; i < 100; i++) { /* a page full of nonsense */
		buf copy = { 0 };
		ims_buf_put(&copy, whole.data, whole.len);
		size_t at = ims_random(&random) % (whole.len / 4096) * 4096;
		for (size_t j = 0; j < 4096; j++)
			copy.data[at + j] ^= (uint8_t)ims_random(&random);
		put_file(copy.data, copy.len);
		noticed += survive() > 0;
		ims_buf_free(&copy);
	}
	print_message("# %d of 100 pages of nonsense were noticed\n", noticed);
	assert_true(noticed > 20); /* the others are free, or hold what is never looked at */
	ims_buf_free(&whole);
}

static void damaged_chunk(void **state)
{
	(void)state;
	store *st = open_store(file, 4);
	ok(work(st, &err));
	ims_store_close(st);
	sql("UPDATE searcher_chunk SET data = zeroblob(99999)");
	st = open_store(file, 4);
	buf b = { 0 };
	store_searcher *s;
	size_t n;
	ok(ims_store_searchers(st, &s, &n, &err));
	fails(IMGSEARCH_EFORMAT, ims_store_searcher_read(st, s->state, 0, &b, &err));
	assert_int_equal(b.len, 0);
	ims_buf_free(&b);
	assert_int_equal(problems(st), 1);
	ims_store_searchers_free(s, n);
	ims_store_close(st);
}

/* A hash that is too short is not read past its end. */
static void damaged_pair(void **state)
{
	(void)state;
	ims_store_close(open_store(file, 4));
	sql("PRAGMA ignore_check_constraints=1; INSERT INTO rejected VALUES(x'01', x'02')");
	store *st = open_store(file, 4);
	fails(IMGSEARCH_EDB, ims_store_each_rejected(st, ignore_pair, NULL, &err));
	ims_store_close(st);
}

/* Triggers and views that a stranger planted do not run. */
static void planted(void **state)
{
	(void)state;
	store *st = open_store(file, 4);
	ims_store_close(st);
	sql("CREATE TRIGGER evil AFTER INSERT ON picture BEGIN DELETE FROM root; END");
	st = open_store(file, 4);
	begin(st);
	add_picture(st, 0, "a", 1);
	commit(st);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

/* --------------------------------------------------------------------------------- upgrade ---- */

static int64_t version_of(conn *c)
{
	int64_t v;
	ok(ims_sqlite_number(c, &v, -1, &err, "SELECT user_version FROM pragma_user_version", ""));
	return v;
}

static void upgrade(void **state)
{
	(void)state;
	enum { NOW = IMS_STORE_VERSION, LATER = NOW + 2 };
	static const char *const good[LATER] = {
		[NOW] = "CREATE TABLE two(x)",
		[NOW + 1] = "ALTER TABLE two ADD COLUMN y; INSERT INTO two VALUES(1, 2)",
	};
	static const char *const bad[LATER] = { [NOW] = "CREATE TABLE two(x)", [NOW + 1] = "nonsense" };
	store *st = open_store(file, 4);
	int64_t y;
	begin(st);
	add_picture(st, 0, "a", 1);
	commit(st);
	conn *c = ((sqlite_store *)st)->writer;
	fails(IMGSEARCH_EDB,
		ims_sqlite_upgrade(c, bad, LATER, &err)); /* all of the way or none of it */
	assert_int_equal(version_of(c), NOW);
	ok(ims_sqlite_number(c, &y, 0, &err, "SELECT count(*) FROM sqlite_schema WHERE name = 'two'",
		""));
	assert_int_equal(y, 0);
	ok(ims_sqlite_upgrade(c, good, LATER, &err));
	ok(ims_sqlite_upgrade(c, good, LATER, &err)); /* nothing left to do */
	assert_int_equal(version_of(c), LATER);
	ok(ims_sqlite_number(c, &y, 0, &err, "SELECT y FROM two", ""));
	assert_int_equal(y, 2);
	assert_int_equal(vectors_of(st), 1);
	ims_store_close(st);
	refuses(IMGSEARCH_EVERSION, "newer", false);
}

/* ------------------------------------------------------------------------------- read-only ---- */

static void only_reading(void **state)
{
	(void)state;
	store *st = open_store(file, 4), *reader;
	ok(work(st, &err));
	ims_store_close(st);
	struct stat before, after;
	assert_int_equal(stat(folder, &before), 0);
	store_options o = { .read_only = true };
	ok(ims_store_open(&reader, file, &o, &err));
	assert_true(ims_store_read_only(reader));
	assert_int_equal(vectors_of(reader), 19);
	fails(IMGSEARCH_EINVAL, ims_store_write_begin(reader, &err));
	assert_int_equal(stat(folder, &after), 0); /* not even a journal */
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
	st = open_store(file, 4); /* a writer comes: the reader sees what it does */
	begin(st);
	add_picture(st, 0, "more", 1);
	commit(st);
	assert_int_equal(vectors_of(reader), 20);
	ims_store_close(st);
	assert_int_equal(vectors_of(reader), 20);
	ims_store_close(reader);
}

/* As nobody, since nothing is forbidden to root. */
static int as_stranger(void)
{
	store *st;
	imgsearch_error err = { 0 };
	store_options o = { 0 };
	store_counts counts;
	if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
		return 0;
	if (ims_store_open(&st, file, &o, &err))
		return 1;
	if (!ims_store_read_only(st) || ims_store_counts(st, &counts, &err) || counts.vectors != 19)
		return 2;
	if (ims_store_write_begin(st, &err) != IMGSEARCH_EIO)
		return 3;
	ims_store_close(st);
	return 0;
}

static void not_allowed(void **state)
{
	(void)state;
	store *st = open_store(file, 4);
	ok(work(st, &err));
	ims_store_close(st);
	chmod(file, 0444);
	chmod(folder, 0555);
	pid_t child = fork();
	if (!child)
		_exit(as_stranger());
	int status;
	waitpid(child, &status, 0);
	chmod(folder, 0700);
	assert_int_equal(status, 0);
}

int main(void)
{
	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
	sqlite3_mem_methods failing = memory;
	failing.xMalloc = failing_malloc;
	failing.xRealloc = failing_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
	install_shim();
#define on_files(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		on_files(failing_disk),
		on_files(full_until_the_end),
		on_files(short_of_memory),
		on_files(short_of_memory_in_a_transaction),
		on_files(no_index),
		on_files(damaged),
		on_files(damaged_chunk),
		on_files(damaged_pair),
		on_files(planted),
		on_files(upgrade),
		on_files(only_reading),
		on_files(not_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

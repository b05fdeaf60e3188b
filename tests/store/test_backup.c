/*
 * A copy of an index in use: of one state, complete or not there, and the target is as before when
 * it fails. Time is the test's own, so that progress is reported at every step.
 */
#include "faults.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static char target[112];

double ims_now(void)
{
	static atomic_int looks;
	return atomic_fetch_add(&looks, 1);
}

static int of_file(void **state)
{
	int rc = on_file(state);
	snprintf(target, sizeof target, "%s/copy.db", folder);
	return rc;
}

static int of_memory(void **state)
{
	int rc = of_file(state);
	where = ":memory:";
	return rc;
}

static int remove_all(void **state)
{
	unlink(target);
	return remove_folder(state);
}

/* Files in the folder whose names have `part` in them. */
static int files_with(const char *part)
{
	int n = 0;
	DIR *d = opendir(folder);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.' && strstr(e->d_name, part);
	closedir(d);
	return n;
}

static int count_rows(void *user, const int64_t *ids, const float *rows, size_t n)
{
	(void)ids, (void)rows;
	*(size_t *)user += n;
	return 0;
}

static size_t vectors_of(store *st, uint32_t dim)
{
	size_t n = 0;
	ok(ims_store_vectors_scan(st, false, dim, count_rows, &n, &err));
	return n;
}

static void put_rows(store *st, int64_t first, size_t n, uint32_t dim)
{
	float *row = ims_zalloc(dim, sizeof *row);
	for (size_t i = 0; i < n; i++) {
		int64_t id = first + (int64_t)i;
		row[0] = (float)id;
		ok(ims_store_vectors_put(st, &id, row, 1, dim, &err));
	}
	ims_free(row);
}

enum { DIM = 1024, ROWS = 6000 }; /* 25 MB: half a dozen steps */

static store *large_index(void)
{
	store *st = open_store(where, DIM);
	begin(st);
	put_rows(st, 1, ROWS, DIM);
	commit(st);
	return st;
}

static void has_rows(const char *path, size_t n)
{
	store *st = open_store(path, DIM);
	assert_int_equal(problems(st), 0);
	assert_int_equal(vectors_of(st, DIM), n);
	begin(st); /* it is an index like any other */
	put_rows(st, 100000, 1, DIM);
	ims_store_tx_rollback(st);
	ims_store_write_end(st);
	ims_store_close(st);
}

static int note_path(void *user, const store_picture *p, const char *root)
{
	ims_buf_text(user, "%s:%s:%u:%lld;", root, p->path, p->state, (long long)p->id);
	return 0;
}

static int64_t pragma(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *s;
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}

static void is_the_same(void **state)
{
	(void)state;
	store *st = open_store(where, 256), *copy;
	int64_t root;
	buf a = { 0 }, b = { 0 };
	begin(st);
	ok(ims_store_root_add(st, "/photos", &root, &err));
	for (int i = 0; i < 50; i++) {
		char path[16];
		snprintf(path, sizeof path, "%d", i);
		add_picture(st, i % 2 ? root : 0, path, 0);
	}
	ok(ims_store_keep_out(st, ONE(3), &err));
	ok(ims_store_setting_set(st, "a", "xyz", 3, &err));
	commit(st);
	ok(ims_store_backup(st, target, false, NULL, &err));
	assert_int_equal(files_with("copy.db"), 1);
	assert_int_equal(pragma(target, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	assert_int_equal(pragma(target, "PRAGMA page_size"), 16384);
	assert_int_equal(pragma(target, "PRAGMA auto_vacuum"), 2);
	copy = open_store(target, 0);
	assert_int_equal(problems(copy), 0);
	ok(ims_store_each_picture(st, 0, note_path, &a, &err));
	ok(ims_store_each_picture(copy, 0, note_path, &b, &err));
	assert_string_equal((char *)a.data, (char *)b.data);
	ok(ims_store_setting_get(copy, "a", &b, &err));
	assert_memory_equal(b.data, "xyz", 3);
	assert_int_equal(vectors_of(copy, 4), 49);
	assert_true(has_vector(copy, 50));
	ims_store_close(copy);
	ims_store_close(st);
	ims_buf_free(&a);
	ims_buf_free(&b);
}

/* ----------------------------------------------------------------------- meanwhile writing ---- */

typedef struct traffic {
	store *st;
	atomic_int commits;
	atomic_bool stop;
	int steps;
} traffic;

static void *commit_for_ever(void *arg)
{
	traffic *t = arg;
	ok(ims_store_write_begin(t->st, &err));
	for (int64_t i = 0; !atomic_load(&t->stop); i++) {
		ok(ims_store_tx_begin(t->st, &err));
		put_rows(t->st, 10000 + 10 * (i % 500), 10, DIM);
		ok(ims_store_tx_commit(t->st, &err));
		atomic_fetch_add(&t->commits, 1);
	}
	ims_store_write_end(t->st);
	return NULL;
}

/* Every step waits for a commit; those of ":memory:" wait for the copy. */
static int wait_for_commit(void *user, const imgsearch_progress *p)
{
	traffic *t = user;
	if (where != file)
		return 0;
	int seen = atomic_load(&t->commits);
	assert_string_equal(p->stage, "backup");
	assert_true(p->done <= p->total);
	for (int i = 0; i < 10000 && atomic_load(&t->commits) == seen; i++)
		usleep(1000);
	assert_true(atomic_load(&t->commits) > seen);
	return ++t->steps > 1000; /* it would go on for ever */
}

static void while_others_commit(void **state)
{
	(void)state;
	traffic t = { .st = large_index() };
	job j = { .call = { .user = &t, .progress = wait_for_commit } };
	store *reader = where == file ? open_store(where, DIM) : t.st;
	pthread_t thread;
	pthread_create(&thread, NULL, commit_for_ever, &t);
	ok(ims_store_backup(reader, target, false, &j, &err));
	atomic_store(&t.stop, true);
	pthread_join(thread, NULL);
	if (where == file)
		assert_in_range(t.steps, 6, 20);
	store *copy = open_store(target, DIM);
	assert_int_equal(problems(copy), 0);
	size_t n = vectors_of(copy, DIM);
	assert_true(n >= ROWS && n % 10 == 0); /* whole transactions only */
	ims_store_close(copy);
	if (reader != t.st)
		ims_store_close(reader);
	ims_store_close(t.st);
}

/* ------------------------------------------------------------------------------- it fails ---- */

static void put_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void has_text(const char *path, const char *text)
{
	buf b = { 0 };
	ok(ims_read_file(&b, path, 1 << 20, &err));
	assert_int_equal(b.len, strlen(text));
	assert_memory_equal(b.data, text, b.len);
	ims_buf_free(&b);
}

/* The sentence of the error: which file, why, and that nothing is left of it. */
static void names_target(const imgsearch_error *err, int code, const char *reason)
{
	char sentence[200];
	snprintf(sentence, sizeof sentence, "%s: %s; the copy is removed", target, reason);
	assert_int_equal(err->code, code);
	assert_string_equal(err->message, sentence);
}

static void stops(store *st, bool replace, job *j, int code, const char *reason)
{
	imgsearch_error err = { 0 };
	assert_int_equal(ims_store_backup(st, target, replace, j, &err), code);
	names_target(&err, code, reason);
}

static int stop_at_second(void *user, const imgsearch_progress *p)
{
	(void)p;
	return ++*(int *)user == 2;
}

static void cancelled(void **state)
{
	(void)state;
	store *st = large_index();
	int steps = 0;
	job j = { .call = { .user = &steps, .progress = stop_at_second } };
	stops(st, false, &j, IMGSEARCH_ECANCELED, "cancelled");
	assert_int_equal(files_with("copy"), 0);
	put_text(target, "before");
	steps = 0;
	stops(st, true, &j, IMGSEARCH_ECANCELED, "cancelled");
	has_text(target, "before");
	assert_int_equal(files_with("copy"), 1);
	j = (job){ .stop.deadline = 1e-9 };
	stops(st, true, &j, IMGSEARCH_EDEADLINE, "past the deadline");
	has_text(target, "before");
	assert_int_equal(files_with("copy"), 1);
	assert_int_equal(vectors_of(st, DIM), ROWS);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

static void full_disk(void **state)
{
	(void)state;
	store *st = large_index();
	int failures = 0;
	put_text(target, "before");
	for (int n = 0;; n = 2 * n + 1) {
		imgsearch_error err = { 0 };
		faults_writes_left = n;
		int rc = ims_store_backup(st, target, true, NULL, &err);
		bool reached = faults_writes_left == 0;
		faults_writes_left = -1;
		if (!rc && !reached)
			break;
		names_target(&err, IMGSEARCH_EIO, "the disk is full");
		has_text(target, "before");
		assert_int_equal(files_with("copy"), 1);
		failures++;
	}
	assert_true(failures > 5);
	has_rows(target, ROWS);
	assert_int_equal(vectors_of(st, DIM), ROWS);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

static void make_backup(void *arg)
{
	ims_store_backup(arg, target, true, NULL, NULL);
}

static void killed(void **state)
{
	(void)state;
	bool died = true;
	ims_store_close(large_index());
	put_text(target, "before");
	for (int n = 0; died; n = 2 * n + 1) {
		store *st = open_store(file, DIM);
		died = faults_kill_at(n, make_backup, st);
		if (died)
			has_text(target, "before");
		assert_int_equal(vectors_of(st, DIM), ROWS);
		ims_store_close(st);
	}
	has_rows(target, ROWS);
	assert_true(files_with(".part") > 0); /* what a kill leaves */
	char command[200];
	snprintf(command, sizeof command, "rm %s/*.part*", folder);
	assert_int_equal(system(command), 0);
}

/* -------------------------------------------------------------------------------- targets ---- */

static int make_target(void *user, const imgsearch_progress *p)
{
	(void)user, (void)p;
	put_text(target, "somebody else's");
	return 0;
}

static void existing_targets(void **state)
{
	(void)state;
	store *st = large_index();
	job j = { .call = { .progress = make_target } };
	fails(IMGSEARCH_EEXIST, ims_store_backup(st, target, false, &j, &err));
	has_text(target, "somebody else's");
	fails(IMGSEARCH_EEXIST, ims_store_backup(st, target, false, NULL, &err));
	has_text(target, "somebody else's");
	ok(ims_store_backup(st, target, true, NULL, &err));
	has_rows(target, ROWS);
	store *open = open_store(target, DIM);
	begin(open);
	put_rows(open, 1, 1, DIM);
	commit(open);
	fails(IMGSEARCH_EBUSY, ims_store_backup(st, target, true, NULL, &err));
	ims_store_close(open);
	ok(ims_store_backup(st, target, true, NULL, &err));
	assert_int_equal(files_with("copy"), 1);
	ims_store_close(st);
}

static void wrong_targets(void **state)
{
	(void)state;
	store *st = open_store(file, 4);
	char link_[128], wal[128];
	snprintf(link_, sizeof link_, "%s/other.db", folder);
	snprintf(wal, sizeof wal, "%s-wal", file);
	fails(IMGSEARCH_EINVAL, ims_store_backup(st, file, true, NULL, &err));
	fails(IMGSEARCH_EINVAL, ims_store_backup(st, wal, true, NULL, &err));
	assert_int_equal(link(file, link_), 0);
	fails(IMGSEARCH_EINVAL, ims_store_backup(st, link_, true, NULL, &err));
	unlink(link_);
	assert_int_equal(symlink(file, link_), 0);
	fails(IMGSEARCH_EINVAL, ims_store_backup(st, link_, true, NULL, &err));
	unlink(link_);
	fails(IMGSEARCH_EINVAL, ims_store_backup(st, folder, true, NULL, &err));
	fails(IMGSEARCH_EINVAL, ims_store_backup(st, ":memory:", true, NULL, &err));
	fails(IMGSEARCH_EINVAL, ims_store_backup(st, "", true, NULL, &err));
	fails(IMGSEARCH_ENOTFOUND, ims_store_backup(st, "/nowhere/at/all/x.db", true, NULL, &err));
	ims_store_close(st);
	store_options o = { .read_only = true };
	ok(ims_store_open(&st, file, &o, &err)); /* which can be copied */
	ok(ims_store_backup(st, target, false, NULL, &err));
	ims_store_close(st);
}

/* ---------------------------------------------------------------------------------- roots ---- */

static void has_root(const char *index, const char *expected)
{
	store_roots roots;
	store *st = open_store(index, 4);
	ok(ims_store_roots_get(st, &roots, &err));
	assert_int_equal(roots.n, 1);
	assert_string_equal(roots.path[0], expected);
	ims_store_roots_free(&roots);
	ims_store_close(st);
}

/* The pictures stay where they are; a copy that is put back beside them moves with them again. */
static void roots_stay(void **state)
{
	(void)state;
	char photos[100], moved[100], again[100], index[120], command[300];
	int64_t root;
	snprintf(photos, sizeof photos, "%s/photos", folder);
	snprintf(moved, sizeof moved, "%s/moved", folder);
	snprintf(again, sizeof again, "%s/again", folder);
	snprintf(index, sizeof index, "%s/index.db", photos);
	assert_int_equal(mkdir(photos, 0777), 0);
	store *st = open_store(index, 4);
	begin(st);
	ok(ims_store_root_add(st, photos, &root, &err));
	commit(st);
	ok(ims_store_backup(st, target, false, NULL, &err));
	ims_store_close(st);
	has_root(target, photos);
	assert_int_equal(rename(photos, moved), 0);
	has_root(target, photos); /* away, and not taken for the copy's folder */
	snprintf(index, sizeof index, "%s/index.db", moved);
	has_root(index, moved);
	assert_int_equal(rename(moved, photos), 0);
	snprintf(index, sizeof index, "%s/index.db", photos);
	assert_int_equal(rename(target, index), 0);
	st = open_store(index, 4);
	begin(st);
	ok(ims_store_roots_settle(st, &err));
	commit(st);
	ims_store_close(st);
	assert_int_equal(rename(photos, again), 0);
	snprintf(index, sizeof index, "%s/index.db", again);
	has_root(index, again);
	snprintf(command, sizeof command, "rm -r %s", again);
	assert_int_equal(system(command), 0);
}

#define both(test) \
	{ #test, test, of_file, remove_all, NULL }, \
	{ \
#test " in memory", test, of_memory, remove_all, NULL \
	}
#define on_files(test) cmocka_unit_test_setup_teardown(test, of_file, remove_all)

int main(void)
{
	faults_install();
	const struct CMUnitTest tests[] = {
		both(is_the_same),
		both(while_others_commit),
		on_files(cancelled),
		both(full_disk),
		on_files(killed),
		on_files(existing_targets),
		on_files(wrong_targets),
		on_files(roots_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

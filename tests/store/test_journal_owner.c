/*
 * A program that has an index open is killed, and its journal stays. Opened again, the index has
 * all that was committed. Where another file was put in its place, opening says so, and writes
 * nothing.
 */
#include "common.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { DIM = 4, BEFORE = 3, LATER = 40 };

static imgsearch *open_index(const char *path)
{
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.dim = DIM;
	ok(imgsearch_open(path, &o, NULL, &s, &err));
	return s;
}

static void add(imgsearch *s, int n)
{
	for (int i = 0; i < n; i++) {
		float row[DIM] = { (float)i, 1, 2, 3 };
		ok(imgsearch_vectors_add(s, row, 1, DIM, NULL, NULL, NULL, &err));
	}
}

static uint64_t count(const char *path)
{
	imgsearch_info *info;
	imgsearch_check_report *report;
	imgsearch *s = open_index(path);
	ok(imgsearch_info_get(s, NULL, &info, &err));
	uint64_t n = info->vectors;
	imgsearch_info_free(info);
	ok(imgsearch_check(s, NULL, NULL, &report, &err));
	assert_int_equal(report->problems, 0);
	imgsearch_check_report_free(report);
	imgsearch_close(s);
	return n;
}

/* A command in the folder. */
static int in_folder(const char *command)
{
	char line[400];
	snprintf(line, sizeof line, "cd '%s' && { %s; }", folder, command);
	return system(line);
}

static bool there(const char *ending)
{
	char path[128];
	struct stat info;
	snprintf(path, sizeof path, "%s%s", file, ending);
	return !stat(path, &info);
}

/* The child adds rows, and is killed: while it holds the writer lock, or after it let go. */
static void kill_after_adding(bool writing)
{
	pid_t child = fork();
	if (!child) {
		imgsearch_error err;
		store *st;
		imgsearch *s = open_index(file);
		add(s, LATER);
		if (writing
			&& (ims_store_open(&st, file, &(store_options){ 0 }, &err)
				|| ims_store_write_begin(st, &err)))
			_exit(1);
		raise(SIGKILL);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_true(there("-wal"));
}

/* An index of BEFORE rows, with a backup of that in backup.db, to which LATER are added. */
static void make_and_kill(bool writing)
{
	char backup[120];
	imgsearch_index_backup_options o = IMGSEARCH_INIT(imgsearch_index_backup_options);
	remove_files();
	imgsearch *s = open_index(file);
	add(s, BEFORE);
	snprintf(backup, sizeof backup, "%s/backup.db", folder);
	o.replace = 1;
	ok(imgsearch_index_backup(s, backup, &o, NULL, &err));
	imgsearch_close(s);
	assert_false(there("-lock"));
	kill_after_adding(writing);
}

static void a_backup_in_its_place_is_told(void **state)
{
	static const char *const put[] = { "cp backup.db x && mv x index.db", "cat backup.db >index.db",
		"cp -p backup.db index.db" };
	(void)state;
	for (int i = 0; i < 6; i++) {
		imgsearch *s;
		imgsearch_error why = { 0 };
		imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
		make_and_kill(i % 2);
		assert_int_equal(in_folder(put[i / 2]), 0);
		assert_int_equal(in_folder("cp index.db-wal wal"), 0);
		for (int k = 0; k < 4; k++) {
			o.read_only = (uint32_t)k % 2;
			assert_int_equal(imgsearch_open(file, &o, NULL, &s, &why), IMGSEARCH_EIO);
			assert_non_null(strstr(why.message, "index.db: "));
			assert_non_null(strstr(why.message, "index.db-wal beside it is of another index"));
		}
		assert_int_equal(in_folder("cmp -s index.db backup.db && cmp -s index.db-wal wal"), 0);
		assert_int_equal(in_folder("mv index.db-wal away"), 0);
		assert_int_equal(count(file), BEFORE);
		s = open_index(file);
		add(s, 1);
		imgsearch_close(s);
		assert_int_equal(count(file), BEFORE + 1);
		assert_false(there("-lock"));
	}
}

/* The index was made, and nothing was added. */
static void a_new_index_is_told_as_well(void **state)
{
	imgsearch *s;
	imgsearch_error why = { 0 };
	(void)state;
	make_and_kill(false);
	assert_int_equal(count(file), BEFORE + LATER);
	assert_int_equal(in_folder("mv index.db backup.db"), 0);
	pid_t child = fork();
	if (!child) {
		open_index(file);
		raise(SIGKILL);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(there("-wal"));
	assert_int_equal(in_folder("cp backup.db index.db"), 0);
	assert_int_equal(imgsearch_open(file, NULL, NULL, &s, &why), IMGSEARCH_EIO);
	assert_int_equal(in_folder("rm index.db-wal"), 0);
	assert_int_equal(count(file), BEFORE + LATER);
}

static void what_was_killed_is_whole(void **state)
{
	/* its time is another one: the numbers are compared */
	static const char *const change[] = { "true", "touch index.db", "rm index.db-lock",
		"mkdir d && cp -a index.db index.db-wal index.db-shm d && rm index.db index.db-wal"
		" index.db-shm && mv d/* . && rmdir d",
		"cp index.db x && mv x index.db", ": >index.db-lock" };
	(void)state;
	for (int i = 0; i < 12; i++) {
		make_and_kill(i % 2);
		assert_int_equal(in_folder(change[i / 2]), 0);
		assert_int_equal(count(file), BEFORE + LATER);
		assert_false(there("-wal"));
		assert_false(there("-lock"));
	}
}

/* Another index that comes without a journal beside it, as it should. */
static void a_backup_without_a_journal_opens(void **state)
{
	(void)state;
	make_and_kill(true);
	assert_int_equal(in_folder("rm index.db-wal index.db-shm && mv backup.db index.db"), 0);
	assert_int_equal(count(file), BEFORE);
	kill_after_adding(false);
	assert_int_equal(count(file), BEFORE + LATER);
}

/* Nothing is compared. */
static void a_file_without_a_number_opens(void **state)
{
	sqlite3 *db;
	(void)state;
	imgsearch_close(open_index(file));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, "DELETE FROM setting WHERE name = 'file'", NULL, NULL,
							 NULL),
			SQLITE_OK);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
		kill_after_adding(i);
		assert_int_equal(count(file), LATER * (i + 1));
	}
}

/* Two handles: the lock file goes with the journal, whichever is closed last. */
static void the_lock_file_goes_with_the_journal(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		remove_files();
		imgsearch *s = open_index(file), *t = open_index(file);
		add(s, 2);
		add(t, 2); /* nobody holds the lock */
		assert_true(there("-wal") && there("-lock"));
		imgsearch_close(i ? s : t);
		add(i ? t : s, 2);
		imgsearch_close(i ? t : s);
		assert_false(there("-wal") || there("-lock"));
		assert_int_equal(count(file), 6);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, tear_down)

static int tear_down(void **state)
{
	(void)state;
	return in_folder("cd / && rm -rf \"$OLDPWD\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_backup_in_its_place_is_told),
		TEST(a_new_index_is_told_as_well),
		TEST(what_was_killed_is_whole),
		TEST(a_backup_without_a_journal_opens),
		TEST(a_file_without_a_number_opens),
		TEST(the_lock_file_goes_with_the_journal),
	};
	return cmocka_run_group_tests_name("journal owner", tests, NULL, NULL);
}

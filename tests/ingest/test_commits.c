/*
 * What an index run has committed while it runs, seen by a second reader, and a disk that is full
 * for a moment while it commits. Time is the test's own: a tenth of a second passes with every look
 * at the clock.
 */
#include "scene.h"

#include <errno.h>
#include <sqlite3.h>

static atomic_int looks;

double ims_now(void)
{
	return atomic_fetch_add(&looks, 1) * 0.1;
}

typedef struct watch {
	imgsearch *reader;
	uint64_t last, changes;
} watch;

static int look(void *user, const imgsearch_progress *p)
{
	watch *w = user;
	imgsearch_info *info;
	(void)p;
	assert_int_equal(imgsearch_info_get(w->reader, NULL, &info, NULL), 0);
	w->changes += info->counts->seen != w->last;
	w->last = info->counts->seen;
	imgsearch_info_free(info);
	return 0;
}

/* No batch ever fills, and yet a kill would lose no more than two seconds. */
static void a_run_of_bad_files_alone_commits_in_time(void **state)
{
	enum { FILES = 300 };
	scene *sc = *state;
	watch w = { 0 };
	const char *paths[] = { sc->photos };
	imgsearch_error err = { 0 };
	for (int i = 0; i < FILES; i++)
		shell("echo %d > '%s/%03d.jpg'", i, sc->photos, i);
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_call call = { .struct_size = sizeof call, .user = &w, .progress = look };
	imgsearch_index_update_report *report;
	imgsearch *s = scene_open(sc);
	o.read_only = 1;
	assert_int_equal(imgsearch_open(sc->db, &o, NULL, &w.reader, &err), 0);
	assert_int_equal(imgsearch_index_update(s, paths, 1, NULL, &call, &report, &err), 0);
	assert_int_equal(report->counts->unsupported, FILES);
	imgsearch_index_update_report_free(report);
	print_message("# the reader saw the index grow %d times\n", (int)w.changes);
	assert_in_range(w.changes, 15, FILES);
	imgsearch_close(w.reader);
	imgsearch_close(s);
}

static bool full; /* the next write of SQLite's fails */

static ssize_t write_or_fail(int fd, const void *data, size_t n, off_t at)
{
	if (!full)
		return pwrite(fd, data, n, at);
	full = false;
	errno = ENOSPC;
	return -1;
}

static int fill_disk(void *user, const imgsearch_progress *p)
{
	bool *filled = user;
	if (!*filled && !strcmp(p->stage, "index") && p->done >= 100)
		full = *filled = true;
	return 0;
}

/*
 * A commit that fails in the middle of a walk is no unreadable root: it ends the run, though the
 * next would succeed.
 */
static void a_commit_that_fails_ends_the_run(void **state)
{
	enum { FILES = 300 };
	scene *sc = *state;
	bool filled = false;
	imgsearch_error err = { 0 };
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	const char *paths[] = { sc->photos },
			   *write = vfs->xGetSystemCall(vfs, "pwrite64") ? "pwrite64" : "pwrite";
	for (int i = 0; i < FILES; i++)
		shell("echo %d > '%s/%03d.jpg'", i, sc->photos, i);
	imgsearch_call call = { .struct_size = sizeof call, .user = &filled, .progress = fill_disk };
	imgsearch *s = scene_open(sc);
	assert_int_equal(vfs->xSetSystemCall(vfs, write, (sqlite3_syscall_ptr)write_or_fail),
		SQLITE_OK);
	assert_int_equal(imgsearch_index_update(s, paths, 1, NULL, &call, NULL, &err), IMGSEARCH_EIO);
	assert_int_equal(vfs->xSetSystemCall(vfs, write, NULL), SQLITE_OK);
	assert_true(filled && !full);
	assert_non_null(strstr(err.message, "disk is full"));
	assert_int_equal(scene_index(s, sc->photos).unsupported, FILES);
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(a_run_of_bad_files_alone_commits_in_time),
		TEST(a_commit_that_fails_ends_the_run) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

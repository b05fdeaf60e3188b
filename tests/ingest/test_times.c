/*
 * Which files an index run takes for unchanged: an edit that keeps size and mtime, a changed inode,
 * rows without a change time, times of every year.
 */
#include "scene.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>

static struct stat stat_of(const scene *sc, const char *name)
{
	char path[300];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	assert_int_equal(lstat(path, &st), 0);
	return st;
}

static void set_mtime(const scene *sc, const char *name, struct timespec t)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	struct timespec both[2] = { { 0, UTIME_OMIT }, t };
	assert_int_equal(utimensat(AT_FDCWD, path, both, 0), 0);
}

enum { PADDED = 6000 };

/* Every picture has the same size: what follows the end of a PNG is no part of it. */
static void padded(const scene *sc, const char *name, unsigned number)
{
	photo(sc, name, number);
	shell("truncate -s %d '%s/%s'", PADDED, sc->photos, name);
}

/* Changes an inode, by `change` with the file's name, until the file system's clock shows it. */
static void touch_inode(const scene *sc, const char *name, const char *change)
{
	struct stat before = stat_of(sc, name), now;
	do {
		shell("cd '%s' && %s '%s'", sc->photos, change, name);
		now = stat_of(sc, name);
	} while (now.st_ctim.tv_sec == before.st_ctim.tv_sec
		&& now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
	assert_int_equal(now.st_size, before.st_size);
	assert_memory_equal(&now.st_mtim, &before.st_mtim, sizeof now.st_mtim);
}

/* Another picture in the same file, with the same size and mtime. */
static void edit_in_place(const scene *sc, const char *name, unsigned number)
{
	struct stat before = stat_of(sc, name);
	padded(sc, name, number);
	set_mtime(sc, name, before.st_mtim);
	touch_inode(sc, name, "chmod u+x");
}

typedef struct log {
	int warnings;
	char last[400];
} log;

static void note(void *user, int level, const char *text)
{
	log *l = user;
	l->warnings += level == IMGSEARCH_LOG_WARNING;
	snprintf(l->last, sizeof l->last, "%s", text);
}

typedef struct run {
	scene_counts counts;
	uint64_t rehashed;
	log log;
} run;

static run update(imgsearch *s, const imgsearch_index_update_options *o)
{
	run r = { 0 };
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	imgsearch_index_update_report *report;
	imgsearch_error err = { 0 };
	call.user = &r.log;
	call.log = note;
	if (imgsearch_index_update(s, NULL, 0, o, &call, &report, &err))
		fail_msg("index: %s", err.message);
	r.counts = scene_counts_of(report);
	r.rehashed = report->rehashed;
	imgsearch_index_update_report_free(report);
	return r;
}

static imgsearch *three_indexed(scene *sc)
{
	padded(sc, "a.png", 1);
	padded(sc, "b.png", 2);
	padded(sc, "c.png", 3);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	return s;
}

/* The path of what is most like a drawing. */
static void finds(imgsearch *s, const scene *sc, unsigned number, const char *name)
{
	char path[300];
	snprintf(path, sizeof path, "%s/query.png", sc->dir);
	draw(path, number);
	imgsearch_input in = imgsearch_input_file(path);
	imgsearch_hits *hits;
	imgsearch_error err;
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), 0);
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	assert_string_equal(hits->items[0]->path, path);
	assert_true(hits->items[0]->score > 0.9999f);
	imgsearch_hits_free(hits);
}

static void an_edit_that_keeps_size_and_time(void **state)
{
	scene *sc = *state;
	imgsearch *s = three_indexed(sc);
	int64_t id = id_of(s, sc, "b.png");
	edit_in_place(sc, "b.png", 9);
	run r = update(s, NULL);
	assert_int_equal(r.counts.unchanged, 2);
	assert_int_equal(r.counts.indexed, 3);
	assert_int_equal(r.rehashed, 0);
	assert_int_equal(r.log.warnings, 0);
	finds(s, sc, 9, "b.png");
	assert_int_equal(id_of(s, sc, "b.png"), id);
	r = update(s, NULL);
	assert_int_equal(r.counts.unchanged, 3);
	imgsearch_close(s);
}

/* The bytes are compared once. */
static void a_changed_inode(void **state)
{
	scene *sc = *state;
	imgsearch *s = three_indexed(sc);
	static const char *const changes[] = { "chmod u+x", "chmod u-x" };
	for (int i = 0; i < 2; i++) {
		touch_inode(sc, "a.png", changes[i]);
		run r = update(s, NULL);
		assert_int_equal(r.counts.unchanged, 3);
		assert_int_equal(r.rehashed, 1);
		assert_int_equal(r.log.warnings, 0);
		r = update(s, NULL);
		assert_int_equal(r.counts.unchanged, 3);
		assert_int_equal(r.rehashed, 0);
	}
	imgsearch_close(s);
}

/* Of files that are not indexed: a twin, one that is damaged, one that is no picture. */
static void files_of_other_states(void **state)
{
	scene *sc = *state;
	padded(sc, "a.png", 1);
	padded(sc, "twin.png", 1);
	photo(sc, "broken.png", 2);
	shell("cd '%s' && truncate -s 200 broken.png && echo text >notes.txt && ln -s a.png link.png",
		sc->photos);
	imgsearch *s = scene_open(sc);
	scene_counts c = scene_index(s, sc->photos);
	assert_int_equal(c.duplicate, 1);
	assert_int_equal(c.damaged, 1);
	assert_int_equal(c.unsupported, 1);
	static const char *const names[] = { "twin.png", "broken.png", "notes.txt" };
	for (int i = 0; i < 3; i++) {
		touch_inode(sc, names[i], "chmod u+x");
		run r = update(s, NULL);
		assert_int_equal(r.counts.unchanged, c.seen);
		assert_int_equal(r.counts.duplicate, 1);
		assert_int_equal(r.counts.damaged, 1);
		assert_int_equal(r.rehashed, i < 2); /* of what is no picture the beginning is read */
		assert_int_equal(update(s, NULL).rehashed, 0);
	}
	edit_in_place(sc, "twin.png", 7);
	run r = update(s, NULL);
	assert_int_equal(r.counts.indexed, 2);
	assert_int_equal(r.counts.duplicate, 0);
	finds(s, sc, 7, "twin.png");
	edit_in_place(sc, "a.png", 7);
	r = update(s, NULL);
	assert_int_equal(r.counts.indexed, 1);
	assert_int_equal(r.counts.duplicate, 1);
	imgsearch_close(s);
}

/* Where no network can be loaded, none is needed to compare. */
static void comparing_needs_no_network(void **state)
{
	scene *sc = *state;
	imgsearch_close(three_indexed(sc));
	touch_inode(sc, "a.png", "chmod u+x");
	pid_t pid = fork();
	if (!pid) {
		setenv("IMGSEARCH_LIBDIR", "/nowhere", 1);
		imgsearch *s = scene_open(sc);
		_exit(update(s, NULL).rehashed == 1 ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void forget_ctimes(const scene *sc)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(sc->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
						 "UPDATE picture SET ctime_seconds = NULL, ctime_nanoseconds = NULL", NULL,
						 NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
}

static int64_t unknown_ctimes(const scene *sc)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_open(sc->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
						 "SELECT count(*) FROM picture WHERE ctime_seconds IS NULL OR"
						 " ctime_nanoseconds IS NULL",
						 -1, &st, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

/* Rows of an older version take the change time that they meet. */
static void rows_without_a_change_time(void **state)
{
	scene *sc = *state;
	imgsearch_close(three_indexed(sc));
	forget_ctimes(sc);
	assert_int_equal(unknown_ctimes(sc), 3);
	touch_inode(sc, "a.png", "chmod u+x");
	imgsearch *s = scene_open(sc);
	run r = update(s, NULL);
	assert_int_equal(r.counts.unchanged, 3);
	assert_int_equal(r.rehashed, 0);
	assert_int_equal(r.log.warnings, 0);
	imgsearch_close(s);
	assert_int_equal(unknown_ctimes(sc), 0);
	edit_in_place(sc, "a.png", 9);
	s = scene_open(sc);
	assert_int_equal(update(s, NULL).counts.unchanged, 2);
	finds(s, sc, 9, "a.png");
	imgsearch_close(s);
}

static void every_change_time_moved(void **state)
{
	scene *sc = *state;
	imgsearch *s = three_indexed(sc);
	for (int i = 0; i < 3; i++) {
		char name[8];
		snprintf(name, sizeof name, "%c.png", "abc"[i]);
		touch_inode(sc, name, "chmod u+x");
	}
	run r = update(s, NULL);
	assert_int_equal(r.counts.unchanged, 3);
	assert_int_equal(r.rehashed, 3);
	assert_int_equal(r.log.warnings, 1);
	assert_non_null(strstr(r.log.last, "every change time moved"));
	assert_int_equal(update(s, NULL).log.warnings, 0);
	touch_inode(sc, "a.png", "chmod u-x"); /* not every one */
	touch_inode(sc, "b.png", "chmod u-x");
	r = update(s, NULL);
	assert_int_equal(r.rehashed, 2);
	assert_int_equal(r.log.warnings, 0);
	imgsearch_close(s);
}

/* Size and both times as they were: found by reading everything alone. */
static void reread(void **state)
{
	scene *sc = *state;
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	o.reread = 1;
	imgsearch *s = three_indexed(sc);
	run r = update(s, &o);
	assert_int_equal(r.counts.unchanged, 3);
	assert_int_equal(r.rehashed, 3);
	assert_int_equal(r.log.warnings, 0);
	imgsearch_close(s);
	edit_in_place(sc, "c.png", 9);
	forget_ctimes(sc);
	s = scene_open(sc);
	assert_int_equal(update(s, NULL).counts.unchanged, 3); /* it takes the time for that of c.png */
	r = update(s, &o);
	assert_int_equal(r.counts.unchanged, 2);
	assert_int_equal(r.rehashed, 2);
	finds(s, sc, 9, "c.png");
	imgsearch_close(s);
}

/* A moved picture is not compared again in the next run. */
static void a_moved_file(void **state)
{
	scene *sc = *state;
	imgsearch *s = three_indexed(sc);
	shell("mv '%s/a.png' '%s/z.png'", sc->photos, sc->photos);
	assert_int_equal(update(s, NULL).counts.moved, 1);
	run r = update(s, NULL);
	assert_int_equal(r.counts.unchanged, 3);
	assert_int_equal(r.rehashed, 0);
	assert_int_equal(unknown_ctimes(sc), 0);
	imgsearch_close(s);
}

/* Times that do not fit nanoseconds in 64 bits; a file system may have others than were set. */
static void times_of_every_year(void **state)
{
	scene *sc = *state;
	static const struct timespec times[] = { { 13569465600, 0 }, { 13569465600, 1 },
		{ 9223372037, 0 }, { 9223372036, 999999999 }, { -1, 500000000 }, { -2208988800, 0 },
		{ 0, 0 }, { -86400, 1 }, { 253402300799, 0 } };
	padded(sc, "a.png", 1);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		imgsearch_item *item;
		set_mtime(sc, "a.png", times[i]);
		struct stat st = stat_of(sc, "a.png");
		update(s, NULL);
		run r = update(s, NULL);
		assert_int_equal(r.counts.unchanged, 1);
		assert_int_equal(r.rehashed, 0);
		assert_int_equal(imgsearch_item_get(s, id_of(s, sc, "a.png"), &item, NULL), 0);
		assert_int_equal(item->mtime_seconds, st.st_mtim.tv_sec);
		assert_int_equal(item->mtime_nanoseconds, st.st_mtim.tv_nsec);
		imgsearch_item_free(item);
	}
	imgsearch_close(s);
}

int main(void)
{
#define in_scene(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		in_scene(an_edit_that_keeps_size_and_time),
		in_scene(a_changed_inode),
		in_scene(files_of_other_states),
		in_scene(comparing_needs_no_network),
		in_scene(rows_without_a_change_time),
		in_scene(every_change_time_moved),
		in_scene(reread),
		in_scene(a_moved_file),
		in_scene(times_of_every_year),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

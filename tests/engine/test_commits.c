/*
 * What an index run has committed while it runs, seen by a second reader. Time is the test's own: a tenth of a second
 * passes with every look at the clock.
 */
#include "scene.h"

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
	assert_int_equal(imgsearch_info_get(w->reader, &info, NULL), 0);
	w->changes += info->counts.seen != w->last;
	w->last = info->counts.seen;
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
	imgsearch_counts counts;
	for (int i = 0; i < FILES; i++)
		shell("echo %d > '%s/%03d.jpg'", i, sc->photos, i);
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.events = (imgsearch_events){ .user = &w, .progress = look };
	imgsearch *s;
	assert_int_equal(imgsearch_open(&s, sc->db, &o, &err), 0);
	o = (imgsearch_options)IMGSEARCH_INIT(imgsearch_options);
	o.read_only = 1;
	assert_int_equal(imgsearch_open(&w.reader, sc->db, &o, &err), 0);
	assert_int_equal(imgsearch_index_tree(s, paths, 1, NULL, &counts, &err), 0);
	assert_int_equal(counts.unsupported, FILES);
	print_message("# the reader saw the index grow %d times\n", (int)w.changes);
	assert_in_range(w.changes, 15, FILES);
	imgsearch_close(w.reader);
	imgsearch_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(a_run_of_bad_files_alone_commits_in_time, scene_setup, scene_teardown) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

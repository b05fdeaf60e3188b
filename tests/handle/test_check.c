/*
 * imgsearch_check: a whole index has no problems, exact finds all, the graph nearly all. Damage is
 * told.
 */
#include "collection/collection.h"

enum { N = 3000, DIM = 16 };

static int count(void *user, const char *text)
{
	(void)text;
	++*(int *)user;
	return 0;
}

static void checks(void **state)
{
	imgsearch *s;
	imgsearch_error err;
	imgsearch_check_report r;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	float *rows = malloc(N * DIM * sizeof(*rows));
	int told = 0;
	(void)state;
	o.dim = DIM;
	o.metric = IMGSEARCH_METRIC_L2;
	srand(1);
	for (size_t i = 0; i < (size_t)N * DIM; i++)
		rows[i] = (float)rand() / (float)RAND_MAX + (float)(i / DIM % 50);
	assert_int_equal(imgsearch_open(&s, ":memory:", &o, &err), 0);
	assert_int_equal(imgsearch_check(s, 10, count, &told, &r, &err), 0);
	assert_int_equal(r.problems + r.queries + r.n_searchers + (uint64_t)told, 0);
	assert_int_equal(imgsearch_vectors_add(s, rows, N, DIM, NULL, &err), 0);
	imgsearch_build_options b = IMGSEARCH_INIT(imgsearch_build_options);
	b.searcher = "exact";
	assert_int_equal(imgsearch_build(s, &b, NULL, &err), 0);
	b.searcher = "graph";
	assert_int_equal(imgsearch_build(s, &b, NULL, &err), 0);
	assert_int_equal(imgsearch_check(s, 0, NULL, NULL, &r, &err), 0);
	assert_int_equal(r.queries + r.n_searchers, 0);
	assert_int_equal(imgsearch_check(s, 100, count, &told, &r, &err), 0);
	assert_int_equal(told, 0);
	assert_int_equal(r.queries, 100);
	assert_int_equal(r.n_searchers, 2);
	assert_true(r.scan_seconds > 0);
	for (size_t i = 0; i < r.n_searchers; i++) {
		int exact = !strcmp(r.searcher[i].name, "exact");
		assert_true(r.searcher[i].memory > 0 && r.searcher[i].seconds > 0);
		for (int c = 0; c < 3; c++)
			assert_true(exact ? r.searcher[i].recall[c] > 0.999999 : r.searcher[i].recall[c] > 0.8);
	}
	imgsearch_close(s);
	free(rows);
}

/* A picture without its vector, and a count that is wrong. */
static void damage_is_told(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch_check_report r;
	int told = 0;
	draw_photos(sc, 3);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	assert_int_equal(imgsearch_check(s, 0, count, &told, &r, &err), 0);
	assert_int_equal(told + (int)r.problems, 0);
	imgsearch_close(s);
	sql(sc, "DELETE FROM vector WHERE id = (SELECT min(id) FROM vector)");
	s = scene_open(sc);
	assert_int_equal(imgsearch_check(s, 0, count, &told, &r, &err), 0);
	assert_true(told > 0);
	assert_int_equal(r.problems, told);
	imgsearch_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks),
		cmocka_unit_test_setup_teardown(damage_is_told, scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * A searcher that lacks many changes: queries scan as long as that is cheaper than applying them,
 * see every change at once, and bring the searcher up to date step by step.
 */
#include "scene.h"

enum { N = 4000, DIM = 8 };

static imgsearch *open_vectors(const char *path)
{
	imgsearch_error err = { 0 };
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch *s;
	o.dim = DIM;
	o.metric = IMGSEARCH_METRIC_L2;
	if (imgsearch_open(path, &o, NULL, &s, &err))
		fail_msg("open: %s", err.message);
	return s;
}

/* Puts n rows under the ids from 0 on. */
static float *put(imgsearch *s, size_t n, uint64_t seed)
{
	float *rows = ims_alloc((size_t)N * DIM, sizeof *rows);
	int64_t ids[N];
	for (size_t i = 0; i < (size_t)N * DIM; i++)
		rows[i] = (float)ims_random_unit(&seed);
	for (size_t i = 0; i < n; i++)
		ids[i] = (int64_t)i;
	imgsearch_vectors_add_options o = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	o.ids = ids;
	assert_int_equal(imgsearch_vectors_add(s, rows, n, DIM, &o, NULL, NULL, NULL), 0);
	return rows;
}

static void build(imgsearch *s, const char *searcher)
{
	imgsearch_build_options o = IMGSEARCH_INIT(imgsearch_build_options);
	o.searcher = searcher;
	assert_int_equal(imgsearch_build(s, &o, NULL, NULL, NULL), 0);
}

/* Asks for a row; it must come first. Whether `searcher` answered; otherwise a scan did. */
static bool answers(imgsearch *s, const float *rows, int64_t id, const char *searcher)
{
	imgsearch_error err = { 0 };
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_input in = imgsearch_input_vector(rows + id * DIM, DIM);
	imgsearch_hits *hits;
	o.searcher = searcher;
	if (imgsearch_query(s, &in, 1, &o, NULL, &hits, &err))
		fail_msg("query: %s", err.message);
	assert_int_equal(hits->count, 10);
	assert_int_equal(hits->items[0]->id, id);
	assert_true(hits->items[0]->score == 0);
	bool by_searcher = !strcmp(hits->searcher, searcher);
	if (!by_searcher) {
		assert_string_equal(hits->searcher, "scan");
		assert_non_null(strstr(hits->plan, "changes that the searcher lacks"));
		assert_true(hits->exact);
	}
	imgsearch_hits_free(hits);
	return by_searcher;
}

static void many_changes_are_scanned_and_caught_up(void **state)
{
	scene *sc = *state;
	const char *const searchers[] = { "exact", "kdtree", "pca", "graph" };
	for (size_t i = 0; i < 4; i++) {
		imgsearch *s = open_vectors(sc->db);
		ims_free(put(s, N, 1));
		build(s, searchers[i]);
		float *rows = put(s, N, 2 + i);
		for (int fresh = 0; fresh < 2; fresh++) { /* the second time as another process would */
			int steps = 0;
			while (!answers(s, rows, steps % N, searchers[i]))
				assert_true(++steps < 200);
			assert_true(steps > 0);
			for (int64_t id = 0; id < N; id += 97)
				assert_true(answers(s, rows, id, searchers[i]));
			imgsearch_close(s);
			s = open_vectors(sc->db);
		}
		imgsearch_close(s);
		ims_free(rows);
	}
}

static void few_changes_are_applied_at_once(void **state)
{
	scene *sc = *state;
	imgsearch *s = open_vectors(sc->db);
	ims_free(put(s, N, 1));
	build(s, "graph");
	float *rows = put(s, 50, 2);
	for (int64_t id = 0; id < 50; id += 7)
		assert_true(answers(s, rows, id, "graph"));
	int64_t gone = 3;
	assert_int_equal(imgsearch_index_remove(s, &gone, 1, NULL, NULL, NULL), 0);
	assert_true(answers(s, rows, 4, "graph"));
	imgsearch_close(s);
	ims_free(rows);
}

/* What many queries would take to scan, the changes are applied for. */
static void many_queries_are_worth_the_changes(void **state)
{
	enum { QUERIES = 2000 };
	scene *sc = *state;
	static int64_t ids[QUERIES];
	imgsearch *s = open_vectors(sc->db);
	ims_free(put(s, N, 1));
	build(s, "graph");
	float *rows = put(s, N, 2);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	o.k = 1;
	o.recall = 0.999;
	assert_int_equal(imgsearch_vectors_query(s, rows, QUERIES, DIM, &o, NULL, ids, NULL, QUERIES,
						 NULL),
		0);
	size_t found = 0;
	for (int64_t i = 0; i < QUERIES; i++)
		found += ids[i] == i;
	assert_true(found > QUERIES * 0.95);
	assert_true(answers(s, rows, 0, "graph"));
	imgsearch_close(s);
	ims_free(rows);
}

/* A build that keeps what is fresh counts the changes without applying them. */
static void drift_counts_what_is_not_applied(void **state)
{
	scene *sc = *state;
	imgsearch_build_options o = IMGSEARCH_INIT(imgsearch_build_options);
	imgsearch_build_report *r;
	imgsearch *s = open_vectors(sc->db);
	ims_free(put(s, N, 1));
	build(s, "graph");
	o.searcher = "graph";
	o.if_stale = 1;
	for (size_t i = 0; i < 3; i++) { /* twice the same 18 % of the rows, then 22 % */
		ims_free(put(s, N * (i < 2 ? 18 : 22) / 100, 2 + i));
		assert_int_equal(imgsearch_build(s, &o, NULL, &r, NULL), 0);
		assert_int_equal(r->bytes > 0, i == 2);
		imgsearch_build_report_free(r);
	}
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_changes_are_scanned_and_caught_up),
		TEST(few_changes_are_applied_at_once),
		TEST(many_queries_are_worth_the_changes),
		TEST(drift_counts_what_is_not_applied),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

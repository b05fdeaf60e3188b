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

static imgsearch_check_report *check(imgsearch *s, uint32_t queries, int *told)
{
	imgsearch_error err = { 0 };
	imgsearch_check_report *r;
	imgsearch_check_options o = IMGSEARCH_INIT(imgsearch_check_options);
	o.queries = queries;
	o.problem = told ? count : NULL;
	o.user = told;
	if (imgsearch_check(s, &o, NULL, &r, &err))
		fail_msg("check: %s", err.message);
	return r;
}

static void checks(void **state)
{
	imgsearch *s;
	imgsearch_error err;
	imgsearch_check_report *r;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	float *rows = malloc(N * DIM * sizeof(*rows));
	int told = 0;
	(void)state;
	o.dim = DIM;
	o.metric = IMGSEARCH_METRIC_L2;
	srand(1);
	for (size_t i = 0; i < (size_t)N * DIM; i++)
		rows[i] = (float)rand() / (float)RAND_MAX + (float)(i / DIM % 50);
	assert_int_equal(imgsearch_open(":memory:", &o, NULL, &s, &err), 0);
	r = check(s, 10, &told);
	assert_int_equal(r->problems + r->queries + r->count + (uint64_t)told, 0);
	imgsearch_check_report_free(r);
	assert_int_equal(imgsearch_vectors_add(s, rows, N, DIM, NULL, NULL, NULL, &err), 0);
	imgsearch_build_options b = IMGSEARCH_INIT(imgsearch_build_options);
	b.searcher = "exact";
	assert_int_equal(imgsearch_build(s, &b, NULL, NULL, &err), 0);
	b.searcher = "graph";
	assert_int_equal(imgsearch_build(s, &b, NULL, NULL, &err), 0);
	r = check(s, 0, NULL);
	assert_int_equal(r->queries + r->count, 0);
	imgsearch_check_report_free(r);
	r = check(s, 100, &told);
	assert_int_equal(told, 0);
	assert_int_equal(r->queries, 100);
	assert_int_equal(r->count, 2);
	assert_true(r->scan_seconds > 0);
	for (size_t i = 0; i < r->count; i++) {
		const imgsearch_check_searcher *one = r->items[i];
		double least = !strcmp(one->name, "exact") ? 0.999999 : 0.8;
		assert_true(one->memory > 0 && one->seconds > 0);
		assert_true(one->recall1 > least && one->recall10 > least && one->recall100 > least);
	}
	imgsearch_check_report_free(r);
	imgsearch_close(s);
	free(rows);
}

/* The recall of the ten nearest is that of queries for ten. */
static void recall_is_that_of_queries(void **state)
{
	enum { N = 1500, DIM = 48, K = 10 };
	imgsearch *s;
	imgsearch_error err;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_query_options q = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_build_options b = IMGSEARCH_INIT(imgsearch_build_options);
	float *rows = malloc(N * DIM * sizeof(*rows)), *best = malloc(N * K * sizeof *best),
		  *score = malloc(N * K * sizeof *score);
	int64_t *ids = malloc(N * K * sizeof *ids);
	uint64_t hit = 0;
	(void)state;
	o.dim = DIM;
	o.metric = IMGSEARCH_METRIC_L2;
	srand(2);
	for (size_t i = 0; i < (size_t)N * DIM; i++)
		rows[i] = (float)rand() / (float)RAND_MAX;
	assert_int_equal(imgsearch_open(":memory:", &o, NULL, &s, &err), 0);
	assert_int_equal(imgsearch_vectors_add(s, rows, N, DIM, NULL, NULL, NULL, &err), 0);
	b.searcher = "graph";
	b.degree = 8;
	b.beam = 16;
	assert_int_equal(imgsearch_build(s, &b, NULL, NULL, &err), 0);
	q.k = K;
	q.searcher = "scan";
	assert_int_equal(imgsearch_vectors_query(s, rows, N, DIM, &q, NULL, ids, best, N * K, &err), 0);
	q.searcher = "graph";
	for (size_t i = 0; i < N; i++)
		assert_int_equal(imgsearch_vectors_query(s, rows + i * DIM, 1, DIM, &q, NULL, ids,
							 score + i * K, K, &err),
			0);
	for (size_t i = 0; i < N * K; i++)
		hit += score[i] >= best[i / K * K + K - 1];
	assert_true(hit < N * K);
	imgsearch_check_report *r = check(s, N, NULL);
	assert_int_equal(r->queries, N);
	assert_float_equal(r->items[0]->recall10, (double)hit / (N * K), 1e-9);
	imgsearch_check_report_free(r);
	imgsearch_close(s);
	free(rows), free(best), free(score), free(ids);
}

/* A picture without its vector, and a count that is wrong. */
static void damage_is_told(void **state)
{
	scene *sc = *state;
	imgsearch_check_report *r;
	int told = 0;
	draw_photos(sc, 3);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	r = check(s, 0, &told);
	assert_int_equal(told + (int)r->problems, 0);
	imgsearch_check_report_free(r);
	imgsearch_close(s);
	sql(sc, "DELETE FROM vector WHERE id = (SELECT min(id) FROM vector)");
	s = scene_open(sc);
	r = check(s, 0, &told);
	assert_true(told > 0);
	assert_int_equal(r->problems, told);
	imgsearch_check_report_free(r);
	imgsearch_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks),
		cmocka_unit_test(recall_is_that_of_queries),
		cmocka_unit_test_setup_teardown(damage_is_told, scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

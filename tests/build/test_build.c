/* imgsearch_build through the public header: the mean, what is stale, and the choice of auto. */
#include "scene.h"

enum { DIM = 4, FEATURE = 48 /* values of the fake network */ };

static imgsearch *open_vectors(imgsearch_metric metric)
{
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch *s;
	o.dim = DIM;
	o.metric = metric;
	assert_int_equal(imgsearch_open(":memory:", &o, NULL, &s, NULL), 0);
	return s;
}

/* n rows more, all near (10, 0, 0 ...): nearly one direction until their mean is subtracted. */
static void put_rows(imgsearch *s, size_t n, size_t dim)
{
	static uint64_t seed = 3;
	float *rows = ims_alloc(n * dim, sizeof *rows);
	for (size_t i = 0; i < n * dim; i++)
		rows[i] = (i % dim ? 0 : 10) + (float)ims_random_unit(&seed) - 0.5f;
	assert_int_equal(imgsearch_vectors_add(s, rows, n, dim, NULL, NULL, NULL, NULL), 0);
	ims_free(rows);
}

static void put(imgsearch *s, size_t n)
{
	put_rows(s, n, DIM);
}

/* An index of pictures, with one picture; the rows that make it large are features like any. */
static imgsearch *open_pictures(const scene *sc)
{
	imgsearch *s = scene_open(sc);
	photo(sc, "1.png", 1);
	scene_index(s, sc->photos);
	return s;
}

/* The report lasts until the next build. */
static const imgsearch_build_report *build(imgsearch *s, const char *searcher, uint32_t if_stale)
{
	imgsearch_error err = { 0 };
	imgsearch_build_options o = IMGSEARCH_INIT(imgsearch_build_options);
	static imgsearch_build_report *r;
	imgsearch_build_report_free(r);
	o.searcher = searcher;
	o.if_stale = if_stale;
	if (imgsearch_build(s, &o, NULL, &r, &err))
		fail_msg("build: %s", err.message);
	return r;
}

/* Only what is built has a size. */
static bool builds(imgsearch *s, const char *searcher)
{
	return build(s, searcher, 1)->bytes > 0;
}

/* The lowest score that a row, other than the picture 1, gets from row `id`. */
static float lowest_score_of(imgsearch *s, int64_t id)
{
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_input in = imgsearch_input_item(id);
	imgsearch_hits *hits;
	o.k = 1000;
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, NULL), 0);
	assert_true(hits->count > 2);
	const imgsearch_hit *const *last = hits->items + hits->count - 1;
	float lowest = (last[0]->id == 1 ? last[-1] : last[0])->score;
	imgsearch_hits_free(hits);
	return lowest;
}

static float lowest_score(imgsearch *s)
{
	return lowest_score_of(s, 0);
}

static void the_mean_is_subtracted_from_32_pictures_on(void **state)
{
	imgsearch *s = open_pictures(*state);
	put_rows(s, 30, FEATURE);
	build(s, NULL, 0);
	assert_true(lowest_score_of(s, 2) > 0.9f);
	put_rows(s, 1, FEATURE);
	assert_true(lowest_score_of(s, 2) > 0.9f); /* a query never fits a mean */
	build(s, NULL, 0);
	assert_true(lowest_score_of(s, 2) < 0.8f); /* a quarter of the mean is left */
	assert_true(lowest_score_of(s, 2) > 0);
	put_rows(s, 400, FEATURE);
	build(s, NULL, 0);
	assert_true(lowest_score_of(s, 2) < -0.2f);
	imgsearch_close(s);
}

/* The score is the cosine, before and after a build, whatever was built. */
static void own_vectors_have_no_mean(void **state)
{
	(void)state;
	imgsearch *s = open_vectors(IMGSEARCH_METRIC_COSINE);
	put(s, 300);
	float before = lowest_score(s);
	assert_true(before > 0.9f);
	const char *const searcher[] = { NULL, "exact", "kdtree", "pca", "graph" };
	for (size_t i = 0; i < 5; i++) {
		build(s, searcher[i], 0);
		assert_true(lowest_score(s) == before);
	}
	imgsearch_close(s);
}

static void other_metrics_have_no_mean(void **state)
{
	(void)state;
	imgsearch *s = open_vectors(IMGSEARCH_METRIC_IP);
	put(s, 300);
	build(s, NULL, 0);
	assert_true(lowest_score(s) > 80); /* about 10 * 10; 1 at most without the mean */
	imgsearch_close(s);
}

static void what_is_stale_is_built_again(void **state)
{
	(void)state;
	imgsearch *s = open_vectors(IMGSEARCH_METRIC_L2);
	put(s, 500);
	assert_true(builds(s, "exact"));
	assert_false(builds(s, "exact"));
	put(s, 100); /* a fifth */
	assert_false(builds(s, "exact"));
	put(s, 1);
	assert_true(builds(s, "exact"));
	assert_false(builds(s, "exact"));
	assert_true(builds(s, "kdtree")); /* there is none yet */
	assert_false(builds(s, "exact"));
	assert_true(build(s, "exact", 0)->bytes > 0); /* asked for in any case */
	imgsearch_close(s);
}

/* Five rows more are no fifth, but with the 32nd the rows of the space are others. */
static void a_new_mean_makes_searchers_stale(void **state)
{
	imgsearch *s = open_pictures(*state);
	put_rows(s, 26, FEATURE);
	assert_true(builds(s, "exact"));
	assert_false(builds(s, "exact"));
	put_rows(s, 5, FEATURE);
	assert_true(builds(s, "exact"));
	assert_false(builds(s, "exact"));
	imgsearch_close(s);
}

/* Sizes at which nothing is measured. */
static void auto_chooses_by_the_number_of_rows(void **state)
{
	(void)state;
	imgsearch *s = open_vectors(IMGSEARCH_METRIC_L2);
	const imgsearch_build_report *r = build(s, "auto", 0);
	assert_string_equal(r->searcher, "");
	assert_int_equal(r->rows, 0);
	put(s, 255);
	r = build(s, "auto", 0);
	assert_string_equal(r->searcher, "exact");
	assert_int_equal(r->rows, 255);
	assert_non_null(strstr(r->why, "scanned"));
	put(s, 1);
	r = build(s, NULL, 0);
	assert_string_equal(r->searcher, "kdtree");
	assert_true(*r->why);
	imgsearch_info *info;
	assert_int_equal(imgsearch_info_get(s, NULL, &info, NULL), 0);
	assert_string_equal(info->searcher, "kdtree");
	assert_string_equal(info->searcher_why, r->why);
	float query[DIM] = { 0 };
	imgsearch_query_options o = { .struct_size = sizeof o, .searcher = "auto" };
	imgsearch_input in = imgsearch_input_vector(query, DIM);
	imgsearch_hits *hits;
	assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, NULL), 0);
	assert_string_equal(hits->searcher, "kdtree");
	imgsearch_hits_free(hits);
	imgsearch_info_free(info);
	build(s, "exact", 0);
	assert_int_equal(imgsearch_info_get(s, NULL, &info, NULL), 0);
	assert_string_equal(info->searcher_why, "chosen by name");
	imgsearch_info_free(info);
	imgsearch_close(s);
}

/* auto answers few rows exactly, though there is a fresh graph. */
static void auto_takes_what_suits(void **state)
{
	(void)state;
	imgsearch *s = open_vectors(IMGSEARCH_METRIC_L2);
	put(s, 1200);
	assert_string_equal(build(s, "graph", 0)->searcher, "graph");
	const imgsearch_build_report *r = build(s, NULL, 0);
	assert_string_equal(r->searcher, "kdtree");
	assert_true(r->bytes > 0);
	r = build(s, NULL, 1);
	assert_string_equal(r->searcher, "kdtree");
	assert_int_equal(r->bytes, 0);
	imgsearch_close(s);
}

static void an_unknown_searcher_is_refused(void **state)
{
	(void)state;
	imgsearch_error err;
	imgsearch_build_options o = IMGSEARCH_INIT(imgsearch_build_options);
	imgsearch *s = open_vectors(IMGSEARCH_METRIC_L2);
	put(s, 10);
	o.searcher = "nosuch";
	assert_int_equal(imgsearch_build(s, &o, NULL, NULL, &err), IMGSEARCH_EINVAL);
	assert_non_null(strstr(err.message, "nosuch"));
	imgsearch_close(s);
}

#define on_files(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_files(the_mean_is_subtracted_from_32_pictures_on),
		cmocka_unit_test(own_vectors_have_no_mean),
		cmocka_unit_test(other_metrics_have_no_mean),
		cmocka_unit_test(what_is_stale_is_built_again),
		on_files(a_new_mean_makes_searchers_stale),
		cmocka_unit_test(auto_chooses_by_the_number_of_rows),
		cmocka_unit_test(auto_takes_what_suits),
		cmocka_unit_test(an_unknown_searcher_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

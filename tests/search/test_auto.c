/*
 * auto: its rule as plain data (no clock), the spectrum it looks at, and what a build through the
 * public header keeps and says: nothing that was measured may decide whether answers are exact.
 */
#include "test.h"
#include "table.h"

#include "imgsearch.h"

#include <unistd.h>

static const char *only(size_t n, uint32_t dim, double spread)
{
	const char *name[SEARCH_CANDIDATES];
	char why[256] = "";
	search_facts f = { .n = n, .dim = dim, .spread = spread };
	size_t found = ims_search_candidates(&f, name, why, sizeof why);
	if (found == 1)
		assert_true(*why);
	return found == 1 ? name[0] : "measured";
}

static void rule(void **state)
{
	(void)state;
	assert_string_equal(only(0, 1280, 0), "exact");
	assert_string_equal(only(255, 4, 2), "exact");
	assert_string_equal(only(256, 8, 2), "kdtree");
	assert_string_equal(only(10000000, 8, 0), "kdtree");
	assert_string_equal(only(99999, 16, 12), "kdtree");
	assert_string_equal(only(100000, 9, 5), "graph");
	assert_string_equal(only(50000, 17, 12), "exact");
	assert_string_equal(only(50000, 17, 7), "measured");
	assert_string_equal(only(999, 17, 7), "exact");
	assert_string_equal(only(50000, 96, 12), "exact");
	assert_string_equal(only(256, 97, 0), "pca");
	assert_string_equal(only(50000, 512, 12), "pca");
	assert_string_equal(only(50000, 512, 3), "measured");
	assert_string_equal(only(999, 513, 12), "exact");
	assert_string_equal(only(1000, 513, 12), "kdtree");
	assert_string_equal(only(5000, 513, 12), "measured");
	assert_string_equal(only(99999, 1280, 60), "measured");
	assert_string_equal(only(50000, 1280, 0), "exact"); /* all rows equal */
	assert_string_equal(only(10000000, 1280, 2), "graph");
}

/* What may be chosen by measuring is as exact as the usual one. */
static void measured_are_alike(void **state)
{
	(void)state;
	uint64_t seed = 4;
	for (int i = 0; i < 20000; i++) {
		const char *name[SEARCH_CANDIDATES];
		char why[256];
		search_facts f = { .n = (size_t)1 << (ims_random(&seed) % 24),
			.dim = 1 + (uint32_t)(ims_random(&seed) % 700),
			.spread = (double)(ims_random(&seed) % 20) };
		f.n += ims_random(&seed) % f.n;
		size_t n = ims_search_candidates(&f, name, why, sizeof why);
		assert_in_range(n, 1, SEARCH_CANDIDATES);
		for (size_t j = 0; j < n; j++)
			assert_true(ims_search_suits(name[j], f.n, f.dim));
	}
	assert_false(ims_search_suits("", 10, 10));
	assert_false(ims_search_suits("graph", 10, 10));
	assert_true(ims_search_suits("pca", 10, 10));
	assert_false(ims_search_suits("exact", 1000000, 256));
}

static void fastest(void **state)
{
	(void)state;
	static const char *const name[] = { "exact", "kdtree" };
	const search_facts f = { .n = 5000, .dim = 16, .spread = 5.25 };
	char why[256];
	assert_int_equal(ims_search_fastest(&f, name, (double[]){ 0.001, 0.002 }, 2, why, sizeof why),
		0);
	assert_string_equal(why,
		"5000 rows of 16, spread in 5.2 dimensions; a query takes 1 ms by exact, 2 ms by kdtree");
	assert_int_equal(ims_search_fastest(&f, name, (double[]){ 0.001, 0.0005 }, 2, why, sizeof why),
		1);
	/* not clearly */
	assert_int_equal(ims_search_fastest(&f, name, (double[]){ 0.001, 0.00099 }, 2, why, sizeof why),
		0);
	assert_int_equal(ims_search_fastest(&f, name, (double[]){ 1, 0.5 }, 2, why, 20), 1);
	assert_int_equal(strlen(why), 19);
}

/* Rows that spread alike in the first `m` of `dim` directions, off the origin. */
static void fill(table *t, size_t n, uint32_t dim, uint32_t m)
{
	uint64_t seed = 9;
	float *row = calloc(dim, sizeof(*row));
	table_init(t, dim, IMGSEARCH_METRIC_L2);
	for (size_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < dim; j++)
			row[j] = 3 + (j < m ? (float)(ims_random(&seed) % 10001) / 10000 : 0);
		table_put(t, (int64_t)i, row);
	}
	free(row);
}

static void spread(void **state)
{
	(void)state;
	const uint32_t dims[][2] = { { 17, 17 }, { 200, 5 }, { 30, 1 }, { 40, 20 } };
	for (size_t i = 0; i < 4; i++) {
		table t;
		search_facts f;
		fill(&t, 1500, dims[i][0], dims[i][1]);
		assert_int_equal(ims_search_look(&f, &t.source, NULL), 0);
		if (fabs(f.spread - dims[i][1]) > 0.15 * dims[i][1])
			fail_msg("%u of %u: %g", dims[i][1], dims[i][0], f.spread);
		ims_search_facts_free(&f);
		table_free(&t);
	}
	table same;
	search_facts f;
	fill(&same, 1500, 40, 0);
	assert_int_equal(ims_search_look(&f, &same.source, NULL), 0);
	assert_true(f.spread == 0);
	ims_search_facts_free(&f);
	table_free(&same);
}

static void timing(void **state)
{
	(void)state;
	table t;
	search_facts f;
	search_index *x;
	double seconds;
	fill(&t, 1100, 20, 20);
	assert_int_equal(ims_search_look(&f, &t.source, NULL), 0);
	assert_int_equal(ims_search_build(&x, "kdtree", &t.source, NULL, NULL, NULL), 0);
	assert_int_equal(ims_search_time(x, &f, &seconds, NULL), 0);
	assert_true(seconds > 0 && seconds < 10);
	ims_search_free(x);
	ims_search_facts_free(&f);
	table_free(&t);
}

/* ----------------------------------------------------------------------- the public header ---- */

/* The searcher that is built, until the next call; why has 256 bytes. */
static const char *built(imgsearch *s, uint32_t if_stale, char *why)
{
	imgsearch_build_options o = { .struct_size = sizeof o, .if_stale = if_stale };
	static char name[16];
	imgsearch_build_report *r;
	assert_int_equal(imgsearch_build(s, &o, NULL, &r, NULL), 0);
	assert_true(strlen(r->why) < 256 && strlen(r->searcher) < sizeof name);
	strcpy(why, r->why);
	strcpy(name, r->searcher);
	imgsearch_build_report_free(r);
	return name;
}

static void put(imgsearch *s, size_t n, uint32_t dim, uint64_t seed)
{
	float *rows = malloc(n * dim * sizeof(float));
	for (size_t i = 0; i < n * dim; i++) /* spread in four dimensions */
		rows[i] = i % dim < 4 ? (float)(ims_random(&seed) % 1000) / 1000 : 0;
	assert_int_equal(imgsearch_vectors_add(s, rows, n, dim, NULL, NULL, NULL, NULL), 0);
	free(rows);
}

static void open_new(imgsearch **s, uint32_t dim)
{
	imgsearch_options o = { .struct_size = sizeof o, .dim = dim, .metric = IMGSEARCH_METRIC_L2 };
	assert_int_equal(imgsearch_open(":memory:", &o, NULL, s, NULL), 0);
}

static void kept(void **state)
{
	(void)state;
	imgsearch *s;
	imgsearch_info *info;
	char why[256], again[256];
	open_new(&s, 20);
	assert_string_equal(built(s, 0, why), "");
	put(s, 255, 20, 1);
	assert_string_equal(built(s, 0, why), "exact");
	assert_non_null(strstr(why, "scanned"));
	put(s, 1745, 20, 2);
	char name[16];
	strcpy(name, built(s, 0, why));
	assert_true(!strcmp(name, "exact") || !strcmp(name, "kdtree"));
	assert_non_null(strstr(why, "ms by exact"));
	assert_int_equal(imgsearch_info_get(s, NULL, &info, NULL), 0);
	assert_string_equal(info->searcher, name);
	assert_string_equal(info->searcher_why, why);
	imgsearch_info_free(info);
	assert_string_equal(built(s, 1, again), name); /* fresh: nothing is built or measured */
	assert_string_equal(again, "");
	put(s, 1000, 20, 3);
	built(s, 1, again);
	assert_non_null(strstr(again, "3000 rows"));
	imgsearch_close(s);
}

/* Builds that are due keep what was chosen by name, until auto is asked for. */
static void kept_by_name(void **state)
{
	(void)state;
	imgsearch *s;
	char why[256];
	imgsearch_build_options o = { .struct_size = sizeof o, .searcher = "graph" };
	open_new(&s, 20);
	put(s, 300, 20, 1);
	assert_int_equal(imgsearch_build(s, &o, NULL, NULL, NULL), 0);
	put(s, 20, 20, 2);
	assert_string_equal(built(s, 1, why), "graph"); /* fresh */
	put(s, 300, 20, 3);
	assert_string_equal(built(s, 1, why), "graph");
	assert_string_equal(why, "");
	put(s, 1000, 20, 4);
	assert_string_equal(built(s, 1, why), "graph");
	assert_string_not_equal(built(s, 0, why), "graph");
	put(s, 2000, 20, 5);
	assert_string_not_equal(built(s, 1, why), "graph");
	imgsearch_close(s);
}

static void told(void **state)
{
	(void)state;
	imgsearch *s;
	imgsearch_info *info;
	imgsearch_build_options o = { .struct_size = sizeof o, .searcher = "graph" };
	open_new(&s, 24);
	put(s, 1200, 24, 5);
	assert_int_equal(imgsearch_build(s, &o, NULL, NULL, NULL), 0);
	assert_int_equal(imgsearch_info_get(s, NULL, &info, NULL), 0);
	assert_int_equal(info->searchers->count, 1);
	const imgsearch_searcher *graph = info->searchers->items[0];
	assert_string_equal(graph->name, "graph");
	assert_int_equal(graph->rows, 1200);
	assert_true(graph->bytes > 0);
	assert_int_equal(graph->changed + graph->stale, 0);
	assert_non_null(strstr(graph->note, "asked for recall "));
	assert_non_null(strstr(graph->note, " at ef "));
	imgsearch_info_free(info);
	imgsearch_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule),
		cmocka_unit_test(measured_are_alike),
		cmocka_unit_test(fastest),
		cmocka_unit_test(spread),
		cmocka_unit_test(timing),
		cmocka_unit_test(kept),
		cmocka_unit_test(kept_by_name),
		cmocka_unit_test(told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

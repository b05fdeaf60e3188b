/*
 * imgsearch_eval_run against measures computed by hand. Six vectors lie on a line: 0, 1 and 5 in
 * folder a, 2 and 3 in folder b, 10 alone in folder c. The order of each query, nearest first, by
 * number where two are equally near (in brackets):
 *
 *	0: 1 2 3 5 10        a b b a c
 *	1: (2 0) 3 5 10      b a b a c
 *	5: 3 2 1 (0 10)      b b a a c
 *	2: (1 3) 0 5 10      a b a a c
 *	3: 2 (1 5) 0 10      b a a a c
 */
#include "collection.h"
#include "imgsearch/eval.h"

#include <math.h>

static const struct {
	const char *name;
	float at;
} vectors[] = {
	{ "b/2", 2 },
	{ "a/0", 0 },
	{ "a/1", 1 },
	{ "b/3", 3 },
	{ "a/5", 5 },
	{ "c/10", 10 },
};

static imgsearch *on_a_line(const scene *sc)
{
	imgsearch_error err = { 0 };
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch *s;
	o.dim = 1;
	o.metric = IMGSEARCH_METRIC_L2;
	assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, &err), 0);
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		imgsearch_input in = imgsearch_input_vector(&vectors[i].at, 1);
		if (imgsearch_index_add(s, &in, NAMED(vectors[i].name), NULL, NULL, &err))
			fail_msg("add: %s", err.message);
	}
	return s;
}

static imgsearch_eval_report *evaluate(imgsearch *s, imgsearch_eval_options o)
{
	imgsearch_error err = { 0 };
	imgsearch_eval_report *r;
	o.struct_size = sizeof o;
	if (imgsearch_eval_run(s, &o, NULL, &r, &err))
		fail_msg("eval: %s", err.message);
	return r;
}

static void assert_near(double got, double wanted)
{
	if (!(fabs(got - wanted) < 1e-9))
		fail_msg("%.12g instead of %.12g", got, wanted);
}

static const imgsearch_eval_scores *class_named(const imgsearch_eval_report *r, const char *name)
{
	for (size_t c = 0; c < r->count; c++) {
		const char *slash = strrchr(r->items[c]->name, '/');
		if (!strcmp(slash ? slash + 1 : r->items[c]->name, name))
			return r->items[c];
	}
	fail_msg("no class %s", name);
	return NULL;
}

/* Equal scores share a rank, as in scikit-learn. */
static void average_precision(void **state)
{
	imgsearch *s = on_a_line(*state);
	imgsearch_eval_report *r = evaluate(s, (imgsearch_eval_options){ 0 });
	double of_0 = (1. / 1 + 2. / 4) / 2, of_1 = (1. / 2 + 2. / 4) / 2;
	double of_5 = (1. / 3 + 2. / 5) / 2, of_2 = 1. / 2, of_3 = 1;
	assert_int_equal(r->pictures, 6);
	assert_int_equal(r->failed, 0);
	assert_int_equal(r->all->queries, 5); /* the lonely one has nothing to find */
	assert_near(r->all->map, (of_0 + of_1 + of_5 + of_2 + of_3) / 5);
	assert_int_equal(r->count, 2);
	assert_int_equal(class_named(r, "a")->queries, 3);
	assert_int_equal(class_named(r, "b")->queries, 2);
	assert_near(class_named(r, "a")->map, (of_0 + of_1 + of_5) / 3);
	assert_near(class_named(r, "b")->map, (of_2 + of_3) / 2);
	assert_true(r->all->map_low < r->all->map && r->all->map < r->all->map_high);
	imgsearch_eval_report_free(r);
	imgsearch_close(s);
}

/* What stands at the first 1, 5, 10 and 100 places; equal scores stand by number. */
static void measures_at_cuts(void **state)
{
	imgsearch *s = on_a_line(*state);
	imgsearch_eval_report *r = evaluate(s, (imgsearch_eval_options){ 0 });
	double second = 1 / log2(3), third = 1 / log2(4), fourth = 1 / log2(5), two = 1 + second;
	double gain = (1 + fourth) / two + (second + fourth) / two + (third + fourth) / two + second
		+ 1;
	assert_int_equal(r->all->count, 4);
	for (size_t cut = 0; cut < 4; cut++)
		assert_int_equal(r->all->items[cut]->k, ((const uint32_t[]){ 1, 5, 10, 100 })[cut]);
	assert_string_equal(r->all->name, "");
	assert_near(r->all->accuracy, 2. / 5); /* of 0 and 3 */
	assert_near(r->all->items[0]->precision, 2. / 5);
	assert_near(r->all->items[0]->recall, (1. / 2 + 1) / 5);
	assert_near(r->all->items[0]->ndcg, 2. / 5);
	for (int cut = 1; cut < 4; cut++) {
		assert_near(r->all->items[cut]->recall, 1);
		assert_near(r->all->items[cut]->ndcg, gain / 5);
	}
	assert_near(r->all->items[1]->precision, (3 * 2. / 5 + 2 * 1. / 5) / 5);
	assert_near(r->all->items[2]->precision, (3 * 2. / 10 + 2 * 1. / 10) / 5);
	assert_near(r->all->items[3]->precision, (3 * 2. / 100 + 2 * 1. / 100) / 5);
	assert_near(class_named(r, "b")->accuracy, 1. / 2);
	assert_near(class_named(r, "a")->items[0]->recall, 1. / 6);
	imgsearch_eval_report_free(r);
	imgsearch_close(s);
}

/* Two of five queries, evenly taken: the first and the third by number, 2 and 1. */
static void a_sample_asks_fewer(void **state)
{
	imgsearch *s = on_a_line(*state);
	imgsearch_eval_report *r = evaluate(s, (imgsearch_eval_options){ .sample = 2 });
	assert_int_equal(r->all->queries, 2);
	assert_near(r->all->map, 1. / 2);
	assert_near(r->all->accuracy, 0);
	imgsearch_eval_report_free(r);
	imgsearch_close(s);
}

/* 2 is to find 0 and 10. A query that is not there is none. */
static void a_csv_says_what_belongs_together(void **state)
{
	scene *sc = *state;
	char csv[200];
	imgsearch *s = on_a_line(sc);
	snprintf(csv, sizeof csv, "%s/truth.csv", sc->dir);
	shell("printf 'query,relevant,relevant\\nb/2,a/0,c/10\\nd/4,a/0,\\n' > '%s'", csv);
	imgsearch_eval_report *r = evaluate(s, (imgsearch_eval_options){ .truth = csv });
	assert_int_equal(r->all->queries, 1);
	assert_near(r->all->map, (1. / 3 + 2. / 5) / 2);
	assert_near(r->all->accuracy, 0);
	assert_near(r->all->items[0]->recall, 0);
	imgsearch_eval_report_free(r);
	imgsearch_close(s);
}

/* Classes of one each: nothing to ask. An empty index, and no index at all. */
static void nothing_to_ask_is_an_error(void **state)
{
	scene *sc = *state;
	imgsearch_error err = { 0 };
	imgsearch_eval_report *r = (imgsearch_eval_report *)&err;
	const float row[2] = { 1, 2 };
	imgsearch *s = scene_open(sc);
	assert_int_equal(imgsearch_eval_run(NULL, NULL, NULL, &r, &err), IMGSEARCH_EINVAL);
	assert_null(r);
	assert_int_equal(imgsearch_eval_run(s, NULL, NULL, &r, &err), IMGSEARCH_ENOTFOUND);
	for (int i = 0; i < 2; i++) {
		imgsearch_input in = imgsearch_input_vector(row, 2);
		assert_int_equal(imgsearch_index_add(s, &in, NAMED(i ? "a/0" : "b/0"), NULL, NULL, &err),
			0);
	}
	assert_int_equal(imgsearch_eval_run(s, NULL, NULL, &r, &err), IMGSEARCH_ENOTFOUND);
	assert_non_null(strstr(err.message, "no query has a relevant picture"));
	assert_null(r);
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(average_precision),
		TEST(measures_at_cuts),
		TEST(a_sample_asks_fewer),
		TEST(a_csv_says_what_belongs_together),
		TEST(nothing_to_ask_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Vectors of the caller's own under cosine: the score is the cosine of the rows as they are, before
 * and after a build, with every searcher; rows of any finite length but zero.
 */
#include "collection/collection.h"

#include <float.h>
#include <math.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

enum { N = 2000, DIM = 24, K = 10, QUERIES = 40 };

static const char *const searchers[] = { NULL, "exact", "kdtree", "pca", "graph" };

/* A new index of the caller's own vectors in memory, or in the file of a scene. */
static imgsearch *open_own(const char *path, uint32_t dim, imgsearch_metric metric)
{
	imgsearch_error err = { 0 };
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch *s;
	o.dim = dim;
	o.metric = metric;
	if (imgsearch_open(path, &o, NULL, &s, &err))
		fail_msg("open: %s", err.message);
	return s;
}

static int add(imgsearch *s, const float *rows, size_t n, size_t dim, imgsearch_error *err)
{
	return imgsearch_vectors_add(s, rows, n, dim, NULL, NULL, NULL, err);
}

static void build(imgsearch *s, const char *searcher)
{
	imgsearch_error err = { 0 };
	imgsearch_build_options o = IMGSEARCH_INIT(imgsearch_build_options);
	o.searcher = searcher;
	if (imgsearch_build(s, &o, NULL, NULL, &err))
		fail_msg("build: %s", err.message);
}

/* Rows that lean to one side; every tenth has length `length`, ten times that of the others. */
static float *make_rows(float length)
{
	uint64_t seed = 3;
	float *rows = ims_alloc((size_t)N * DIM, sizeof *rows);
	for (size_t i = 0; i < (size_t)N * DIM; i++)
		rows[i] = ((float)ims_random_unit(&seed) - 0.3f) * (i / DIM % 200 ? 1 : length);
	return rows;
}

static double cosine(const float *a, const float *b, size_t dim)
{
	double most_a = 0, most_b = 0, ab = 0, aa = 0, bb = 0;
	for (size_t i = 0; i < dim; i++) {
		most_a = fmax(most_a, fabs((double)a[i]));
		most_b = fmax(most_b, fabs((double)b[i]));
	}
	for (size_t i = 0; i < dim; i++) {
		double x = a[i] / most_a, y = b[i] / most_b;
		ab += x * y;
		aa += x * x;
		bb += y * y;
	}
	return ab / sqrt(aa * bb);
}

/* The K-th best cosine of a row with all. */
static double kth_cosine(const float *rows, const float *query)
{
	double best[K + 1];
	size_t n = 0;
	for (size_t i = 0; i < N; i++) {
		double c = cosine(query, rows + i * DIM, DIM);
		size_t at = n < K ? n++ : K;
		for (; at && best[at - 1] < c; at--)
			best[at] = best[at - 1];
		best[at] = c;
	}
	return best[K - 1];
}

/* The share of the K nearest that is found; every score must be the cosine. */
static double recall(imgsearch *s, const float *rows, uint32_t plain)
{
	imgsearch_error err = { 0 };
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	size_t found = 0;
	o.k = K;
	o.plain = plain;
	for (size_t q = 0; q < QUERIES; q++) {
		const float *query = rows + q * 50 * DIM;
		double least = kth_cosine(rows, query);
		imgsearch_input in = imgsearch_input_vector(query, DIM);
		imgsearch_hits *hits;
		if (imgsearch_query(s, &in, 1, &o, NULL, &hits, &err))
			fail_msg("query: %s", err.message);
		for (size_t i = 0; i < hits->count; i++) {
			double c = cosine(query, rows + (size_t)hits->items[i]->id * DIM, DIM);
			assert_true(fabs(c - hits->items[i]->score) < 1e-5);
			found += c >= least - 1e-6;
		}
		imgsearch_hits_free(hits);
	}
	return (double)found / (QUERIES * K);
}

static void the_score_is_the_cosine_after_a_build_too(void **state)
{
	const float length[] = { 1, 1e6f, 1e-41f, 1e37f };
	(void)state;
	for (size_t l = 0; l < 4; l++) {
		float *rows = make_rows(length[l]);
		imgsearch *s = open_own(":memory:", DIM, IMGSEARCH_METRIC_COSINE);
		assert_int_equal(add(s, rows, N, DIM, NULL), 0);
		assert_true(recall(s, rows, 0) == 1);
		for (size_t i = 0; i < 5; i++) {
			bool exact = !searchers[i] || strcmp(searchers[i], "graph");
			build(s, searchers[i]);
			assert_true(recall(s, rows, 0) >= (exact ? 1 : 0.9));
			assert_true(recall(s, rows, 1) >= (exact ? 1 : 0.9));
		}
		imgsearch_close(s);
		ims_free(rows);
	}
}

/* What answered: `plain` uses the built searchers. */
static void plain_asks_the_searcher(void **state)
{
	(void)state;
	float *rows = make_rows(1);
	imgsearch *s = open_own(":memory:", DIM, IMGSEARCH_METRIC_COSINE);
	assert_int_equal(add(s, rows, N, DIM, NULL), 0);
	build(s, "pca");
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_input in = imgsearch_input_vector(rows, DIM);
	imgsearch_hits *hits;
	for (o.plain = 0; o.plain < 2; o.plain++) {
		assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, NULL), 0);
		assert_string_equal(hits->searcher, "pca");
		imgsearch_hits_free(hits);
	}
	imgsearch_close(s);
	ims_free(rows);
}

static bool is_stale(imgsearch *s)
{
	imgsearch_info *info;
	assert_int_equal(imgsearch_info_get(s, NULL, &info, NULL), 0);
	assert_int_equal(info->searchers->count, 1);
	bool stale = info->searchers->items[0]->stale;
	imgsearch_info_free(info);
	return stale;
}

/* Version 0.1 subtracted a mean from own vectors, which it stored. */
static void a_stored_mean_of_own_vectors_is_left_out(void **state)
{
	scene *sc = *state;
	float *rows = make_rows(1);
	char mean[8 * DIM + 1] = "", text[400];
	imgsearch *s = open_own(sc->db, DIM, IMGSEARCH_METRIC_COSINE);
	assert_int_equal(add(s, rows, N, DIM, NULL), 0);
	build(s, "exact");
	assert_false(is_stale(s));
	imgsearch_close(s);
	sql(sc, "UPDATE searcher SET params = 'centre=0123456789abcdef'");
	for (int i = 0; i < DIM; i++) /* 0.25f */
		memcpy(mean + 8 * i, "0000803E", 8);
	snprintf(text, sizeof text,
		"INSERT INTO setting(name, data) VALUES('centre', x'%s'), ('centre_rows',"
		" x'D007000000000000')",
		mean);
	sql(sc, text);
	for (int i = 0; i < 2; i++) {
		s = open_own(sc->db, DIM, IMGSEARCH_METRIC_COSINE);
		assert_int_equal(is_stale(s), i == 0);
		assert_true(recall(s, rows, 0) == 1);
		build(s, "exact");
		assert_false(is_stale(s));
		assert_true(recall(s, rows, 0) == 1);
		imgsearch_close(s);
	}
	assert_int_equal(sql(sc, "SELECT count(*) FROM setting WHERE name LIKE 'centre%'"), 0);
	ims_free(rows);
}

/* --------------------------------------------------------------------------- rows of zeros ---- */

enum { DIM3 = 3 };

static void refused(int rc, const imgsearch_error *err, const char *what)
{
	assert_int_equal(rc, IMGSEARCH_EINVAL);
	assert_non_null(strstr(err->message, what));
}

static uint64_t vectors(imgsearch *s)
{
	imgsearch_info *info;
	assert_int_equal(imgsearch_info_get(s, NULL, &info, NULL), 0);
	uint64_t n = info->vectors;
	imgsearch_info_free(info);
	return n;
}

static void a_row_of_zeros_is_refused_and_named(void **state)
{
	(void)state;
	const float rows[] = { 1, 0, 0, 0, 1, 0, 0, -0.0f, 0 };
	imgsearch_error err;
	imgsearch_transaction *t;
	imgsearch *s = open_own(":memory:", DIM3, IMGSEARCH_METRIC_COSINE);
	refused(add(s, rows, 3, DIM3, &err), &err, "row 2 is all zeros");
	assert_int_equal(vectors(s), 0);
	imgsearch_input in = imgsearch_input_vector(rows + 6, DIM3);
	refused(imgsearch_index_add(s, &in, NULL, NULL, NULL, &err), &err, "row 0 is all zeros");
	assert_int_equal(imgsearch_transaction_begin(s, NULL, &t, NULL), 0);
	imgsearch_vectors_add_options o = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	o.transaction = t;
	refused(imgsearch_vectors_add(s, rows, 3, DIM3, &o, NULL, NULL, &err), &err, "row 2");
	assert_int_equal(imgsearch_vectors_add(s, rows, 2, DIM3, &o, NULL, NULL, &err), 0);
	assert_int_equal(imgsearch_transaction_commit(t, NULL, &err), 0);
	imgsearch_transaction_free(t);
	assert_int_equal(vectors(s), 2);
	imgsearch_close(s);
	for (int metric = IMGSEARCH_METRIC_L2; metric <= IMGSEARCH_METRIC_IP; metric++) {
		s = open_own(":memory:", DIM3, (imgsearch_metric)metric); /* a place like any other */
		assert_int_equal(add(s, rows, 3, DIM3, &err), 0);
		imgsearch_hits *hits;
		assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), 0);
		assert_int_equal(hits->count, 3);
		imgsearch_hits_free(hits);
		imgsearch_close(s);
	}
}

static void a_query_of_zeros_is_refused(void **state)
{
	(void)state;
	const float rows[] = { 1, 0, 0, 0, 1, 0 }, zeros[] = { 0, 1, 0, 0, 0, 0 };
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch_answers *answers;
	int64_t ids[2];
	imgsearch *s = open_own(":memory:", DIM3, IMGSEARCH_METRIC_COSINE);
	assert_int_equal(add(s, rows, 2, DIM3, &err), 0);
	imgsearch_input in[] = { imgsearch_input_vector(zeros, DIM3),
		imgsearch_input_vector(zeros + 3, DIM3) };
	refused(imgsearch_query(s, in, 2, NULL, NULL, &hits, &err), &err, "input 1 is all zeros");
	refused(imgsearch_range(s, in + 1, 0, NULL, NULL, &hits, &err), &err, "input 0 is all zeros");
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	o.k = 1;
	refused(imgsearch_vectors_query(s, zeros, 2, DIM3, &o, NULL, ids, NULL, 2, &err), &err,
		"query 1 is all zeros");
	assert_int_equal(imgsearch_batch_query(s, in, 2, NULL, NULL, &answers, &err), 0);
	assert_non_null(answers->items[0]->hits);
	refused(answers->items[1]->error->code, answers->items[1]->error, "input 1 is all zeros");
	imgsearch_answers_free(answers);
	in[1] = in[0];
	in[1].weight = -1;
	refused(imgsearch_query(s, in, 2, NULL, NULL, &hits, &err), &err, "cancel each other out");
	imgsearch_close(s);
}

/* The weight of the only input changes no score. */
static void one_input_scores_the_same_at_any_weight(void **state)
{
	(void)state;
	const float rows[] = { 1, 0, 0, 1, 1, 0 }, weight[] = { 0, 1, 5, 0.01f };
	imgsearch *s = open_own(":memory:", DIM3, IMGSEARCH_METRIC_COSINE);
	assert_int_equal(add(s, rows, 2, DIM3, NULL), 0);
	for (size_t i = 0; i < 4; i++) {
		imgsearch_hits *hits;
		imgsearch_answers *answers;
		imgsearch_input in = imgsearch_input_vector(rows, DIM3);
		in.weight = weight[i];
		assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, NULL), 0);
		assert_int_equal(imgsearch_batch_query(s, &in, 1, NULL, NULL, &answers, NULL), 0);
		for (size_t h = 0; h < 2; h++) {
			double c = h ? sqrt(0.5) : 1;
			assert_true(fabs(hits->items[h]->score - c) < 1e-6);
			assert_true(fabs(answers->items[0]->hits->items[h]->score - c) < 1e-6);
		}
		imgsearch_hits_free(hits);
		imgsearch_answers_free(answers);
	}
	imgsearch_close(s);
}

static void ask_for_rows_of_any_length(void)
{
	const float length[] = { 1e-45f, 1e-42f, FLT_MIN, 1e-23f, 1, 1e19f, 2e38f };
	imgsearch_error err;
	imgsearch *s = open_own(":memory:", DIM3, IMGSEARCH_METRIC_COSINE);
	for (size_t i = 0; i < 7; i++) {
		const float row[] = { length[i], length[i], 0 };
		assert_int_equal(add(s, row, 1, DIM3, &err), 0);
	}
	for (size_t i = 0; i < 7; i++) {
		const float query[] = { 0, length[i], 0 };
		const imgsearch_input in[] = { imgsearch_input_item((int64_t)i),
			imgsearch_input_vector(query, DIM3) };
		for (size_t kind = 0; kind < 2; kind++) {
			imgsearch_hits *hits;
			if (imgsearch_query(s, in + kind, 1, NULL, NULL, &hits, &err))
				fail_msg("query: %s", err.message);
			assert_int_equal(hits->count, 7);
			for (size_t h = 0; h < 7; h++)
				assert_true(fabs(hits->items[h]->score - (kind ? sqrt(0.5) : 1)) < 1e-6);
			imgsearch_hits_free(hits);
		}
	}
	imgsearch_close(s);
}

static void rows_of_any_length_have_a_direction(void **state)
{
	(void)state;
	ask_for_rows_of_any_length();
}

/* A program that was linked with -ffast-math takes denormal numbers for zero. */
static void also_where_denormals_are_zero(void **state)
{
	(void)state;
#if defined(__SSE2__)
	enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x40 };
	unsigned mode = _mm_getcsr();
	_mm_setcsr(mode | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
	ask_for_rows_of_any_length();
	_mm_setcsr(mode);
#else
	skip();
#endif
}

static int keep_text(void *user, const char *text)
{
	snprintf(user, 200, "%s", text);
	return 0;
}

static void check_tells_of_zeros(imgsearch *s, const char *what)
{
	char text[200] = "";
	imgsearch_check_report *r;
	imgsearch_check_options o = IMGSEARCH_INIT(imgsearch_check_options);
	o.problem = keep_text;
	o.user = text;
	o.queries = 20;
	assert_int_equal(imgsearch_check(s, &o, NULL, &r, NULL), 0);
	assert_int_equal(r->problems, *what != 0);
	assert_true(*what ? strstr(text, what) != NULL : !*text);
	for (size_t i = 0; i < r->count; i++)
		assert_true(r->items[i]->recall10 > 0.8);
	imgsearch_check_report_free(r);
}

/* Rows 5 and 9 of `rows` are zeros in the file, and in no answer, however many are asked for. */
static void zeros_are_in_no_answer(imgsearch *s, const float *rows)
{
	for (size_t i = 0; i < 3; i++) {
		const uint32_t k[] = { 10, N - 1, N };
		imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
		imgsearch_input in = imgsearch_input_vector(rows, DIM);
		imgsearch_hits *hits;
		o.k = k[i];
		assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, NULL), 0);
		assert_int_equal(hits->count, i ? N - 2 : 10);
		for (size_t h = 0; h < hits->count; h++)
			assert_true(hits->items[h]->id != 5 && hits->items[h]->id != 9);
		imgsearch_hits_free(hits);
	}
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_vector(rows, DIM);
	assert_int_equal(imgsearch_range(s, &in, -1.1f, NULL, NULL, &hits, NULL), 0);
	assert_int_equal(hits->count, N - 2);
	imgsearch_hits_free(hits);
}

/* Versions before 0.2 took rows of zeros, into their searchers too. */
static void zeros_of_older_files_are_in_no_answer(void **state)
{
	scene *sc = *state;
	float *rows = make_rows(1);
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch *s = open_own(sc->db, DIM, IMGSEARCH_METRIC_COSINE);
	assert_int_equal(add(s, rows, N, DIM, NULL), 0);
	check_tells_of_zeros(s, "");
	build(s, "kdtree");
	imgsearch_close(s);
	sql(sc, "UPDATE vector SET data = zeroblob(length(data)) WHERE id IN (5, 9)");
	sql(sc, "UPDATE searcher SET params = 'centre=0000000000000000'");
	s = open_own(sc->db, DIM, IMGSEARCH_METRIC_COSINE);
	assert_true(is_stale(s));
	zeros_are_in_no_answer(s, rows);
	for (size_t i = 0; i < 5; i++) {
		build(s, searchers[i]);
		zeros_are_in_no_answer(s, rows);
		check_tells_of_zeros(s,
			"2 vectors are all zeros and so in no answer; the first one is that"
			" of 5");
	}
	imgsearch_input in = imgsearch_input_item(5);
	refused(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), &err, "input 0 is all zeros");
	imgsearch_close(s);
	ims_free(rows);
}

/* An index of pictures whose features have DIM values, with one picture and N own vectors. */
static imgsearch *open_mixed(const scene *sc, const float *rows)
{
	imgsearch_error err = { 0 };
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch *s;
	char model[200];
	snprintf(model, sizeof model, "%s/small.safetensors", sc->dir);
	shell("cd '%s' && sed 's/48/%d/; s/\"default\"/\"small\"/' default.json >'%s/small.json'"
		  " && cp default.safetensors '%s'",
		getenv("IMGSEARCH_LIBDIR"), DIM, sc->dir, model);
	o.model = model;
	if (imgsearch_open(sc->db, &o, NULL, &s, &err))
		fail_msg("open: %s", err.message);
	if (vectors(s))
		return s;
	photo(sc, "1.png", 1);
	scene_index(s, sc->photos);
	assert_int_equal(add(s, rows, N, DIM, &err), 0);
	return s;
}

static float *stored_rows(imgsearch *s, const int64_t *ids, size_t n)
{
	float *rows = ims_alloc(n * DIM, sizeof *rows);
	uint8_t *found = ims_alloc(n, 1);
	assert_int_equal(imgsearch_vectors_get(s, ids, n, NULL, rows, n * DIM, found, NULL), 0);
	for (size_t i = 0; i < n; i++)
		assert_true(found[i]);
	ims_free(found);
	return rows;
}

static void subtract_mean(float *rows, size_t n)
{
	enum { DOUBT = 10 }; /* rows of zeros that shrink the mean: build/mean.c */
	double mean[DIM] = { 0 };
	for (size_t i = 0; i < n * DIM; i++)
		mean[i % DIM] += rows[i] / (double)(n + DOUBT);
	for (size_t i = 0; i < n * DIM; i++)
		rows[i] -= (float)mean[i % DIM];
}

/* Own vectors in an index of pictures count as features, in the mean and in the scores. */
static void the_mean_is_that_of_pictures_and_own_vectors(void **state)
{
	float *own = make_rows(1), *rows;
	int64_t ids[N + 1];
	imgsearch *s = open_mixed(*state, own);
	for (int64_t i = 0; i <= N; i++)
		ids[i] = i + 1;
	rows = stored_rows(s, ids, N + 1);
	assert_memory_equal(rows + DIM, own, N * DIM * sizeof *own);
	for (size_t i = 0; i < 5; i++) {
		build(s, searchers[i]);
		if (!i)
			subtract_mean(rows, N + 1);
		for (int64_t id = 1; id < 5; id++) {
			imgsearch_hits *hits;
			imgsearch_input in = imgsearch_input_item(id);
			assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, NULL), 0);
			assert_int_equal(hits->items[0]->id, id);
			for (size_t h = 0; h < hits->count; h++) {
				const float *row = rows + (hits->items[h]->id - 1) * DIM;
				double c = cosine(rows + (id - 1) * DIM, row, DIM);
				assert_true(fabs(c - hits->items[h]->score) < 1e-4);
			}
			imgsearch_hits_free(hits);
		}
	}
	imgsearch_close(s);
	ims_free(own);
	ims_free(rows);
}

/* The tree over few values keeps the rows themselves, as those of 0.1 kept rows of zeros. */
static void zeros_in_older_trees_of_pictures_are_in_no_answer(void **state)
{
	scene *sc = *state;
	float *rows = make_rows(1);
	imgsearch_hits *hits;
	imgsearch *s = open_mixed(sc, rows);
	build(s, "kdtree");
	assert_false(is_stale(s));
	imgsearch_close(s);
	sql(sc, "UPDATE vector SET data = zeroblob(length(data)) WHERE id IN (5, 9)");
	sql(sc, "UPDATE searcher SET params = substr(params, 1, 23)"); /* the mean, and no more */
	for (int built = 0; built < 2; built++) {
		s = open_mixed(sc, rows);
		assert_int_equal(is_stale(s), !built);
		imgsearch_input in = imgsearch_input_item(4);
		imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
		o.k = N;
		assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, NULL), 0);
		assert_string_equal(hits->searcher, built ? "kdtree" : "scan");
		assert_int_equal(hits->count, N + 1 - 2);
		imgsearch_hits_free(hits);
		build(s, "kdtree");
		imgsearch_close(s);
	}
	ims_free(rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_score_is_the_cosine_after_a_build_too),
		TEST(plain_asks_the_searcher),
		TEST(a_stored_mean_of_own_vectors_is_left_out),
		TEST(a_row_of_zeros_is_refused_and_named),
		TEST(a_query_of_zeros_is_refused),
		TEST(one_input_scores_the_same_at_any_weight),
		TEST(rows_of_any_length_have_a_direction),
		TEST(also_where_denormals_are_zero),
		TEST(zeros_of_older_files_are_in_no_answer),
		TEST(the_mean_is_that_of_pictures_and_own_vectors),
		TEST(zeros_in_older_trees_of_pictures_are_in_no_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

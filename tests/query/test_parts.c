/* A scan on several threads answers as one on one thread, from one state of the file. */
#include "test.h"

#include "imgsearch.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { N = 12000, DIM = 8, K = 50 };

static char folder[100], file[140];
static imgsearch_error err;

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/imgsearch-parts-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/index.db", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char command[200];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

static imgsearch *open_new(const char *path, uint32_t metric, uint32_t threads)
{
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.dim = DIM;
	o.metric = metric;
	o.threads = threads;
	assert_int_equal(imgsearch_open(path, &o, NULL, &s, &err), 0);
	return s;
}

static void add(imgsearch *s, const float *rows, const int64_t *ids)
{
	imgsearch_vectors_add_options o = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	o.ids = ids;
	assert_int_equal(imgsearch_vectors_add(s, rows, N, DIM, &o, NULL, NULL, &err), 0);
}

/* n queries at once, by a scan on so many threads. */
static void scan(imgsearch *s, const float *rows, size_t n, uint32_t threads, int64_t *ids,
	float *scores)
{
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	o.searcher = "scan";
	o.k = K;
	o.threads = threads;
	assert_int_equal(imgsearch_vectors_query(s, rows, n, DIM, &o, NULL, ids, scores, n * K, &err),
		0);
}

static void same_answers(imgsearch *s, const float *rows)
{
	static int64_t one[9 * K], many[9 * K];
	static float one_score[9 * K], many_score[9 * K];
	const uint32_t threads[] = { 2, 3, 16, 17, 40 };
	for (size_t n = 1; n <= 9; n += 2) {
		scan(s, rows, n, 1, one, one_score);
		for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
			scan(s, rows, n, threads[i], many, many_score);
			assert_memory_equal(one, many, n * K * sizeof *one);
			assert_memory_equal(one_score, many_score, n * K * sizeof *one_score);
		}
	}
}

/* Ids side by side, far apart, and at both ends; half of the rows are equal to others. */
static void as_one_thread(void **state)
{
	(void)state;
	static float rows[N * DIM];
	static int64_t ids[N];
	uint64_t seed = 1;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		rows[i] = i / DIM % 2 ? rows[i - DIM] : (float)(seed >> 40) / (1 << 23) - 1;
	}
	for (uint32_t metric = IMGSEARCH_METRIC_COSINE; metric <= IMGSEARCH_METRIC_IP; metric++)
		for (int spread = 0; spread < 3; spread++) {
			for (int64_t i = 0; i < N; i++)
				ids[i] = spread == 0 ? i : spread == 1 ? i * i * i : INT64_MAX - i * 7;
			ids[0] = spread == 2 ? 0 : ids[0];
			imgsearch *s = open_new(file, metric, 4);
			add(s, rows, ids);
			same_answers(s, rows);
			imgsearch_close(s);
			assert_int_equal(unlink(file), 0);
		}
}

static atomic_bool stop;

/* Every commit changes the first row and the last one alike. */
static void *keep_writing(void *arg)
{
	float rows[2 * DIM] = { 0 };
	const int64_t ids[] = { 0, N - 1 };
	imgsearch_vectors_add_options o = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	o.ids = ids;
	for (int value = 0; !atomic_load(&stop); value = (value + 1) % 100) {
		rows[0] = rows[DIM] = (float)value;
		assert_int_equal(imgsearch_vectors_add(arg, rows, 2, DIM, &o, NULL, NULL, &err), 0);
	}
	return NULL;
}

static void one_state(void **state)
{
	(void)state;
	static int64_t ids[N];
	static float rows[N * DIM];
	const float query[DIM] = { 0 };
	pthread_t writer;
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch *s = open_new(file, IMGSEARCH_METRIC_L2, 4);
	o.searcher = "scan";
	o.k = 2;
	for (int64_t i = 0; i < N; i++) {
		ids[i] = i;
		rows[i * DIM] = i && i < N - 1 ? 1000 : 0;
	}
	add(s, rows, ids);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&writer, NULL, keep_writing, s), 0);
	for (int i = 0; i < 500; i++) {
		int64_t found[2];
		float scores[2];
		assert_int_equal(imgsearch_vectors_query(s, query, 1, DIM, &o, NULL, found, scores, 2,
							 NULL),
			0);
		assert_true(found[0] == 0 && found[1] == N - 1);
		assert_true(scores[0] == scores[1]);
	}
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
	imgsearch_close(s);
	assert_int_equal(unlink(file), 0);
}

/* A scan that is stopped says why. */
static void stopped(void **state)
{
	(void)state;
	static float rows[N * DIM];
	static int64_t ids[N];
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_vector(rows, DIM);
	imgsearch *s = open_new(file, IMGSEARCH_METRIC_L2, 4);
	for (int64_t i = 0; i < N; i++)
		ids[i] = i;
	add(s, rows, ids);
	o.searcher = "scan";
	assert_int_equal(imgsearch_cancel_token_new(&call.cancel, &err), 0);
	imgsearch_cancel_token_set(call.cancel);
	err = (imgsearch_error){ 0 };
	assert_int_equal(imgsearch_query(s, &in, 1, &o, &call, &hits, &err), IMGSEARCH_ECANCELED);
	assert_int_equal(err.code, IMGSEARCH_ECANCELED);
	assert_true(*err.message != 0);
	imgsearch_cancel_token_free(call.cancel);
	imgsearch_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_one_thread),
		cmocka_unit_test(one_state),
		cmocka_unit_test(stopped),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

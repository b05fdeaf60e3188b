/* A scan on several threads answers as one on one thread, from one state of the file. */
#include "test.h"

#include "imgsearch.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* ------------------------------------------------------------------------------- one state ---- */

enum { EVERY = 100, SPREAD = N / EVERY /* rows that every commit changes alike */ };

static imgsearch *writer; /* another handle of the file */
static _Thread_local bool writing;
static int begun; /* connections of a scan in parts that have begun to read */

static void commit_change(void)
{
	static float rows[SPREAD * DIM];
	static int64_t ids[SPREAD];
	imgsearch_vectors_add_options o = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	for (int64_t i = 0; i < SPREAD; i++) {
		ids[i] = i * EVERY;
		rows[i * DIM] = (float)(begun % 100);
	}
	o.ids = ids;
	writing = true;
	assert_int_equal(imgsearch_vectors_add(writer, rows, SPREAD, DIM, &o, NULL, NULL, &err), 0);
	writing = false;
}

/* A statement has ended. What follows the first read of a part is a commit. */
static int after_statement(unsigned event, void *user, void *statement, void *nanoseconds)
{
	static const char *const first = "SELECT seq FROM sqlite_sequence WHERE name = 'change'";
	(void)event, (void)user, (void)nanoseconds;
	if (writing || !writer || strcmp(sqlite3_sql(statement), first) != 0)
		return 0;
	begun++;
	commit_change();
	return 0;
}

static int watch(sqlite3 *db, char **message, const void *api)
{
	(void)message, (void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, after_statement, NULL);
}

/* Commits come between the first reads of the parts: the rows must still be those of one commit. */
static void one_state(void **state)
{
	(void)state;
	static int64_t ids[N], found[SPREAD];
	static float rows[N * DIM], scores[SPREAD];
	const float query[DIM] = { 0 };
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	sqlite3_auto_extension((void (*)(void))(uintptr_t)watch);
	imgsearch *s = open_new(file, IMGSEARCH_METRIC_L2, 4);
	o.searcher = "scan";
	o.k = SPREAD;
	for (int64_t i = 0; i < N; i++) {
		ids[i] = i;
		rows[i * DIM] = i % EVERY ? 1000 : 0;
	}
	add(s, rows, ids);
	writer = open_new(file, IMGSEARCH_METRIC_L2, 1);
	for (int i = 0; i < 20; i++) {
		begun = 0;
		assert_int_equal(imgsearch_vectors_query(s, query, 1, DIM, &o, NULL, found, scores, SPREAD,
							 &err),
			0);
		assert_true(begun >= 2); /* it was tried in parts */
		for (size_t j = 0; j < SPREAD; j++) {
			assert_int_equal(found[j], j * EVERY);
			assert_true(scores[j] == scores[0]);
		}
	}
	imgsearch_close(writer);
	writer = NULL;
	imgsearch_close(s);
	sqlite3_cancel_auto_extension((void (*)(void))(uintptr_t)watch);
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

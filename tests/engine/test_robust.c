/*
 * The whole library under stress: every allocation failing once, and queries on many threads beside
 * a writer.
 */
#include "handle/handle.h"
#include "scene.h"

#include <math.h>
#include <pthread.h>
#include <time.h>

enum { N = 600, DIM = 24 };

static float *rows_of(size_t n, uint64_t seed)
{
	float *rows = malloc(n * DIM * sizeof *rows);
	for (size_t i = 0; i < n * DIM; i++)
		rows[i] = (float)(ims_random_unit(&seed) - 0.5);
	return rows;
}

/* Everything a program does with vectors; the first failure ends it. */
static int vector_life(const float *rows)
{
	imgsearch_error err;
	imgsearch *s;
	imgsearch_hits *hits = NULL;
	imgsearch_info *info = NULL;
	int64_t id = 5;
	imgsearch_input in = imgsearch_input_vector(rows, DIM);
	int rc = imgsearch_open(":memory:", NULL, NULL, &s, &err);
	if (!rc)
		rc = imgsearch_vectors_add(s, rows, N, DIM, NULL, NULL, NULL, &err);
	if (!rc)
		rc = imgsearch_build(s, NULL, NULL, NULL, &err);
	if (!rc)
		rc = imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err);
	imgsearch_hits_free(hits);
	if (!rc)
		rc = imgsearch_index_remove(s, &id, 1, NULL, NULL, &err);
	if (!rc)
		rc = imgsearch_index_add(s, &in, NAMED("x"), NULL, NULL, &err);
	if (!rc)
		rc = imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err);
	if (!rc) {
		assert_true(hits->items[0]->distance == 0);
		imgsearch_hits_free(hits);
		rc = imgsearch_info_get(s, NULL, &info, &err);
		imgsearch_info_free(info);
	}
	imgsearch_close(s);
	return rc;
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	float *rows = rows_of(N, 1);
	ims_alloc_fail_after(0);
	assert_int_equal(vector_life(rows), 0);
	uint64_t made = ims_alloc_fail_after(0);
	assert_true(made > 50);
	unsigned tried = 0, failed = 0;
	for (uint64_t n = 1; n <= made; n += 1 + n / 200) {
		ims_alloc_fail_after(n);
		int rc = vector_life(rows);
		tried++;
		failed += rc != 0;
		if (rc && rc != IMGSEARCH_ENOMEM)
			fail_msg("allocation %llu of %llu: %s", (unsigned long long)n, (unsigned long long)made,
				imgsearch_status_text(rc));
	}
	ims_alloc_fail_after(0);
	print_message("# %u of %u failed allocations were told\n", failed, tried);
	assert_true(failed > tried / 2); /* the others can be done without */
	free(rows);
}

static int index_life(const scene *sc)
{
	imgsearch_error err;
	imgsearch *s;
	imgsearch_hits *hits;
	char path[200];
	const char *paths[] = { sc->photos };
	int rc = imgsearch_open(sc->db, NULL, NULL, &s, &err);
	if (!rc)
		rc = imgsearch_index_update(s, paths, 1, NULL, NULL, NULL, &err);
	if (!rc)
		rc = imgsearch_build(s, NULL, NULL, NULL, &err);
	snprintf(path, sizeof path, "%s/0.png", sc->photos);
	imgsearch_input in = imgsearch_input_file(path);
	in.crop[2] = in.crop[3] = 40; /* a part: by the network, not by its bytes */
	if (!rc)
		rc = imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err);
	if (!rc)
		imgsearch_hits_free(hits);
	imgsearch_close(s);
	return rc;
}

/*
 * A file that could not be read for want of memory is tried again: after the trouble the index is
 * whole.
 */
static void an_index_run_survives_any_failed_allocation(void **state)
{
	scene *sc = *state;
	for (unsigned i = 0; i < 3; i++) {
		char name[20];
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
	ims_alloc_fail_after(0);
	assert_int_equal(index_life(sc), 0);
	uint64_t made = ims_alloc_fail_after(0);
	unsigned tried = 0, failed = 0;
	for (uint64_t n = 1; n <= made; n += 1 + n / 50) {
		shell("rm -f '%s'*", sc->db);
		ims_alloc_fail_after(n);
		int rc = index_life(sc);
		ims_alloc_fail_after(0);
		tried++;
		failed += rc != 0;
		/* EMODEL: a file's name could not be made */
		if (rc && rc != IMGSEARCH_ENOMEM && rc != IMGSEARCH_EMODEL)
			fail_msg("allocation %llu: %s", (unsigned long long)n, imgsearch_status_text(rc));
		imgsearch *s = scene_open(sc);
		assert_int_equal(scene_index(s, sc->photos).indexed, 3);
		imgsearch_close(s);
	}
	assert_true(failed > tried / 2);
}

typedef struct shared {
	imgsearch *s;
	const float *rows;
	atomic_int stop, failures;
	atomic_long answers;
} shared;

static void *ask(void *arg)
{
	shared *sh = arg;
	for (size_t i = 0; !atomic_load(&sh->stop); i++) {
		imgsearch_error err;
		imgsearch_hits *hits;
		imgsearch_input in = imgsearch_input_vector(sh->rows + i % N * DIM, DIM);
		if (imgsearch_query(sh->s, &in, 1, NULL, NULL, &hits, &err)) {
			fprintf(stderr, "# query: %s\n", err.message);
			atomic_fetch_add(&sh->failures, 1);
			break;
		}
		atomic_fetch_add(&sh->failures, hits->count != 10 || hits->items[0]->distance > 1e-3f);
		imgsearch_hits_free(hits);
		atomic_fetch_add(&sh->answers, 1);
	}
	return NULL;
}

/* Waits until the threads have given n answers more; at most a minute. */
static void wait_for_answers(shared *sh, long n)
{
	double end = ims_now() + 60;
	long wanted = atomic_load(&sh->answers) + n;
	while (atomic_load(&sh->answers) < wanted && !atomic_load(&sh->failures)) {
		if (ims_now() > end)
			fail_msg("no answers while there is a writer");
		usleep(1000);
	}
}

/* The first N rows stay; the writer adds and removes others, and builds, meanwhile. */
static void queries_run_beside_a_writer(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	pthread_t thread[3];
	float *rows = rows_of(N, 1), *more = rows_of(N, 2);
	shared sh = { .s = scene_open(sc), .rows = rows };
	assert_int_equal(imgsearch_vectors_add(sh.s, rows, N, DIM, NULL, NULL, NULL, &err), 0);
	assert_int_equal(imgsearch_build(sh.s, NULL, NULL, NULL, &err), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, ask, &sh), 0);
	for (int64_t round = 0; round < 20; round++) {
		int64_t id = N + round;
		assert_int_equal(imgsearch_vectors_add(sh.s, more + round * DIM, 1, DIM, WITH_IDS(&id),
							 NULL, NULL, &err),
			0);
		if (round % 3 == 2)
			assert_int_equal(imgsearch_index_remove(sh.s, &id, 1, NULL, NULL, &err), 0);
		if (round % 7 == 6 && imgsearch_build(sh.s, NULL, NULL, NULL, &err))
			fail_msg("build: %s", err.message);
		wait_for_answers(&sh, 3);
	}
	atomic_store(&sh.stop, 1);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&sh.failures), 0);
	imgsearch_close(sh.s);
	free(rows);
	free(more);
}

typedef struct busy {
	sem_t started, ended;
	atomic_int gave_up;
} busy;

/* A thread of the pool that always has work, while there is an index run. */
static void keep_busy(void *arg)
{
	busy *b = arg;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	sem_post(&b->started);
	atomic_store(&b->gave_up, sem_timedwait(&b->ended, &until) != 0);
}

/*
 * The handle's threads serve queries as well: an index run ends when its own work is done, or
 * dropped.
 */
static void an_index_run_waits_for_its_own_work_alone(void **state)
{
	scene *sc = *state;
	busy b = { .gave_up = 0 };
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.threads = 2;
	for (unsigned i = 0; i < 20; i++) {
		char name[20];
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
	sem_init(&b.started, 0, 0);
	sem_init(&b.ended, 0, 0);
	assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, NULL), 0);
	ims_pool_run(s->pool, keep_busy, &b);
	sem_wait(&b.started);
	assert_int_equal(scene_index(s, sc->photos).indexed, 20);
	sem_post(&b.ended);
	imgsearch_close(s);
	assert_false(atomic_load(&b.gave_up));
	sem_destroy(&b.started);
	sem_destroy(&b.ended);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_allocation_may_fail),
		TEST(an_index_run_survives_any_failed_allocation),
		TEST(queries_run_beside_a_writer),
		TEST(an_index_run_waits_for_its_own_work_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ":memory:" between threads: reads see what is committed, and nobody waits for ever. */
#include "common.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>

enum { DIM = 4, BATCH = 10 };

typedef struct scene {
	store *st;
	atomic_bool stop;
	atomic_int commits, reads;
	int rc;
} scene;

static void put_batch(store *st, int64_t first)
{
	int64_t ids[BATCH];
	float rows[BATCH * DIM];
	for (int i = 0; i < BATCH; i++) {
		ids[i] = first + i;
		for (int k = 0; k < DIM; k++)
			rows[i * DIM + k] = (float)first;
	}
	for (int i = 0; i < BATCH; i++) /* one by one, so that a reader has time to look */
		ok(ims_store_vectors_put(st, ids + i, rows + i * DIM, 1, DIM, &err));
}

static int count_rows(void *user, const int64_t *ids, const float *rows, size_t n)
{
	(void)ids, (void)rows;
	*(size_t *)user += n;
	return 0;
}

/* -------------------------------------------------------------------------------- batches ---- */

static void *commit_batches(void *arg)
{
	scene *sc = arg;
	ok(ims_store_write_begin(sc->st, &err));
	for (int64_t i = 0; i < 300; i++) {
		ok(ims_store_tx_begin(sc->st, &err));
		put_batch(sc->st, i * BATCH);
		if (i % 5 == 4) {
			ims_store_tx_rollback(sc->st);
		} else {
			ok(ims_store_tx_commit(sc->st, &err));
			atomic_fetch_add(&sc->commits, 1);
		}
	}
	ims_store_write_end(sc->st);
	atomic_store(&sc->stop, true);
	return NULL;
}

static void *count_batches(void *arg)
{
	scene *sc = arg;
	while (!atomic_load(&sc->stop)) {
		size_t rows = 0;
		store_counts counts;
		int64_t last;
		int least = atomic_load(&sc->commits);
		ok(ims_store_vectors_scan(sc->st, false, DIM, count_rows, &rows, &err));
		ok(ims_store_counts(sc->st, &counts, &err));
		ok(ims_store_max_id(sc->st, &last, &err));
		assert_int_equal(rows % BATCH, 0);
		assert_int_equal(counts.vectors % BATCH, 0);
		assert_int_equal((last + 1) % BATCH, 0);
		assert_true(rows >= (size_t)least * BATCH && counts.vectors >= rows);
		atomic_fetch_add(&sc->reads, 1);
	}
	return NULL;
}

static void whole_batches(void **state)
{
	(void)state;
	enum { READERS = 3 };
	pthread_t writer, reader[READERS];
	scene sc = { .st = open_store(":memory:", DIM) };
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&reader[i], NULL, count_batches, &sc), 0);
	assert_int_equal(pthread_create(&writer, NULL, commit_batches, &sc), 0);
	pthread_join(writer, NULL);
	for (int i = 0; i < READERS; i++)
		pthread_join(reader[i], NULL);
	assert_int_equal(sc.commits, 240);
	assert_int_equal(problems(sc.st), 0);
	assert_true(sc.reads > 50); /* they have their turn */
	print_message("# %d reads beside %d commits\n", sc.reads, sc.commits);
	ims_store_close(sc.st);
}

/* -------------------------------------------------------------------------------- waiting ---- */

static void *read_once(void *arg)
{
	scene *sc = arg;
	size_t rows = 0;
	sc->rc = ims_store_vectors_scan(sc->st, false, DIM, count_rows, &rows, NULL);
	atomic_store(&sc->reads, (int)rows);
	return NULL;
}

static void a_reader_waits(void **state)
{
	(void)state;
	pthread_t reader;
	scene sc = { .st = open_store(":memory:", DIM), .reads = -1 };
	begin(sc.st);
	put_batch(sc.st, 0);
	assert_int_equal(pthread_create(&reader, NULL, read_once, &sc), 0);
	usleep(50000);
	assert_int_equal(sc.reads, -1);
	size_t mine = 0; /* the thread of the transaction sees its own work */
	ok(ims_store_vectors_scan(sc.st, false, DIM, count_rows, &mine, &err));
	assert_int_equal(mine, BATCH);
	commit(sc.st);
	pthread_join(reader, NULL);
	assert_int_equal(sc.rc, 0);
	assert_int_equal(sc.reads, BATCH);
	ims_store_close(sc.st);
}

static void *begin_once(void *arg)
{
	scene *sc = arg;
	imgsearch_error err = { 0 };
	ok(ims_store_write_begin(sc->st, &err));
	sc->rc = ims_store_tx_begin(sc->st, &err);
	atomic_fetch_add(&sc->commits, 1);
	ims_store_write_end(sc->st);
	return NULL;
}

static pthread_t writer;

/* A read within a read, while a writer waits for the outer one. */
static int read_again(void *user, const int64_t *ids, const float *rows, size_t n)
{
	scene *sc = user;
	size_t seen = 0;
	(void)ids, (void)rows, (void)n;
	if (sc->reads++)
		return 0;
	assert_int_equal(pthread_create(&writer, NULL, begin_once, sc), 0);
	usleep(50000);
	assert_int_equal(sc->commits, 0);
	double start = ims_now();
	ok(ims_store_vectors_scan(sc->st, false, DIM, count_rows, &seen, &err));
	assert_true(ims_now() - start < 0.5);
	assert_int_equal(seen, BATCH);
	return 0;
}

static void reads_within_reads(void **state)
{
	(void)state;
	scene sc = { .st = open_store(":memory:", DIM) };
	begin(sc.st);
	put_batch(sc.st, 0);
	commit(sc.st);
	ok(ims_store_vectors_scan(sc.st, false, DIM, read_again, &sc, &err));
	pthread_join(writer, NULL);
	assert_int_equal(sc.rc, 0);
	ims_store_close(sc.st);
}

/* The reader waits for a thread that writes: the writer gives up. */
static int wait_for_writer(void *user, const int64_t *ids, const float *rows, size_t n)
{
	pthread_t other;
	scene *sc = user;
	(void)ids, (void)rows, (void)n;
	assert_int_equal(pthread_create(&other, NULL, begin_once, sc), 0);
	pthread_join(other, NULL);
	return 0;
}

static void a_writer_gives_up(void **state)
{
	(void)state;
	scene sc = { .st = open_store(":memory:", DIM) };
	begin(sc.st);
	put_batch(sc.st, 0);
	commit(sc.st);
	double start = ims_now();
	ok(ims_store_vectors_scan(sc.st, false, DIM, wait_for_writer, &sc, &err));
	assert_int_equal(sc.rc, IMGSEARCH_EBUSY);
	assert_true(ims_now() - start < 10);
	begin(sc.st);
	put_batch(sc.st, BATCH);
	commit(sc.st);
	ims_store_close(sc.st);
}

/* What a thread needs under a lock that a transaction takes, too. */
static void *read_under_lock(void *arg)
{
	scene *sc = arg;
	store_hold hold;
	ims_store_hold_acquire(sc->st, &hold);
	sc->rc = ims_store_vectors_scan(sc->st, false, DIM, count_rows, &(size_t){ 0 }, NULL);
	atomic_fetch_add(&sc->reads, 1);
	while (!atomic_load(&sc->stop))
		usleep(1000);
	ims_store_hold_release(sc->st, &hold);
	return NULL;
}

static void a_hold(void **state)
{
	(void)state;
	pthread_t reader, other;
	scene sc = { .st = open_store(":memory:", DIM) };
	assert_int_equal(pthread_create(&reader, NULL, read_under_lock, &sc), 0);
	while (!atomic_load(&sc.reads))
		usleep(1000);
	assert_int_equal(pthread_create(&other, NULL, begin_once, &sc), 0);
	usleep(50000);
	assert_int_equal(sc.commits, 0);
	atomic_store(&sc.stop, true);
	pthread_join(reader, NULL);
	pthread_join(other, NULL);
	assert_int_equal(sc.commits, 1);
	assert_int_equal(sc.rc, 0);
	ims_store_close(sc.st);
}

/* ------------------------------------------------------------------------- without threads ---- */

/* SQLite is set up before its first use: so in a child, before the other tests. */
static void sqlite_for_one_thread(void **state)
{
	(void)state;
	int status;
	pid_t child = fork();
	if (!child) {
		store *st;
		store_options o = { .dim = DIM };
		imgsearch_error err = { 0 };
		if (sqlite3_config(SQLITE_CONFIG_SINGLETHREAD))
			_exit(1);
		if (ims_store_open(&st, ":memory:", &o, &err) != IMGSEARCH_EUNSUPPORTED || st)
			_exit(2);
		_exit(strstr(err.message, "one thread") ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* What a writer of a new file keeps of it in memory has a limit, whatever the size of its pages. */
static void a_writer_of_a_new_file(void **state)
{
	enum { WIDE = 256, ROWS = 10000, TIMES = 10, LIMIT = 80 << 20 };
	(void)state;
	store_options o = { .dim = WIDE };
	store *st;
	int64_t *ids = malloc(ROWS * sizeof *ids);
	float *rows = calloc(ROWS * WIDE, sizeof *rows);
	assert_true(ids && rows);
	ok(ims_store_open(&st, file, &o, &err));
	ok(ims_store_write_begin(st, &err));
	for (int i = 0; i < TIMES; i++) {
		for (int k = 0; k < ROWS; k++)
			ids[k] = i * ROWS + k;
		ok(ims_store_tx_begin(st, &err));
		ok(ims_store_vectors_put(st, ids, rows, ROWS, WIDE, &err));
		ok(ims_store_tx_commit(st, &err));
	}
	assert_true(sqlite3_memory_used() < LIMIT);
	ims_store_write_end(st);
	ims_store_close(st);
	free(ids);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sqlite_for_one_thread),
		cmocka_unit_test(whole_batches),
		cmocka_unit_test(a_reader_waits),
		cmocka_unit_test(reads_within_reads),
		cmocka_unit_test(a_writer_gives_up),
		cmocka_unit_test(a_hold),
		cmocka_unit_test_setup_teardown(a_writer_of_a_new_file, on_file, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

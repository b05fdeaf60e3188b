/*
 * A writer that is killed at a random moment: the file stays sound and nothing that was committed
 * is lost. The child tells through a pipe what it has committed. IMGSEARCH_KILLS sets how often
 * (default 25).
 */
#include "common.h"

#include <signal.h>
#include <sys/wait.h>

/*
 * Commits one picture after the other, now and then a searcher's state, and says the number of each
 * commit.
 */
static void write_for_ever(int pipe_end)
{
	store *st;
	store_options o = { .dim = 4 };
	imgsearch_error err;
	store_counts counts;
	char *big = ims_zalloc(1 << 18, 1);
	if (!big || ims_store_open(&st, file, &o, &err) || ims_store_write_begin(st, &err) ||
		ims_store_counts(st, &counts, &err))
		_exit(1);
	for (uint64_t n = counts.vectors;; n++) {
		char path[24];
		float v[4] = { 1, 1, 1, 1 };
		store_picture p = { .path = path, .size = n, .state = IMGSEARCH_STATE_INDEXED };
		int64_t state;
		snprintf(path, sizeof path, "%llu", (unsigned long long)n);
		if (ims_store_tx_begin(st, &err) || ims_store_picture_put(st, &p, &err) ||
			ims_store_vector_put(st, p.id, v, 4, false, &err))
			_exit(2);
		if (n % 16 == 0 &&
			(ims_store_searcher_begin(st, "s", &state, &err) ||
				ims_store_searcher_chunk(st, state, 0, big, 1 << 18, &err) ||
				ims_store_searcher_publish(st, state, "", 1, n, 0, &err)))
			_exit(3);
		uint64_t done = n + 1;
		if (ims_store_tx_commit(st, &err) || write(pipe_end, &done, sizeof done) != sizeof done)
			_exit(4);
	}
}

static void kill_and_look(uint64_t *committed, uint64_t *random)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (!child) {
		close(ends[0]);
		write_for_ever(ends[1]);
	}
	close(ends[1]);
	usleep((useconds_t)(ims_random(random) % 30000));
	kill(child, SIGKILL);
	int status;
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status));
	uint64_t done;
	while (read(ends[0], &done, sizeof done) == sizeof done)
		*committed = done;
	close(ends[0]);

	store *st = open_store(file, 4);
	store_counts counts;
	ok(ims_store_counts(st, &counts, &err));
	assert_true(counts.vectors >= *committed);
	assert_int_equal(counts.by_state[IMGSEARCH_STATE_INDEXED], counts.vectors);
	assert_int_equal(problems(st), 0);
	ok(ims_store_write_begin(st, &err)); /* the dead one's lock is gone */
	ims_store_write_end(st);
	ims_store_close(st);
}

static void killed(void **state)
{
	(void)state;
	const char *times = getenv("IMGSEARCH_KILLS");
	uint64_t committed = 0, random = 42;
	for (int i = times ? atoi(times) : 25; i > 0; i--)
		kill_and_look(&committed, &random);
	assert_true(committed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(killed, make_folder,
		remove_folder) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

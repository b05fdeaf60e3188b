/*
 * A writer that is killed in the middle of a write to its file: the file stays sound and nothing
 * that was committed is lost. The child tells through a pipe what it has committed, and kills
 * itself when it has written half of one block. IMGSEARCH_KILLS sets how often (default 25).
 */
#include "common.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

static uint64_t writes_left; /* of the child, until it is killed */

static ssize_t write_or_die(int fd, const void *data, size_t n, off_t at)
{
	if (writes_left-- == 0) {
		(void)!pwrite(fd, data, n / 2, at);
		raise(SIGKILL);
	}
	return pwrite(fd, data, n, at);
}

static void die_at_write(uint64_t n)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	const char *call = vfs->xGetSystemCall(vfs, "pwrite64") ? "pwrite64" : "pwrite";
	writes_left = n;
	if (vfs->xSetSystemCall(vfs, call, (sqlite3_syscall_ptr)write_or_die))
		_exit(5);
}

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
	if (!big || ims_store_open(&st, file, &o, &err) || ims_store_write_begin(st, &err)
		|| ims_store_counts(st, &counts, &err))
		_exit(1);
	for (uint64_t n = counts.vectors;; n++) {
		char path[24];
		float v[4] = { 1, 1, 1, 1 };
		store_picture p = { .path = path, .size = n, .state = IMGSEARCH_STATE_INDEXED };
		int64_t state;
		snprintf(path, sizeof path, "%llu", (unsigned long long)n);
		if (ims_store_tx_begin(st, &err) || put_row(st, &p, &err)
			|| put_vector(st, p.id, v, 4, false, &err))
			_exit(2);
		if (n % 16 == 0
			&& (ims_store_searcher_begin(st, "s", &state, &err)
				|| ims_store_searcher_chunk(st, state, 0, big, 1 << 18, &err)
				|| ims_store_searcher_publish(st, state, "", 1, n, 0, &err)))
			_exit(3);
		uint64_t done = n + 1;
		if (ims_store_tx_commit(st, &err) || write(pipe_end, &done, sizeof done) != sizeof done)
			_exit(4);
	}
}

static void kill_and_look(uint64_t *committed, uint64_t *random)
{
	int ends[2];
	uint64_t writes = ims_random(random) % 600; /* of one block in 16 commits or fewer */
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (!child) {
		close(ends[0]);
		die_at_write(writes);
		write_for_ever(ends[1]);
	}
	close(ends[1]);
	uint64_t done;
	while (read(ends[0], &done, sizeof done) == sizeof done)
		*committed = done;
	close(ends[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

	store *st = open_store(file, 4);
	store_counts counts;
	ok(ims_store_counts(st, &counts, &err));
	/* the one that it could not tell of */
	assert_in_range(counts.vectors, *committed, *committed + 1);
	assert_int_equal(counts.by_state[IMGSEARCH_STATE_INDEXED], counts.vectors);
	assert_int_equal(problems(st), 0);
	ok(ims_store_write_begin(st, &err)); /* the dead one's lock is gone */
	ims_store_write_end(st);
	ims_store_close(st);
	*committed = counts.vectors;
}

static void killed(void **state)
{
	(void)state;
	const char *times = getenv("IMGSEARCH_KILLS");
	uint64_t committed = 0, random = 42;
	for (int i = times ? atoi(times) : 25; i > 0; i--)
		kill_and_look(&committed, &random);
	print_message("# %d commits were made\n", (int)committed);
	assert_true(committed > 25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Signals stay the program's: no thread of the library, nor of libtorch, takes one, and the mask of
 * the caller is as before.
 */
#include "process.h"

#include <dirent.h>

/* Whether a mask of /proc blocks all that it should. */
static bool blocks_all(unsigned long long mask)
{
	static const int open[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGKILL,
		SIGSTOP, 32, 33 }; /* the last two are the C library's */
	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		mask |= 1ull << (open[i] - 1);
	return mask == ~0ull;
}

static unsigned long long mask_of(const char *task)
{
	char path[300], line[200];
	unsigned long long mask = ~0ull; /* a task that has just ended */
	snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, "SigBlk:", 7))
			mask = strtoull(line + 7, NULL, 16);
	if (f)
		fclose(f);
	return mask;
}

/* Threads but this one; *open: those that could take a signal. */
static int look_at_threads(int *open)
{
	int threads = 0;
	*open = 0;
	DIR *d = opendir("/proc/self/task");
	for (struct dirent *e; d && (e = readdir(d));) {
		if (*e->d_name == '.' || atoi(e->d_name) == getpid())
			continue;
		threads++;
		*open += !blocks_all(mask_of(e->d_name));
	}
	if (d)
		closedir(d);
	return threads;
}

static bool is_mine(const sigset_t *before)
{
	sigset_t now;
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (int i = 1; i < 32; i++)
		if (sigismember(&now, i) != sigismember(before, i))
			return false;
	return true;
}

#define LOOK() \
	do { \
		int taking, n = look_at_threads(&taking); \
		MUST(n >= 1 && taking == 0); \
		MUST(is_mine(&before)); \
	} while (0)

static int on_progress(void *user, const imgsearch_progress *p)
{
	(void)p;
	return !is_mine(user);
}

static void progress_sees_my_mask(imgsearch_call *call, const sigset_t *before)
{
	*call = (imgsearch_call){
		.struct_size = sizeof *call,
		.progress = on_progress,
		.user = (void *)(uintptr_t)before,
	};
}

static int work(const scene *sc, bool real)
{
	imgsearch_error err = { 0 };
	imgsearch *s;
	imgsearch_call call;
	sigset_t before;
	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	progress_sees_my_mask(&call, &before);
	MUST(!imgsearch_open(sc->db, NULL, NULL, &s, &err));
	LOOK();
	MUST(!extract_one(s, sc, &err));
	LOOK();
	MUST(!update(s, sc, &call, &err));
	LOOK();
	MUST(!build(s, &call, &err));
	LOOK();
	if (real) {
		MUST(!train(s, sc, 2, &call, &err));
		LOOK();
	}
	imgsearch_close(s);
	MUST(is_mine(&before));
	return 0;
}

static int fake(void *sc)
{
	return work(sc, false);
}

static int real(void *sc)
{
	return use_real_shim() ? work(sc, true) : 77;
}

static void threads_take_no_signal(void **state)
{
	draw_photos(*state);
	assert_int_equal(in_child(fake, *state, 60), 0);
}

static void threads_of_libtorch_take_no_signal(void **state)
{
	draw_photos(*state);
	int rc = in_child(real, *state, 300);
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(threads_take_no_signal, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(threads_of_libtorch_take_no_signal, scene_setup,
			scene_teardown),
	};
	return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}

/*
 * What a program has set is as it was after every call: OpenMP's number of threads, floating-point
 * mode, locale, signal mask, umask, environment, current folder. With the real network where it is
 * built, else the fake one, which cannot train.
 */
#include "german.h"
#include "imgsearch/train.h"
#include "scene.h"

#include <fenv.h>
#include <signal.h>

extern char **environ;

typedef struct host {
	int threads, round, traps;
	char locale[100], folder[400];
	sigset_t signals;
	mode_t mask;
	fenv_t mode;
	uint64_t environment;
} host;

/* OpenMP's, where libtorch has loaded it or the system has it. */
static int (*max_threads)(void);
static void (*set_threads)(int);

static host look(void)
{
	host h = { .round = fegetround(), .traps = fegetexcept() };
	h.threads = max_threads ? max_threads() : 0;
	snprintf(h.locale, sizeof h.locale, "%s", setlocale(LC_ALL, NULL));
	assert_non_null(getcwd(h.folder, sizeof h.folder));
	pthread_sigmask(SIG_SETMASK, NULL, &h.signals);
	h.mask = umask(0);
	umask(h.mask);
	fegetenv(&h.mode);
	for (char **e = environ; *e; e++)
		h.environment += ims_checksum(*e, strlen(*e), (uint64_t)(e - environ));
	return h;
}

static void same(const host *before, const char *call)
{
	host now = look();
	if (now.threads != before->threads)
		fail_msg("%s: OpenMP has %d threads, not %d", call, now.threads, before->threads);
	assert_int_equal(now.round, before->round);
	assert_int_equal(now.traps, before->traps);
	assert_string_equal(now.locale, before->locale);
	assert_string_equal(now.folder, before->folder);
	for (int i = 1; i < 65; i++)
		assert_int_equal(sigismember(&now.signals, i), sigismember(&before->signals, i));
	assert_int_equal(now.mask, before->mask);
#if defined(__x86_64__)
	assert_int_equal(now.mode.__mxcsr & ~63u, before->mode.__mxcsr & ~63u); /* but for the flags */
	assert_int_equal(now.mode.__control_word, before->mode.__control_word);
#endif
	assert_true(now.environment == before->environment);
}

#define keeps(call) \
	do { \
		host before_ = look(); \
		works(call); \
		same(&before_, #call); \
	} while (0)

static bool real_shim(void)
{
	char lib[500], shim[600];
	snprintf(lib, sizeof lib, "%s/../..", getenv("IMGSEARCH_LIBDIR"));
	snprintf(shim, sizeof shim, "%s/imgsearch-shim.so", lib);
	return !access(shim, R_OK) && !setenv("IMGSEARCH_LIBDIR", lib, 1);
}

static void find_openmp(void)
{
	void *omp = dlopen("libgomp.so.1", RTLD_NOW | RTLD_GLOBAL);
	if (omp) {
		*(void **)&max_threads = dlsym(omp, "omp_get_max_threads");
		*(void **)&set_threads = dlsym(omp, "omp_set_num_threads");
	}
	if (set_threads)
		set_threads(7);
}

static int nothing(void *user, const imgsearch_progress *p)
{
	(void)p;
	++*(unsigned *)user;
	return 0;
}

static void the_program_keeps_its_state(void **state)
{
	scene *sc = *state;
	sigset_t some;
	char name[40], path[200], out[200];
	unsigned calls = 0;
	bool real = real_shim();
	find_openmp();
	speak_german(sc->dir);
	umask(027);
	sigemptyset(&some);
	sigaddset(&some, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &some, NULL);
	for (unsigned i = 0; i < 16; i++) {
		snprintf(path, sizeof path, "%s/%u", sc->photos, i % 2);
		mkdir(path, 0777);
		snprintf(name, sizeof name, "%u/%u.png", i % 2, i);
		photo(sc, name, i);
	}
	imgsearch *s;
	imgsearch_hits *hits;
	const char *paths[] = { sc->photos };
	imgsearch_options o = { .struct_size = sizeof o, .threads = 2 };
	imgsearch_call call = { .struct_size = sizeof call, .user = &calls, .progress = nothing };
	keeps(imgsearch_open(sc->db, &o, NULL, &s, &err));
	keeps(imgsearch_index_update(s, paths, 1, NULL, &call, NULL, &err));
	snprintf(path, sizeof path, "%s/new.png", sc->dir);
	draw(path, 99);
	imgsearch_input in = imgsearch_input_file(path);
	keeps(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err));
	imgsearch_hits_free(hits);
	imgsearch_info *info;
	works(imgsearch_info_get(s, NULL, &info, &err));
	float *row = calloc(info->dim, sizeof *row);
	keeps(imgsearch_extract(s, &in, 1, NULL, NULL, row, info->dim, NULL, &err));
	imgsearch_info_free(info);
	free(row);
	keeps(imgsearch_index_add(s, &in, NULL, NULL, NULL, &err));
	keeps(imgsearch_build(s, NULL, &call, NULL, &err));
	imgsearch_train_options t = { .struct_size = sizeof t, .out = out };
	snprintf(out, sizeof out, "%s/out.safetensors", sc->dir);
	t.batch = 2;
	t.steps = 2;
	t.layers = 1;
	calls = 0;
	if (real) {
		keeps(imgsearch_train(s, sc->photos, &t, &call, NULL, &err));
		assert_true(calls > 0);
	} else {
		print_message("# the shim is not built (libtorch is missing): no training\n");
	}
	host before = look();
	imgsearch_close(s);
	same(&before, "imgsearch_close");
	umask(022);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_program_keeps_its_state, scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The end of the program while threads are at work: main returns, or exit is called by main, by
 * another thread or by a callback. The process ends, with its status and without a crash. How long
 * that takes is told, and not judged: it depends on what else the machine does.
 */
#include "process.h"

#include <pthread.h>
#include <signal.h>

/* SECONDS: a process that takes so long has hung. STEPS take far longer. */
enum { STATUS = 7, STEPS = 10000000, SECONDS = 60 };
static double slowest;

typedef enum work { EXTRACT, UPDATE, BUILD, QUERY, TRAIN, WORKS } work;
typedef enum way { BY_MAIN, BY_THREAD, BY_CALLBACK, WAYS } way;

typedef struct plan {
	const scene *sc;
	work work;
	way way;
	bool real;
	int busy; /* written to when the work has begun */
	useconds_t after;
	imgsearch *s;
} plan;

static void tell(int fd)
{
	static atomic_bool told;
	if (!atomic_exchange(&told, true) && write(fd, "x", 1) != 1)
		abort();
}

static int on_progress(void *user, const imgsearch_progress *p)
{
	(void)p;
	plan *x = user;
	tell(x->busy);
	if (x->way == BY_CALLBACK)
		exit(STATUS);
	return 0;
}

static int query_file(plan *x, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_item(1);
	int rc = imgsearch_query(x->s, &in, 1, NULL, call, &hits, err);
	imgsearch_hits_free(hits);
	return rc;
}

static int build_graph(imgsearch *s, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_build_options o = { .struct_size = sizeof o, .searcher = "graph" };
	return imgsearch_build(s, &o, call, NULL, err);
}

static int once(plan *x, imgsearch_error *err)
{
	imgsearch_call call = { .struct_size = sizeof call, .progress = on_progress, .user = x };
	switch (x->work) {
	case EXTRACT:
		return extract_one(x->s, x->sc, err);
	case UPDATE:
		shell("touch '%s'/*/*.png", x->sc->photos); /* to be read again */
		return update(x->s, x->sc, &call, err);
	case BUILD:
		return build_graph(x->s, &call, err);
	case QUERY:
		return query_file(x, &call, err);
	default:
		return train(x->s, x->sc, STEPS, &call, err);
	}
}

static void *keep_working(void *arg)
{
	plan *x = arg;
	imgsearch_error err = { 0 };
	int rc = 0;
	while (!rc) {
		rc = once(x, &err);
		if (x->way != BY_CALLBACK)
			tell(x->busy);
	}
	if (rc != IMGSEARCH_ECANCELED && rc != IMGSEARCH_EBUSY)
		fprintf(stderr, "# %s\n", err.message);
	for (;;)
		pause();
	return NULL;
}

static void *end_program(void *arg)
{
	(void)arg;
	exit(STATUS);
}

static int busy_fd;

/* As main of a program that ends in the midst of its work. */
static void begin_and_end(plan *x)
{
	imgsearch_error err = { 0 };
	pthread_t thread;
	char c;
	int begun[2];
	if (x->real && !use_real_shim())
		_exit(77);
	MUST(pipe(begun) == 0);
	x->busy = begun[1];
	MUST(!imgsearch_open(x->sc->db, NULL, NULL, &x->s, &err));
	MUST(!update(x->s, x->sc, NULL, &err));
	MUST(!build(x->s, NULL, &err));
	MUST(!extract_one(x->s, x->sc, &err));
	MUST(!pthread_create(&thread, NULL, keep_working, x));
	MUST(read(begun[0], &c, 1) == 1);
	MUST(write(busy_fd, "x", 1) == 1);
	usleep(20000);
	if (x->way == BY_MAIN)
		exit(STATUS);
	if (x->way == BY_THREAD)
		MUST(!pthread_create(&thread, NULL, end_program, NULL));
	for (;;)
		pause();
}

/* The status of a child that writes to busy_fd before it ends. 77: there is no such network. */
static int end_of(void (*body)(plan *x), plan *x)
{
	int ready[2];
	char c;
	assert_int_equal(pipe(ready), 0);
	fflush(NULL);
	pid_t child = fork();
	if (!child) {
		close(ready[0]);
		busy_fd = ready[1];
		body(x);
	}
	close(ready[1]);
	bool began = read(ready[0], &c, 1) == 1;
	double start = ims_now();
	close(ready[0]);
	int rc = wait_for(child, SECONDS);
	if (began && ims_now() - start > slowest)
		slowest = ims_now() - start;
	return rc;
}

static bool has_callback(work w)
{
	return w == UPDATE || w == BUILD || w == TRAIN;
}

static void end_all(const scene *sc, bool real)
{
	draw_photos(sc);
	for (int w = 0; w < WORKS; w++)
		for (int y = 0; y < WAYS; y++) {
			plan x = { .sc = sc, .work = (work)w, .way = (way)y, .real = real };
			if ((w == TRAIN && !real) || (y == BY_CALLBACK && !has_callback(x.work)))
				continue;
			int rc = end_of(begin_and_end, &x);
			if (rc == 77)
				skip();
			if (rc != STATUS)
				fail_msg("work %d, way %d: ended with %d", w, y, rc);
		}
}

static void ends_in_the_midst(void **state)
{
	end_all(*state, false);
}

static void ends_in_the_midst_of_libtorch(void **state)
{
	end_all(*state, true);
}

/* -------------------------------------------------------------------- a network that hangs ---- */

static void *extract_first(void *arg)
{
	plan *x = arg;
	imgsearch_error err = { 0 };
	extract_one(x->s, x->sc, &err);
	return NULL;
}

static void hang(size_t n)
{
	(void)n;
	if (write(busy_fd, "x", 1) != 1)
		abort();
	for (;;)
		pause();
}

static void hang_and_end(plan *x)
{
	imgsearch_error err = { 0 };
	pthread_t thread;
	int begun[2];
	char c;
	MUST(pipe(begun) == 0);
	MUST(!imgsearch_open(":memory:", NULL, NULL, &x->s, &err));
	MUST(!extract_one(x->s, x->sc, &err));
	int parent = busy_fd;
	busy_fd = begun[1];
	scene_on_run(hang);
	MUST(!pthread_create(&thread, NULL, extract_first, x));
	MUST(read(begun[0], &c, 1) == 1);
	MUST(write(parent, "x", 1) == 1);
	if (x->way == BY_MAIN)
		exit(STATUS);
	MUST(!pthread_create(&thread, NULL, end_program, NULL));
	for (;;)
		pause();
}

/* The end waits for a call in the network, but not for ever. */
static void ends_though_the_network_hangs(void **state)
{
	plan x = { .sc = *state };
	draw_photos(*state);
	for (x.way = BY_MAIN; x.way <= BY_THREAD; x.way++)
		assert_int_equal(end_of(hang_and_end, &x), STATUS);
}

/* ------------------------------------------------------------------ a network that crashes ---- */

static int crashed[2]; /* the network writes to it before it crashes */

/* Crashes once the end of the program waits for the network and holds threads that crash. */
static void crash(size_t n)
{
	struct sigaction action = { 0 };
	(void)n;
	if (write(busy_fd, "x", 1) != 1)
		_exit(95);
	while (action.sa_handler == SIG_DFL) {
		usleep(1000);
		sigaction(SIGABRT, NULL, &action);
	}
	if (write(crashed[1], "x", 1) != 1)
		_exit(94);
	abort();
}

static void crash_and_end(plan *x)
{
	imgsearch_error err = { 0 };
	pthread_t thread;
	int begun[2], parent = busy_fd;
	char c;
	MUST(pipe(begun) == 0);
	busy_fd = begun[1];
	MUST(!imgsearch_open(":memory:", NULL, NULL, &x->s, &err));
	MUST(!extract_one(x->s, x->sc, &err)); /* loads the shim */
	scene_on_run(crash);
	MUST(!pthread_create(&thread, NULL, extract_first, x));
	MUST(read(begun[0], &c, 1) == 1);
	MUST(write(parent, "x", 1) == 1);
	MUST(!pthread_create(&thread, NULL, end_program, NULL));
	for (;;)
		pause();
}

/* Destructors of libtorch may run before the end waits for a first call, which then fails. */
static void ends_though_the_network_crashes(void **state)
{
	plan x = { .sc = *state };
	char c;
	draw_photos(*state);
	assert_int_equal(pipe(crashed), 0);
	assert_int_equal(end_of(crash_and_end, &x), STATUS);
	close(crashed[1]);
	assert_int_equal(read(crashed[0], &c, 1), 1);
	close(crashed[0]);
}

/* ---------------------------------------------------------------------------- two threads ---- */

static pthread_t ender;
static int refused[2]; /* main writes to it before it ends */

/* Of a child of this process. */
static bool main_sleeps(void)
{
	char path[64], state = 0;
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)getpid());
	FILE *f = fopen(path, "r");
	if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		_exit(97);
	fclose(f);
	return state == 'S';
}

/* The last handler: the thread that ends the program gives the other one time to do so as well. */
static void end_slowly(void)
{
	char c;
	if (!pthread_equal(pthread_self(), ender))
		return;
	if (read(refused[0], &c, 1) != 1)
		_exit(96);
	for (double most = ims_now() + SECONDS; !main_sleeps() && ims_now() < most;)
		usleep(1000);
}

static void *end_first(void *arg)
{
	(void)arg;
	ender = pthread_self();
	exit(STATUS);
}

/* Main ends the program, too, once its call is stopped by the end that another thread began. */
static void both_end(plan *x)
{
	imgsearch_error err = { 0 };
	pthread_t thread;
	if (x->real && !use_real_shim())
		_exit(77);
	MUST(pipe(refused) == 0);
	MUST(!atexit(end_slowly));
	MUST(!imgsearch_open(":memory:", NULL, NULL, &x->s, &err));
	MUST(!extract_one(x->s, x->sc, &err));
	MUST(write(busy_fd, "x", 1) == 1);
	MUST(!pthread_create(&thread, NULL, end_first, NULL));
	int rc = 0;
	while (!rc)
		rc = extract_one(x->s, x->sc, &err);
	MUST(rc == IMGSEARCH_ECANCELED);
	MUST(write(refused[1], "x", 1) == 1);
	exit(STATUS + 1);
}

static void the_first_thread_ends_it(void **state)
{
	draw_photos(*state);
	for (int real = 0; real < 2; real++) {
		plan x = { .sc = *state, .real = real };
		int rc = end_of(both_end, &x);
		if (rc != STATUS && !(real && rc == 77))
			fail_msg("%s network: ended with %d", real ? "real" : "fake", rc);
	}
}

/* -------------------------------------------------------------------- the first call ever ---- */

/* Ends the program so long after another thread began to load libtorch. */
static void load_and_end(plan *x)
{
	pthread_t thread;
	imgsearch_error err = { 0 };
	if (!use_real_shim())
		_exit(77);
	MUST(!imgsearch_open(":memory:", NULL, NULL, &x->s, &err));
	MUST(!pthread_create(&thread, NULL, extract_first, x));
	usleep(x->after);
	MUST(write(busy_fd, "x", 1) == 1);
	if (x->way == BY_MAIN)
		exit(STATUS);
	MUST(!pthread_create(&thread, NULL, end_program, NULL));
	for (;;)
		pause();
}

/*
 * Loading, the first network and its first batch take about a second. A thread that never called
 * the library runs into destructors that libtorch registered within the last millisecond: on a
 * busy machine one end of hundreds crashes so, which the second try forgives.
 */
static void ends_while_libtorch_is_loaded(void **state)
{
	enum { STEP_US = 70000, STEPS_OF_WAY = 14 };
	plan x = { .sc = *state };
	draw_photos(*state);
	for (useconds_t i = 0; i < 2 * STEPS_OF_WAY; i++) {
		x.way = i % 2 ? BY_MAIN : BY_THREAD;
		x.after = i / 2 * STEP_US;
		int rc = end_of(load_and_end, &x);
		if (rc == 77)
			skip();
		if (rc != STATUS && x.way == BY_THREAD)
			rc = end_of(load_and_end, &x);
		if (rc != STATUS)
			fail_msg("after %u us, way %d: ended with %d", x.after, x.way, rc);
	}
}

/* ------------------------------------------------------------ handles that are closed late ---- */

static imgsearch *late;
static const scene *late_scene;

static void close_late(void)
{
	imgsearch_error err = { 0 };
	if (extract_one(late, late_scene, &err) != IMGSEARCH_ECANCELED)
		_exit(98);
	imgsearch_close(late);
}

static void closed_by_a_handler_of_exit(bool real)
{
	imgsearch_error err = { 0 };
	if (real && !use_real_shim())
		_exit(77);
	MUST(!imgsearch_open(":memory:", NULL, NULL, &late, &err));
	MUST(!atexit(close_late)); /* registered first: runs after the one of the library */
	MUST(!extract_one(late, late_scene, &err));
	exit(STATUS);
}

static void closes_late(void **state)
{
	late_scene = *state;
	draw_photos(*state);
	for (int real = 0; real < 2; real++) {
		fflush(NULL);
		pid_t child = fork();
		if (!child)
			closed_by_a_handler_of_exit(real);
		int rc = wait_for(child, SECONDS);
		assert_true(rc == STATUS || (real && rc == 77));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ends_in_the_midst, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(ends_in_the_midst_of_libtorch, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(ends_while_libtorch_is_loaded, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(closes_late, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(the_first_thread_ends_it, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(ends_though_the_network_hangs, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(ends_though_the_network_crashes, scene_setup,
			scene_teardown),
	};
	int failed = cmocka_run_group_tests_name("exit", tests, NULL, NULL);
	print_message("# the slowest end took %.1f s\n", slowest);
	return failed;
}

/*
 * Many at once, through the public API:
 *	crowd INDEX.db QUERIES.npy		prints a table in Markdown; the index is changed
 * Threads that ask one by one for ids and scores on one handle; then one such thread on a CPU of
 * its own, alone and while others work on the index: a writer adds 300 rows a second in one
 * transaction (as an index run does), and builds follow each other. One of the two changes the
 * index at a time; the other one tries again. They run in this process or in another one, on
 * another CPU. $SECONDS for each line (3). Where the machine does other work, CPU time is what to
 * compare.
 */
#include "imgsearch.h"

#include "bench/npy.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { K = 10, MOST = 16, ADDED = 300 };

static imgsearch_error err;
static npy queries;
static atomic_bool stop;

static void ok(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "crowd: %s\n", err.message);
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double duration(void)
{
	return getenv("SECONDS") ? atof(getenv("SECONDS")) : 3;
}

/* The calling thread, and those that it makes, stay on one CPU: the first or the last one. */
static void pin(bool last)
{
	cpu_set_t may, one;
	int at = -1;
	sched_getaffinity(0, sizeof may, &may);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &may) && (at < 0 || last))
			at = i;
	CPU_ZERO(&one);
	CPU_SET(at, &one);
	sched_setaffinity(0, sizeof one, &one);
}

static const float *row(size_t i)
{
	return (const float *)queries.data + i % queries.rows * queries.columns;
}

/* --------------------------------------------------------------------------------- readers ---- */

typedef struct reader {
	pthread_t thread;
	imgsearch *s;
	size_t first, asked;
	bool pinned;
	double until, cpu;
} reader;

static void *ask(void *arg)
{
	reader *r = arg;
	imgsearch_error why;
	int64_t ids[K];
	float scores[K];
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	o.k = K;
	o.threads = 1;
	if (r->pinned)
		pin(false);
	double start = seconds(CLOCK_THREAD_CPUTIME_ID);
	for (; seconds(CLOCK_MONOTONIC) < r->until; r->asked++)
		if (imgsearch_vectors_query(r->s, row(r->first + r->asked), 1, queries.columns, &o, NULL,
				ids, scores, K, &why)) {
			fprintf(stderr, "crowd: %s\n", why.message);
			exit(1);
		}
	r->cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - start;
	return NULL;
}

typedef struct rate {
	double a_second, cpu; /* cpu: seconds a query */
} rate;

static rate read_by(imgsearch *s, size_t threads, bool pinned)
{
	reader r[MOST];
	size_t asked = 0;
	double cpu = 0, start = seconds(CLOCK_MONOTONIC);
	for (size_t i = 0; i < threads; i++) {
		r[i] = (reader){ .s = s, .first = 61 * i, .pinned = pinned, .until = start + duration() };
		pthread_create(&r[i].thread, NULL, ask, &r[i]);
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(r[i].thread, NULL);
		asked += r[i].asked;
		cpu += r[i].cpu;
	}
	return (rate){ (double)asked / (seconds(CLOCK_MONOTONIC) - start), cpu / (double)asked };
}

/* ------------------------------------------------------------------------------ disturbers ---- */

/* Leaves the other one a moment to begin. */
static void rest(int rc, const imgsearch_error *why)
{
	const struct timespec moment = { 0, 20000000 };
	if (rc && rc != IMGSEARCH_EBUSY)
		fprintf(stderr, "crowd: %s\n", why->message);
	nanosleep(&moment, NULL);
}

static void *write_rows(void *arg)
{
	imgsearch *s = arg;
	imgsearch_error why;
	const struct timespec second = { 1, 0 };
	for (size_t i = 0; !stop;) {
		int rc = imgsearch_vectors_add(s, row(i % (queries.rows - ADDED)), ADDED, queries.columns,
			NULL, NULL, NULL, &why);
		rest(rc, &why);
		if (!rc && nanosleep(&second, NULL) == 0)
			i += ADDED;
	}
	return NULL;
}

static void *build_again(void *arg)
{
	imgsearch *s = arg;
	imgsearch_error why;
	imgsearch_build_options o = IMGSEARCH_INIT(imgsearch_build_options);
	o.searcher = "graph";
	while (!stop)
		rest(imgsearch_build(s, &o, NULL, NULL, &why), &why);
	return NULL;
}

static imgsearch *open_index(const char *path)
{
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.threads = 1;
	ok(imgsearch_open(path, &o, NULL, &s, &err));
	return s;
}

static void *write_on_last_cpu(void *s)
{
	pin(true);
	return write_rows(s);
}

static void *build_on_last_cpu(void *s)
{
	pin(true);
	return build_again(s);
}

static rate beside_threads(imgsearch *s, imgsearch *other, bool builds)
{
	pthread_t writer, builder;
	stop = false;
	pthread_create(&writer, NULL, write_on_last_cpu, other);
	if (builds)
		pthread_create(&builder, NULL, build_on_last_cpu, other);
	rate r = read_by(s, 1, true);
	stop = true;
	pthread_join(writer, NULL);
	if (builds)
		pthread_join(builder, NULL);
	return r;
}

/* Another process, which is killed at the end: it writes and builds, or asks. */
static rate beside_process(imgsearch *s, char **argv, const char *what)
{
	pid_t child = fork();
	if (!child) {
		execl("/proc/self/exe", argv[0], argv[1], argv[2], what, (char *)NULL);
		_exit(1);
	}
	rate r = read_by(s, 1, true);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return r;
}

static int be_the_other(const char *path, const char *what)
{
	pthread_t writer;
	pin(true);
	imgsearch *s = open_index(path);
	while (!strcmp(what, "asks"))
		read_by(s, 1, false);
	pthread_create(&writer, NULL, write_rows, s);
	build_again(s);
	return 0;
}

/* ----------------------------------------------------------------------------------- table ---- */

static void line(const char *what, rate r, rate base)
{
	printf("| %s | %.0f | %.1f | %.2f | %.2f |\n", what, r.a_second, 1e6 * r.cpu,
		r.a_second / base.a_second, base.cpu / r.cpu);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return fputs("usage: crowd INDEX.db QUERIES.npy\n", stderr), 2;
	queries = npy_open(argv[2]);
	if (argc > 3)
		return be_the_other(argv[1], argv[3]);
	imgsearch *s = open_index(argv[1]), *other = open_index(argv[1]);
	read_by(s, 1, false); /* loads the searcher */
	printf("| | queries a second | CPU time of one, µs | rate, beside the first line | "
		   "queries a CPU second, beside it |\n|---|---|---|---|---|\n");
	rate one = read_by(s, 1, false);
	line("1 thread", one, one);
	line("2 threads", read_by(s, 2, false), one);
	line("16 threads", read_by(s, MOST, false), one);
	rate alone = read_by(s, 1, true);
	line("1 thread on a CPU of its own", alone, alone);
	line("beside a process that asks", beside_process(s, argv, "asks"), alone);
	line("beside a writer, another handle", beside_threads(s, other, false), alone);
	line("beside a writer and builds, another handle", beside_threads(s, other, true), alone);
	line("beside a writer and builds, the same handle", beside_threads(s, s, true), alone);
	line("beside a process that writes and builds", beside_process(s, argv, "works"), alone);
	imgsearch_close(other);
	imgsearch_close(s);
	return 0;
}

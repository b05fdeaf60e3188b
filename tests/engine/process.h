/* Child processes with a deadline, and a choice of the fake or the real network. */
#ifndef IMS_TEST_PROCESS_H
#define IMS_TEST_PROCESS_H

#include "scene.h"

#include "imgsearch/train.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

enum { HUNG = -1000, PHOTOS = 24 };

/* The exit status of a process, minus the signal that ended it, or HUNG: then it is killed. */
static inline int wait_for(pid_t child, double seconds)
{
	int status;
	double end = ims_now() + seconds;
	while (ims_now() < end) {
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		usleep(2000);
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return HUNG;
}

#if defined(__SANITIZE_ADDRESS__)
/* True if no other thread of the process runs. */
static inline bool others_sleep(void)
{
	char path[64], state = 'S';
	DIR *tasks = opendir("/proc/self/task");
	for (struct dirent *e; state == 'S' && (e = readdir(tasks));) {
		if (atoi(e->d_name) == 0 || atoi(e->d_name) == (int)getpid())
			continue;
		snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", e->d_name);
		FILE *f = fopen(path, "r");
		if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 0;
		if (f)
			fclose(f);
	}
	closedir(tasks);
	return state == 'S';
}

/*
 * AddressSanitizer's allocator is not fork-safe: a thread that starts may hold its lock. Where all
 * other threads sleep, none starts, and this one wakes none.
 */
static inline void settle(void)
{
	enum { SECONDS_MOST = 120 };
	for (double end = ims_now() + SECONDS_MOST; !others_sleep();) {
		if (ims_now() > end)
			fail_msg("threads of an idle library still run");
		usleep(1000);
	}
}
#else
static inline void settle(void) {}
#endif

/* Runs body in a child that ends by _exit with what it returns. */
static inline int in_child(int (*body)(void *arg), void *arg, double seconds)
{
	fflush(NULL);
	settle();
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(body(arg));
	return wait_for(child, seconds);
}

/* In a child: ends it with the line of the failure as text. */
#define MUST(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "# %s:%d: %s: %s\n", __FILE__, __LINE__, #condition, err.message); \
			_exit(99); \
		} \
	} while (0)

/* Calls of this process load the real shim, if it is built. */
static inline bool use_real_shim(void)
{
	char folder[500], path[540];
	snprintf(folder, sizeof folder, "%s", getenv("IMGSEARCH_LIBDIR"));
	for (int up = 0; up < 2; up++)
		*strrchr(folder, '/') = 0;
	snprintf(path, sizeof path, "%s/imgsearch-shim.so", folder);
	if (access(path, R_OK))
		return false;
	setenv("IMGSEARCH_LIBDIR", folder, 1);
	return true;
}

static inline void draw_photos(const scene *sc)
{
	char name[40];
	shell("mkdir -p '%s/a' '%s/b'", sc->photos, sc->photos);
	for (unsigned i = 0; i < PHOTOS; i++) {
		snprintf(name, sizeof name, "%s/%02u.png", i % 2 ? "a" : "b", i);
		photo(sc, name, i);
	}
}

static inline int extract_one(imgsearch *s, const scene *sc, imgsearch_error *err)
{
	enum { MANY = 4096 };
	char path[200];
	float *row = malloc(MANY * sizeof *row);
	imgsearch_error own = { 0 };
	snprintf(path, sizeof path, "%s/b/00.png", sc->photos);
	imgsearch_input in = imgsearch_input_file(path);
	int rc = imgsearch_extract(s, &in, 1, NULL, NULL, row, MANY, &own, err);
	free(row);
	if (rc || !own.code)
		return rc;
	*err = own;
	return own.code;
}

static inline int update(imgsearch *s, const scene *sc, const imgsearch_call *call,
	imgsearch_error *err)
{
	const char *path = sc->photos;
	return imgsearch_index_update(s, &path, 1, NULL, call, NULL, err);
}

static inline int build(imgsearch *s, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_build_options o = { .struct_size = sizeof o, .searcher = "exact" };
	return imgsearch_build(s, &o, call, NULL, err);
}

static inline int train(imgsearch *s, const scene *sc, uint32_t steps, const imgsearch_call *call,
	imgsearch_error *err)
{
	char out[200];
	snprintf(out, sizeof out, "%s/trained-%d.safetensors", sc->dir, (int)getpid());
	imgsearch_train_options o = {
		.struct_size = sizeof o,
		.out = out,
		.steps = steps,
		.batch = 4,
		.layers = 1,
		.restart = 1,
	};
	return imgsearch_train(s, sc->photos, &o, call, NULL, err);
}

#endif

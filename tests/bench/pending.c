/*
 * What rows that were replaced since the build cost: open and first query in a fresh process, with
 * 0, 5, 100 and 300 % of them replaced, beside the plain scan; what the writer pays; the commit of
 * one row. The least of five is printed, since other programs disturb upwards. Arguments: rows,
 * dimensions, searcher, a file.
 */
#include "imgsearch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static imgsearch_error err;

static void ok(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "pending: %s\n", err.message);
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Values around 0, of three uniform numbers. */
static float *make_rows(size_t n, size_t dim, uint64_t seed)
{
	float *rows = malloc(n * dim * sizeof *rows);
	if (!rows)
		exit(1);
	for (size_t i = 0; i < n * dim; i++) {
		rows[i] = 0;
		for (int j = 0; j < 3; j++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			rows[i] += (float)(seed >> 40) / (1 << 23) - 1;
		}
	}
	return rows;
}

static imgsearch *open_index(const char *path, uint32_t dim)
{
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.dim = dim;
	o.metric = IMGSEARCH_METRIC_L2;
	ok(imgsearch_open(path, &o, NULL, &s, &err));
	return s;
}

/* In a process of its own. */
static double first_query(const char *path, const char *searcher, const float *row, uint32_t dim)
{
	double best = 1e9, seconds;
	for (int i = 0; i < 5; i++) {
		int end[2];
		if (pipe(end))
			exit(1);
		if (!fork()) {
			imgsearch_hits *hits;
			imgsearch_input in = imgsearch_input_vector(row, dim);
			imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
			o.searcher = searcher;
			double begin = now();
			imgsearch *s = open_index(path, dim);
			ok(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
			seconds = now() - begin;
			_exit(write(end[1], &seconds, sizeof seconds) != sizeof seconds);
		}
		if (read(end[0], &seconds, sizeof seconds) != sizeof seconds)
			exit(1);
		wait(NULL);
		close(end[0]);
		close(end[1]);
		best = seconds < best ? seconds : best;
	}
	return best;
}

/* Rows 0 to n - 1 get other values. Seconds. */
static double replace(const char *path, const float *rows, size_t n, uint32_t dim)
{
	imgsearch_vectors_add_options o = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	int64_t *ids = malloc(n * sizeof *ids);
	if (!ids)
		exit(1);
	for (size_t i = 0; i < n; i++)
		ids[i] = (int64_t)i;
	o.ids = ids;
	imgsearch *s = open_index(path, dim);
	double begin = now();
	ok(imgsearch_vectors_add(s, rows, n, dim, &o, NULL, NULL, &err));
	double seconds = now() - begin;
	imgsearch_close(s);
	free(ids);
	return seconds;
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	uint32_t dim = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 64;
	const char *searcher = argc > 3 ? argv[3] : "exact", *path = argc > 4 ? argv[4] : "pending.db";
	const double shares[] = { 0, 0.05, 1, 3 };
	imgsearch_build_options b = IMGSEARCH_INIT(imgsearch_build_options);
	float *rows = make_rows(n, dim, 1);
	double done = 0;
	if (access(path, F_OK) == 0) {
		fprintf(stderr, "pending: %s exists\n", path);
		return 1;
	}
	imgsearch *s = open_index(path, dim);
	ok(imgsearch_vectors_add(s, rows, n, dim, NULL, NULL, NULL, &err));
	b.searcher = searcher;
	ok(imgsearch_build(s, &b, NULL, NULL, &err));
	imgsearch_close(s);
	printf("%zu x %u, %s\nreplaced  scan    %-7s writer  one row\n", n, dim, searcher, searcher);
	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
		double writer = 0;
		for (uint64_t round = 1; done < shares[i]; round++) {
			double part = shares[i] - done > 1 ? 1 : shares[i] - done;
			float *fresh = make_rows((size_t)((double)n * part), dim, 10 * i + round);
			writer += replace(path, fresh, (size_t)((double)n * part), dim);
			free(fresh);
			done += part;
		}
		double one = replace(path, rows, 1, dim);
		double scan = first_query(path, "scan", rows, dim);
		double found = first_query(path, searcher, rows, dim);
		printf("%6.0f %%  %.3f s %.3f s %5.2f s %6.1f ms\n", shares[i] * 100, scan, found, writer,
			one * 1e3);
		fflush(stdout);
	}
	free(rows);
	return unlink(path) != 0;
}

/*
 * What a caller of the public API gets.
 *	front build INDEX.db ROWS.npy N SEARCHERS [l2]	adds N rows, with names as of files, and builds
 *	front ask INDEX.db QUERIES.npy TRUTH.npy SETTING...	a line of CSV for each setting
 * SEARCHERS are joined by commas; the last one is the index's. Distances are cosine, or L2.
 * A setting is words joined by commas: a searcher, "ids" (else paths and chances too), "recall R",
 * "ef N", "batch N" (imgsearch_vectors_query), "threads N". For example graph,ids,recall=0.95.
 * TRUTH.npy (queries, k) i8: rows' numbers, best first; ids are those numbers. $SECONDS for each
 * figure (3). With one thread time is the CPU time of the process, else wall time; so it is of an
 * index on a server, which INDEX.db may be the address of.
 */
#include "imgsearch.h"

#include "bench/npy.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

enum { K = 10 };

static imgsearch_error err;

static void ok(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "front: %s\n", err.message);
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ----------------------------------------------------------------------------------- build ---- */

static void add(imgsearch *s, const npy *base, size_t n)
{
	enum { STEP = 10000 };
	static char text[STEP][48];
	static const char *names[STEP];
	static int64_t ids[STEP];
	imgsearch_vectors_add_options o = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	o.names = names;
	o.ids = ids;
	for (size_t at = 0, now; at < n; at += now) {
		now = n - at < STEP ? n - at : STEP;
		for (size_t i = 0; i < now; i++) {
			ids[i] = (int64_t)(at + i);
			snprintf(text[i], sizeof text[i], "photos/%03zu/IMG_%08zu.jpg", (at + i) / 1000,
				at + i);
			names[i] = text[i];
		}
		ok(imgsearch_vectors_add(s, (const float *)base->data + at * base->columns, now,
			base->columns, &o, NULL, NULL, &err));
	}
}

static void build_all(imgsearch *s, char *searchers)
{
	char *left;
	imgsearch_build_options b = IMGSEARCH_INIT(imgsearch_build_options);
	for (b.searcher = strtok_r(searchers, ",", &left); b.searcher;
		 b.searcher = strtok_r(NULL, ",", &left))
		ok(imgsearch_build(s, &b, NULL, NULL, &err));
}

static int build(const char *path, const char *rows, size_t n, char *searchers,
	imgsearch_metric metric)
{
	npy base = npy_open(rows);
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	n = n && n < base.rows ? n : base.rows;
	o.dim = (uint32_t)base.columns;
	o.metric = metric;
	double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
	ok(imgsearch_open(path, &o, NULL, &s, &err));
	add(s, &base, n);
	double added = seconds(CLOCK_PROCESS_CPUTIME_ID);
	build_all(s, searchers);
	double built = seconds(CLOCK_PROCESS_CPUTIME_ID);
	fprintf(stderr, "%zu rows x %zu: added in %.1f s, built in %.1f s of CPU time\n", n,
		base.columns, added - start, built - added);
	imgsearch_close(s);
	return 0;
}

/* ------------------------------------------------------------------------------------- ask ---- */

typedef struct asking {
	imgsearch *s;
	imgsearch_query_options options;
	npy queries, truth;
	size_t batch, threads;
	double until;
	bool server;
	int64_t *found; /* (queries, K) */
} asking;

typedef struct worker {
	pthread_t thread;
	asking *a;
	size_t first, answered;
} worker;

static size_t ask_one(asking *a, size_t i)
{
	imgsearch_error why;
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_vector((const float *)a->queries.data
			+ i * a->queries.columns,
		a->queries.columns);
	if (imgsearch_query(a->s, &in, 1, &a->options, NULL, &hits, &why)) {
		fprintf(stderr, "front: %s\n", why.message);
		exit(1);
	}
	for (size_t j = 0; j < K; j++)
		a->found[i * K + j] = j < hits->count ? hits->items[j]->id : -1;
	imgsearch_hits_free(hits);
	return 1;
}

static size_t ask_batch(asking *a, size_t i)
{
	imgsearch_error why;
	size_t n = a->queries.rows - i < a->batch ? a->queries.rows - i : a->batch;
	if (imgsearch_vectors_query(a->s, (const float *)a->queries.data + i * a->queries.columns, n,
			a->queries.columns, &a->options, NULL, a->found + i * K, NULL, n * K, &why)) {
		fprintf(stderr, "front: %s\n", why.message);
		exit(1);
	}
	return n;
}

static void *work(void *arg)
{
	worker *w = arg;
	asking *a = w->a;
	for (size_t i = w->first; seconds(CLOCK_MONOTONIC) < a->until; i %= a->queries.rows) {
		size_t n = a->batch ? ask_batch(a, i) : ask_one(a, i);
		w->answered += n;
		i += n;
	}
	return NULL;
}

/* All queries once, so that each has an answer and everything is loaded. */
static void ask_all(asking *a)
{
	for (size_t i = 0; i < a->queries.rows;)
		i += a->batch ? ask_batch(a, i) : ask_one(a, i);
}

static double recall(const asking *a)
{
	size_t hits = 0;
	const int64_t *truth = a->truth.data;
	for (size_t i = 0; i < a->queries.rows; i++)
		for (size_t j = 0; j < K; j++)
			for (size_t l = 0; l < K; l++)
				hits += a->found[i * K + j] == truth[i * a->truth.columns + l];
	return (double)hits / (double)(a->queries.rows * K);
}

/* MB of resident memory: anonymous, and of files. */
static void memory(double *own, double *file)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof line, f)) {
		long kb;
		if (sscanf(line, "RssAnon: %ld", &kb) == 1)
			*own = (double)kb / 1e3;
		if (sscanf(line, "RssFile: %ld", &kb) == 1)
			*file = (double)kb / 1e3;
	}
	if (f)
		fclose(f);
}

static void measure(asking *a, const char *setting)
{
	enum { MOST = 64, ROUNDS = 3 };
	worker w[MOST];
	double best = 0, own = 0, file = 0, time = getenv("SECONDS") ? atof(getenv("SECONDS")) : 3;
	size_t threads = a->threads ? a->threads : 1, answered = 0;
	clockid_t clock = threads == 1 && !a->server ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
	ask_all(a);
	double share = recall(a);
	for (int round = 0; round < ROUNDS; round++) {
		double start = seconds(clock);
		a->until = seconds(CLOCK_MONOTONIC) + time / ROUNDS;
		for (size_t i = 0; i < threads; i++) {
			w[i] = (worker){ .a = a, .first = i * a->queries.rows / threads };
			pthread_create(&w[i].thread, NULL, work, &w[i]);
		}
		answered = 0;
		for (size_t i = 0; i < threads; i++) {
			pthread_join(w[i].thread, NULL);
			answered += w[i].answered;
		}
		double rate = (double)answered / (seconds(clock) - start);
		best = rate > best ? rate : best;
	}
	memory(&own, &file);
	printf("%s,%.4f,%.1f,%.1f,%.0f,%.0f\n", setting, share, best, 1e6 / best, own, file);
	fflush(stdout);
}

static void parse(asking *a, char *setting)
{
	char *left, *number;
	a->options = IMGSEARCH_INIT(imgsearch_query_options);
	a->options.k = K;
	a->options.fields = IMGSEARCH_FIELDS_PATHS;
	a->options.threads = 1;
	a->batch = a->threads = 0;
	for (char *word = strtok_r(setting, ",", &left); word; word = strtok_r(NULL, ",", &left)) {
		number = strchr(word, '=');
		if (!number && !strcmp(word, "ids"))
			a->options.fields = IMGSEARCH_FIELDS_IDS;
		else if (!number)
			a->options.searcher = word;
		else if (!strncmp(word, "recall", 6))
			a->options.recall = atof(number + 1);
		else if (!strncmp(word, "ef", 2))
			a->options.ef = (uint32_t)atoi(number + 1);
		else if (!strncmp(word, "batch", 5))
			a->batch = (size_t)atoi(number + 1);
		else if (!strncmp(word, "threads", 7))
			a->threads = (size_t)atoi(number + 1);
	}
}

static int ask(const char *path, const char *queries, const char *truth, char **setting)
{
	asking a = { .queries = npy_open(queries), .truth = npy_open(truth) };
	a.server = !strncmp(path, "postgres", 8);
	a.found = calloc(a.queries.rows, K * sizeof *a.found);
	ok(imgsearch_open(path, NULL, NULL, &a.s, &err));
	for (; *setting; setting++) {
		char *words = strdup(*setting);
		parse(&a, words);
		measure(&a, *setting);
		free(words);
	}
	imgsearch_close(a.s);
	free(a.found);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 5 && argc < 8 && !strcmp(argv[1], "build"))
		return build(argv[2], argv[3], strtoull(argv[4], NULL, 10), argv[5],
			argc > 6 ? IMGSEARCH_METRIC_L2 : IMGSEARCH_METRIC_COSINE);
	if (argc > 5 && !strcmp(argv[1], "ask"))
		return ask(argv[2], argv[3], argv[4], argv + 5);
	fprintf(stderr,
		"usage: front build INDEX.db ROWS.npy N SEARCHERS [l2]\n"
		"       front ask INDEX.db QUERIES.npy TRUTH.npy SETTING...\n");
	return 2;
}

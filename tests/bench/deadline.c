/*
 * deadline FOLDER [ROWS]: how long calls go on past their deadline. Each call is first run to its
 * end, then with deadlines spread over that time. Prints a Markdown table: the time of the whole
 * call, and the longest delay past a deadline. FOLDER holds pictures; ROWS (default 1000000)
 * vectors of 256 values are made.
 */
#include <dirent.h>
#include <imgsearch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DIM = 256, PICTURES = 64, TRIES = 20, BATCH = 1024 };

typedef struct setting {
	imgsearch *vectors, *pictures;
	float *rows;
	size_t n;
	imgsearch_input input[PICTURES];
	const char *folder;
} setting;

typedef int timed_call(setting *x, const imgsearch_call *call, imgsearch_error *err);

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check(int rc, const imgsearch_error *err)
{
	if (!rc)
		return;
	fprintf(stderr, "deadline: %s\n", err->message);
	exit(1);
}

static int query_picture(setting *x, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_hits *hits;
	int rc = imgsearch_query(x->pictures, x->input, 1, NULL, call, &hits, err);
	imgsearch_hits_free(hits);
	return rc;
}

static int query_batch(setting *x, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_answers *answers;
	int rc = imgsearch_batch_query(x->pictures, x->input, PICTURES, NULL, call, &answers, err);
	imgsearch_answers_free(answers);
	return rc;
}

static int index_pictures(setting *x, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch *s;
	int rc = imgsearch_open(":memory:", NULL, NULL, &s, err);
	if (!rc)
		rc = imgsearch_index_update(s, &x->folder, 1, NULL, call, NULL, err);
	imgsearch_close(s);
	return rc;
}

static int query_scan(setting *x, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_input in = imgsearch_input_vector(x->rows, DIM);
	imgsearch_hits *hits;
	o.searcher = "scan";
	int rc = imgsearch_query(x->vectors, &in, 1, &o, call, &hits, err);
	imgsearch_hits_free(hits);
	return rc;
}

static int query_many(setting *x, const imgsearch_call *call, imgsearch_error *err)
{
	static int64_t ids[BATCH * 10];
	return imgsearch_vectors_query(x->vectors, x->rows, BATCH, DIM, NULL, call, ids, NULL,
		BATCH * 10, err);
}

static int build(setting *x, const imgsearch_call *call, const char *searcher, imgsearch_error *err)
{
	imgsearch_build_options o = IMGSEARCH_INIT(imgsearch_build_options);
	o.searcher = searcher;
	return imgsearch_build(x->vectors, &o, call, NULL, err);
}

static int build_exact(setting *x, const imgsearch_call *call, imgsearch_error *err)
{
	return build(x, call, "exact", err);
}

static int build_graph(setting *x, const imgsearch_call *call, imgsearch_error *err)
{
	return build(x, call, "graph", err);
}

static void measure(setting *x, const char *name, timed_call *run, int tries)
{
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	imgsearch_error err;
	double start = now(), worst = 0;
	check(run(x, NULL, &err), &err);
	double whole = now() - start;
	for (int i = 1; i <= tries; i++) {
		call.deadline_ms = (uint64_t)(whole * 1e3 * i / (tries + 1));
		call.deadline_ms += !call.deadline_ms;
		start = now();
		int rc = run(x, &call, &err);
		double late = now() - start - (double)call.deadline_ms * 1e-3;
		if (rc == IMGSEARCH_EDEADLINE && late > worst)
			worst = late;
		else if (rc && rc != IMGSEARCH_EDEADLINE)
			check(rc, &err);
	}
	printf("| %s | %.0f | %.0f |\n", name, whole * 1e3, worst * 1e3);
	fflush(stdout);
}

static size_t list_pictures(setting *x)
{
	DIR *d = opendir(x->folder);
	size_t n = 0;
	for (struct dirent *e; d && n < PICTURES && (e = readdir(d));) {
		size_t size = strlen(x->folder) + strlen(e->d_name) + 2;
		if (*e->d_name == '.')
			continue;
		char *path = malloc(size);
		if (!path)
			break;
		snprintf(path, size, "%s/%s", x->folder, e->d_name);
		x->input[n] = imgsearch_input_file(path);
		x->input[n].crop[2] = x->input[n].crop[3] = 64; /* unknown to the index: for the network */
		n++;
	}
	if (d)
		closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	setting x = { .n = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000 };
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_error err;
	uint64_t seed = 1;
	if (argc < 2)
		return 2;
	x.folder = argv[1];
	x.rows = malloc(x.n * DIM * sizeof *x.rows);
	if (!x.rows || list_pictures(&x) < PICTURES)
		return fprintf(stderr, "deadline: %s: fewer than %d pictures\n", argv[1], PICTURES), 1;
	for (size_t i = 0; i < x.n * DIM; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		x.rows[i] = (float)(int32_t)(seed >> 32) / 2147483648.0f;
	}
	check(imgsearch_open(":memory:", NULL, NULL, &x.pictures, &err), &err);
	check(imgsearch_index_update(x.pictures, &x.folder, 1, NULL, NULL, NULL, &err), &err);
	o.dim = DIM;
	check(imgsearch_open(":memory:", &o, NULL, &x.vectors, &err), &err);
	check(imgsearch_vectors_add(x.vectors, x.rows, x.n, DIM, NULL, NULL, NULL, &err), &err);
	printf("| call | whole, ms | longest past its deadline, ms |\n|---|---|---|\n");
	measure(&x, "query by a new picture", query_picture, TRIES);
	measure(&x, "batch query by 64 new pictures", query_batch, TRIES);
	measure(&x, "index_update of a folder", index_pictures, TRIES);
	measure(&x, "query, plain scan", query_scan, TRIES);
	measure(&x, "vectors_query of 1024, plain scan", query_many, 6);
	measure(&x, "build exact", build_exact, TRIES);
	measure(&x, "vectors_query of 1024, exact", query_many, 6);
	measure(&x, "build graph", build_graph, 6);
	imgsearch_close(x.pictures);
	imgsearch_close(x.vectors);
	free(x.rows);
	return 0;
}

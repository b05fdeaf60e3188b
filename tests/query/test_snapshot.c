/*
 * A query reads one state of the file, whatever others commit meanwhile, and keeps no old state:
 * the journal stays small. What a callback of the query has written, it sees.
 */
#include "scene.h"

#include <math.h>
#include <pthread.h>
#include <sys/stat.h>

enum { N = 1000, DIM = 64, COMMITS = 80 };

static char folder[64], file[96];
static atomic_bool finished;

static imgsearch *open_index(void)
{
	imgsearch *s;
	imgsearch_error err;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.dim = DIM;
	o.metric = IMGSEARCH_METRIC_L2;
	o.threads = 3;
	if (imgsearch_open(file, &o, NULL, &s, &err))
		fail_msg("open: %s", err.message);
	return s;
}

/* In one commit, row i becomes (1 + i / N, version, 0, ...) for every i. */
static int put_version(imgsearch *s, int version, imgsearch_error *err)
{
	int64_t *ids = ims_alloc(N, sizeof *ids);
	float *rows = ims_zalloc(N, DIM * sizeof *rows);
	for (int i = 0; i < N; i++) {
		ids[i] = i;
		rows[i * DIM] = 1 + (float)i / N;
		rows[i * DIM + 1] = (float)version;
	}
	imgsearch_vectors_add_options o = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	o.ids = ids;
	int rc = imgsearch_vectors_add(s, rows, N, DIM, &o, NULL, NULL, err);
	ims_free(ids);
	ims_free(rows);
	return rc;
}

static void *write_versions(void *arg)
{
	imgsearch_error *err = arg;
	imgsearch *s = open_index();
	for (int v = 1; v <= COMMITS && !err->code; v++)
		err->code = put_version(s, v, err);
	imgsearch_close(s);
	atomic_store(&finished, true);
	return NULL;
}

/* The version that all hits of a query at the origin are of. */
static int version_of(imgsearch *s, const char *searcher)
{
	static const float origin[DIM];
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_input in = imgsearch_input_vector(origin, DIM);
	o.searcher = searcher;
	if (imgsearch_query(s, &in, 1, &o, NULL, &hits, &err))
		fail_msg("query: %s", err.message);
	assert_int_equal(hits->count, 10);
	double first = -1;
	for (size_t i = 0; i < hits->count; i++) {
		const imgsearch_hit *h = hits->items[i];
		double across = 1 + (double)h->id / N;
		double version = sqrt(fmax((double)h->distance * (double)h->distance - across * across, 0));
		first = i ? first : version;
		assert_true(fabs(version - first) < 0.1 && fabs(version - rint(version)) < 0.1);
	}
	imgsearch_hits_free(hits);
	return (int)rint(first);
}

static void one_version(const char *searcher)
{
	pthread_t writer;
	imgsearch_error err = { 0 };
	struct stat journal;
	char name[128];
	imgsearch *s = open_index();
	assert_int_equal(put_version(s, 0, NULL), 0);
	imgsearch_build_options b = IMGSEARCH_INIT(imgsearch_build_options);
	b.searcher = searcher;
	if (strcmp(searcher, "scan") != 0)
		assert_int_equal(imgsearch_build(s, &b, NULL, NULL, NULL), 0);
	atomic_store(&finished, false);
	assert_int_equal(pthread_create(&writer, NULL, write_versions, &err), 0);
	snprintf(name, sizeof name, "%s-wal", file);
	off_t most = 0;
	for (int last = 0; !atomic_load(&finished);) {
		int version = version_of(s, searcher);
		assert_true(version >= last); /* time does not go back */
		last = version;
		if (!stat(name, &journal) && journal.st_size > most)
			most = journal.st_size;
	}
	pthread_join(writer, NULL);
	if (err.code)
		fail_msg("the writer: %s", err.message);
	assert_int_equal(version_of(s, searcher), COMMITS);
	/* 4096 pages are written back; twice as many are a journal that grows */
	assert_true(most > 0 && most < (off_t)2 * 4096 * 16384);
	imgsearch_close(s);
}

static void exact_reads_one_state(void **state)
{
	(void)state;
	one_version("exact");
}

static void graph_reads_one_state(void **state)
{
	(void)state;
	one_version("graph");
}

/* On several threads, each with a connection of its own. */
static void scan_reads_one_state(void **state)
{
	(void)state;
	one_version("scan");
}

typedef struct nested {
	imgsearch *s;
	int calls, found;
} nested;

/* Adds a vector within the query, and finds it there. */
static int accept_and_add(void *user, int64_t id)
{
	nested *n = user;
	int64_t added;
	uint8_t exists = 0;
	float row[DIM] = { 3 };
	(void)id;
	if (n->calls++ < 3 && !imgsearch_vectors_add(n->s, row, 1, DIM, NULL, NULL, &added, NULL)
		&& !imgsearch_item_exists(n->s, &added, 1, &exists, NULL))
		n->found += exists;
	return 1;
}

static void callbacks_see_what_they_write(void **state)
{
	(void)state;
	imgsearch *s = open_index();
	nested n = { .s = s };
	imgsearch_filter filter = IMGSEARCH_INIT(imgsearch_filter);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_input in = imgsearch_input_item(0);
	imgsearch_hits *hits;
	imgsearch_error err;
	assert_int_equal(put_version(s, 0, NULL), 0);
	filter.accept = accept_and_add;
	filter.user = &n;
	o.filter = &filter;
	if (imgsearch_query(s, &in, 1, &o, NULL, &hits, &err))
		fail_msg("query: %s", err.message);
	imgsearch_hits_free(hits);
	assert_true(n.calls >= 3);
	assert_int_equal(n.found, 3);
	imgsearch_close(s);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "%s/imssnapXXXXXX",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof file, "%s/index.db", folder);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exact_reads_one_state),
		TEST(graph_reads_one_state),
		TEST(scan_reads_one_state),
		TEST(callbacks_see_what_they_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

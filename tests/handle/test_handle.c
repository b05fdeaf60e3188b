/*
 * What a handle refuses: another dimension than the index's, and to write when it was opened for
 * reading. Vectors that were deleted are still items. A handle in memory serves threads beside a
 * writer.
 */
#include "../store/common.h"

#include <pthread.h>
#include <sys/stat.h>

enum { DIM = 4, BATCH = 10 };

/* The message is in err. */
#define refused(status, call) \
	do { \
		err = (imgsearch_error){ 0 }; \
		assert_int_equal((call), status); \
		assert_int_equal(err.code, status); \
	} while (0)

static imgsearch *open_index(const char *path, uint32_t dim, bool read_only)
{
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.dim = dim;
	o.read_only = read_only;
	ok(imgsearch_open(path, &o, NULL, &s, &err));
	return s;
}

static void add(imgsearch *s, int64_t first, size_t n)
{
	int64_t ids[100];
	float rows[100 * DIM];
	imgsearch_vectors_add_options o = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	for (size_t i = 0; i < n; i++) {
		ids[i] = first + (int64_t)i;
		for (size_t k = 0; k < DIM; k++)
			rows[i * DIM + k] = (float)(1 + (ids[i] * 7 + (int64_t)k * 3) % 11);
	}
	o.ids = ids;
	ok(imgsearch_vectors_add(s, rows, n, DIM, &o, NULL, NULL, &err));
}

/* -------------------------------------------------------------------------------- opening ---- */

static void another_dimension(void **state)
{
	(void)state;
	imgsearch *s;
	imgsearch_error err;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_close(open_index(file, DIM, false));
	o.dim = 7;
	refused(IMGSEARCH_EINVAL, imgsearch_open(file, &o, NULL, &s, &err));
	assert_null(s);
	assert_non_null(strstr(err.message, "vectors of 4 values, and dim asks for 7"));
	o.read_only = 1;
	refused(IMGSEARCH_EINVAL, imgsearch_open(file, &o, NULL, &s, &err));
	o = (imgsearch_options){ .struct_size = sizeof o, .metric = IMGSEARCH_METRIC_IP };
	refused(IMGSEARCH_EINVAL, imgsearch_open(file, &o, NULL, &s, &err));
	assert_non_null(strstr(err.message, "has the metric cosine, and metric asks for ip"));
	s = open_index(file, DIM, false);
	add(s, 0, 3);
	imgsearch_close(s);
	imgsearch_close(open_index(file, 0, false));
	refused(IMGSEARCH_EINVAL, imgsearch_open(file, &o, NULL, &s, &err));
	remove_files();
	imgsearch_close(open_index(file, 0, false)); /* has no dimension yet */
	imgsearch_close(open_index(file, 7, false));
}

static void refuses_to_write(imgsearch *s, int status, const char *words)
{
	imgsearch_error err;
	imgsearch_transaction *t;
	float row[DIM] = { 1 };
	imgsearch_input in = imgsearch_input_vector(row, DIM);
	int64_t id = 1;
#define refuses(call) \
	do { \
		refused(status, call); \
		if (!strstr(err.message, words)) \
			fail_msg("%s: %s", #call, err.message); \
	} while (0)
	refuses(imgsearch_vectors_add(s, row, 1, DIM, NULL, NULL, NULL, &err));
	refuses(imgsearch_index_add(s, &in, NULL, NULL, NULL, &err));
	refuses(imgsearch_index_remove(s, &id, 1, NULL, NULL, &err));
	refuses(imgsearch_index_keep_out(s, &id, 1, NULL, &err));
	refuses(imgsearch_index_readmit(s, &id, 1, NULL, &err));
	refuses(imgsearch_transaction_begin(s, NULL, &t, &err));
	refuses(imgsearch_build(s, NULL, NULL, NULL, &err));
	refuses(imgsearch_index_update(s, NULL, 0, NULL, NULL, NULL, &err));
	refuses(imgsearch_root_move(s, "/a", "/b", NULL, &err));
	refuses(imgsearch_groups_reject(s, 1, 2, &err));
}

static void only_reading(void **state)
{
	(void)state;
	imgsearch *s = open_index(file, DIM, false);
	add(s, 0, 3);
	imgsearch_close(s);
	s = open_index(file, 0, true);
	refuses_to_write(s, IMGSEARCH_EINVAL, "is open for reading only");
	imgsearch_close(s);
	if (!geteuid()) /* may write everything */
		return;
	assert_int_equal(chmod(file, 0444), 0);
	s = open_index(file, 0, false);
	refuses_to_write(s, IMGSEARCH_EIO, "cannot be written: Permission denied");
	imgsearch_close(s);
}

/* -------------------------------------------------------------------------------- deleted ---- */

typedef struct seen {
	int64_t ids[8];
	size_t n, deleted;
} seen;

static int see(void *user, const imgsearch_item *item)
{
	seen *l = user;
	assert_true(l->n < 8);
	l->deleted += item->state == IMGSEARCH_STATE_DELETED;
	l->ids[l->n++] = item->id;
	return 0;
}

static void deleted_vectors(void **state)
{
	(void)state;
	imgsearch_error err;
	imgsearch_item *item;
	seen all = { 0 }, deleted = { 0 }, indexed = { 0 };
	const int64_t out[] = { 2, 0 }, ids[] = { 0, 1, 2, 3, -1 };
	uint8_t exists[5];
	imgsearch *s = open_index(file, DIM, false);
	add(s, 0, 3);
	ok(imgsearch_index_keep_out(s, out, 2, NULL, &err));
	ok(imgsearch_item_get(s, 2, &item, &err));
	assert_int_equal(item->state, IMGSEARCH_STATE_DELETED);
	assert_string_equal(item->path, "id:2");
	assert_string_equal(item->reason, "kept out on purpose");
	assert_int_equal(item->has_vector, 0);
	imgsearch_item_free(item);
	ok(imgsearch_item_get(s, 1, &item, &err));
	assert_int_equal(item->state, IMGSEARCH_STATE_INDEXED);
	assert_null(item->reason);
	assert_int_equal(item->has_vector, 1);
	imgsearch_item_free(item);
	refused(IMGSEARCH_ENOTFOUND, imgsearch_item_get(s, 3, &item, &err));
	assert_null(item);
	ok(imgsearch_item_exists(s, ids, 5, exists, &err));
	assert_memory_equal(exists, "\1\1\1\0\0", 5);
	ok(imgsearch_item_each(s, 0, see, &all, NULL, &err));
	ok(imgsearch_item_each(s, IMGSEARCH_STATE_DELETED, see, &deleted, NULL, &err));
	ok(imgsearch_item_each(s, IMGSEARCH_STATE_INDEXED, see, &indexed, NULL, &err));
	assert_int_equal(indexed.n, 1);
	assert_int_equal(indexed.ids[0], 1);
	assert_int_equal(all.n, 3); /* those that were deleted last */
	assert_memory_equal(all.ids, ((const int64_t[]){ 1, 0, 2 }), 3 * sizeof *all.ids);
	assert_int_equal(deleted.n, 2);
	assert_int_equal(deleted.deleted + all.deleted + indexed.deleted, 4);
	assert_int_equal(deleted.ids[0], 0);
	assert_int_equal(deleted.ids[1], 2);
	ok(imgsearch_index_readmit(s, out, 1, NULL, &err));
	ok(imgsearch_index_remove(s, out + 1, 1, NULL, NULL, &err)); /* forgets it */
	ok(imgsearch_item_exists(s, ids, 5, exists, &err));
	assert_memory_equal(exists, "\0\1\1\0\0", 5);
	imgsearch_close(s);
}

/* -------------------------------------------------------------------------------- threads ---- */

typedef struct traffic {
	imgsearch *s;
	atomic_bool stop;
	atomic_int answers;
} traffic;

static void *write_batches(void *arg)
{
	traffic *t = arg;
	for (int i = 1; i < 120; i++) {
		add(t->s, i * BATCH, BATCH);
		if (i == 40)
			ok(imgsearch_build(t->s, NULL, NULL, NULL, &err));
		if (i == 60) {
			imgsearch_build_options b = IMGSEARCH_INIT(imgsearch_build_options);
			b.searcher = "graph";
			ok(imgsearch_build(t->s, &b, NULL, NULL, &err));
		}
	}
	atomic_store(&t->stop, true);
	return NULL;
}

static void *ask(void *arg)
{
	traffic *t = arg;
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	o.k = 5000;
	o.searcher = "scan";
	o.fields = IMGSEARCH_FIELDS_IDS;
	while (!atomic_load(&t->stop)) {
		imgsearch_hits *hits;
		float v[DIM] = { 1, 2, 3, 4 };
		imgsearch_input in = imgsearch_input_vector(v, DIM);
		ok(imgsearch_query(t->s, &in, 1, &o, NULL, &hits, &err));
		assert_int_equal(hits->count % BATCH, 0);
		imgsearch_hits_free(hits);
		imgsearch_query_options any = IMGSEARCH_INIT(imgsearch_query_options);
		ok(imgsearch_query(t->s, &in, 1, &any, NULL, &hits, &err));
		assert_int_equal(hits->count, 10);
		imgsearch_hits_free(hits);
		atomic_fetch_add(&t->answers, 1);
	}
	return NULL;
}

static void queries_beside_a_writer(void **state)
{
	(void)state;
	enum { READERS = 3 };
	pthread_t writer, reader[READERS];
	traffic t = { .s = open_index(":memory:", DIM, false) };
	add(t.s, 0, BATCH);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&reader[i], NULL, ask, &t), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_batches, &t), 0);
	pthread_join(writer, NULL);
	for (int i = 0; i < READERS; i++)
		pthread_join(reader[i], NULL);
	print_message("# %d answers\n", t.answers);
	assert_true(t.answers > 0);
	imgsearch_close(t.s);
}

/* A callback of a reading call cannot write to memory, and is told so at once. */
static int write_in_callback(void *user, const int64_t *ids, const float *rows, size_t n,
	size_t dim)
{
	imgsearch_error err;
	(void)ids, (void)n;
	refused(IMGSEARCH_EBUSY, imgsearch_vectors_add(user, rows, 1, dim, NULL, NULL, NULL, &err));
	assert_non_null(strstr(err.message, "index in memory: this thread is reading it"));
	return 0;
}

static void writing_in_a_callback(void **state)
{
	(void)state;
	imgsearch *s = open_index(":memory:", DIM, false);
	add(s, 0, 3);
	ok(imgsearch_vectors_each(s, write_in_callback, s, NULL, &err));
	add(s, 3, 3);
	imgsearch_close(s);
}

/* Sentences do not name a file that there is not. */
static void an_index_in_memory_is_called_so(void **state)
{
	(void)state;
	imgsearch_error err;
	imgsearch_info *info;
	imgsearch_index_update_report *report;
	imgsearch *s = open_index(":memory:", 0, false);
	refused(IMGSEARCH_ENOTFOUND, imgsearch_index_update(s, NULL, 0, NULL, NULL, &report, &err));
	assert_non_null(strstr(err.message, "the index in memory: the index has no folder yet"));
	refused(IMGSEARCH_ENOTFOUND, imgsearch_root_move(s, "/a", "/b", NULL, &err));
	assert_non_null(strstr(err.message, "index in memory has no root /a"));
	ok(imgsearch_info_get(s, NULL, &info, &err));
	assert_string_equal(info->path, ":memory:");
	imgsearch_info_free(info);
	imgsearch_close(s);
}

int main(void)
{
#define on_files(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		on_files(another_dimension),
		on_files(only_reading),
		on_files(deleted_vectors),
		on_files(queries_beside_a_writer),
		on_files(writing_in_a_callback),
		cmocka_unit_test(an_index_in_memory_is_called_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

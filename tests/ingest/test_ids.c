/*
 * Ids and names of the caller's own vectors: which id an addition gets, that nothing else is
 * overwritten, that no id is given twice, and that the names in results are found.
 */
#include "scene.h"

enum { DIM = 4 };

static const float rows[6][DIM] = { { 1 }, { 0, 1 }, { 0, 0, 1 }, { 0, 0, 0, 1 }, { 1, 1 },
	{ 0, 1, 1 } };

static imgsearch *memory(void)
{
	imgsearch *s;
	works(imgsearch_open(":memory:", NULL, NULL, &s, &err));
	return s;
}

static int try_one(imgsearch *s, int row, const char *name, const int64_t *asked, int64_t *id,
	imgsearch_error *err)
{
	imgsearch_input in = imgsearch_input_vector(rows[row], DIM);
	imgsearch_index_add_options o = { .struct_size = sizeof o, .name = name };
	o.has_id = asked != NULL;
	o.id = asked ? *asked : 0;
	return imgsearch_index_add(s, &in, &o, NULL, id, err);
}

static int64_t one(imgsearch *s, int row, const char *name)
{
	int64_t id = -7;
	works(try_one(s, row, name, NULL, &id, &err));
	return id;
}

static int64_t many(imgsearch *s, int row, size_t n, const int64_t *asked)
{
	int64_t ids[6];
	works(imgsearch_vectors_add(s, rows[row], n, DIM, WITH_IDS(asked), NULL, ids, &err));
	for (size_t i = 1; i < n && !asked; i++)
		assert_int_equal(ids[i], ids[0] + (int64_t)i);
	return ids[0];
}

/* The item most like a row has this id and name, and the name is found. */
static void nearest(imgsearch *s, int row, int64_t id, const char *name)
{
	imgsearch_input in = imgsearch_input_vector(rows[row], DIM);
	imgsearch_hits *hits;
	int64_t found;
	works(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err));
	assert_true(hits->count > 0);
	assert_int_equal(hits->items[0]->id, id);
	assert_string_equal(hits->items[0]->path, name);
	for (size_t i = 0; i < hits->count; i++) {
		works(imgsearch_item_find(s, hits->items[i]->path, &found, &err));
		assert_int_equal(found, hits->items[i]->id);
	}
	imgsearch_hits_free(hits);
}

static void after_the_largest_id(void **state)
{
	(void)state;
	imgsearch *s = memory();
	int64_t big = INT64_MAX, near = INT64_MAX - 2, id = 5;
	many(s, 0, 1, &near);
	assert_int_equal(many(s, 1, 1, NULL), INT64_MAX - 1);
	fails(IMGSEARCH_ELIMIT, imgsearch_vectors_add(s, rows[2], 2, DIM, NULL, NULL, NULL, &err));
	assert_int_equal(scene_vectors(s), 2); /* none of the two */
	many(s, 2, 1, &big);
	fails(IMGSEARCH_ELIMIT, imgsearch_vectors_add(s, rows[3], 1, DIM, NULL, NULL, NULL, &err));
	fails(IMGSEARCH_ELIMIT, try_one(s, 3, NULL, NULL, &id, &err));
	fails(IMGSEARCH_ELIMIT, try_one(s, 3, "cat", NULL, &id, &err));
	assert_int_equal(id, 5);
	assert_int_equal(scene_vectors(s), 3);
	works(imgsearch_index_remove(s, &big, 1, NULL, NULL, &err)); /* it was given */
	fails(IMGSEARCH_ELIMIT, try_one(s, 3, NULL, NULL, &id, &err));
	many(s, 3, 1, &(int64_t){ 3 }); /* an id of one's own is still fine */
	nearest(s, 3, 3, "id:3");
	imgsearch_close(s);
}

static void negative_and_repeated(void **state)
{
	(void)state;
	imgsearch *s = memory();
	static const int64_t bad[] = { -1, INT64_MIN }, twice[] = { 5, 0, 5 };
	for (int i = 0; i < 2; i++) {
		fails(IMGSEARCH_EINVAL,
			imgsearch_vectors_add(s, rows[0], 1, DIM, WITH_IDS(&bad[i]), NULL, NULL, &err));
		fails(IMGSEARCH_EINVAL, try_one(s, 0, NULL, &bad[i], NULL, &err));
	}
	fails(IMGSEARCH_EINVAL,
		imgsearch_vectors_add(s, rows[0], 3, DIM, WITH_IDS(twice), NULL, NULL, &err));
	assert_int_equal(scene_vectors(s), 0);
	assert_int_equal(many(s, 0, 1, NULL), 0);
	imgsearch_close(s);
}

static void an_id_and_a_name(void **state)
{
	(void)state;
	imgsearch *s = memory();
	int64_t id = -1, asked = 42;
	works(try_one(s, 0, "cat", &asked, &id, &err));
	assert_int_equal(id, 42);
	nearest(s, 0, 42, "cat");
	asked = 43;
	fails(IMGSEARCH_EINVAL, try_one(s, 1, "cat", &asked, &id, &err));
	assert_int_equal(scene_vectors(s), 1);
	works(try_one(s, 1, NULL, &asked, &id, &err)); /* without a name */
	assert_int_equal(id, 43);
	nearest(s, 1, 43, "id:43");
	asked = 42;
	works(try_one(s, 2, "dog", &asked, &id, &err)); /* another name for it */
	nearest(s, 2, 42, "dog");
	fails(IMGSEARCH_ENOTFOUND, imgsearch_item_find(s, "cat", &id, &err));
	fails(IMGSEARCH_ENOTFOUND, imgsearch_item_find(s, "id:42", &id, &err));
	assert_int_equal(scene_vectors(s), 2);
	imgsearch_close(s);
}

static void a_name_that_looks_like_an_id(void **state)
{
	(void)state;
	imgsearch *s = memory();
	int64_t first = one(s, 0, "id:2"), second = one(s, 1, NULL), third = one(s, 2, NULL);
	char name[40];
	assert_true(first != 2 && second != first && second != 2 && third > second);
	assert_int_equal(scene_vectors(s), 3);
	nearest(s, 0, first, "id:2");
	snprintf(name, sizeof name, "id:%lld", (long long)second);
	nearest(s, 1, second, name);
	snprintf(name, sizeof name, "id:%lld", (long long)third);
	nearest(s, 2, third, name);
	many(s, 3, 1, &(int64_t){ 2 }); /* asked for: the given name is found before it */
	assert_int_equal(scene_vectors(s), 4);
	int64_t found;
	works(imgsearch_item_find(s, "id:2", &found, &err));
	assert_int_equal(found, first);
	imgsearch_close(s);
}

static void no_id_is_given_again(void **state)
{
	scene *sc = *state;
	int64_t three[] = { 0, 1, 2 };
	for (int in_file = 0; in_file < 2; in_file++) {
		imgsearch *s = in_file ? scene_open(sc) : memory();
		assert_int_equal(many(s, 0, 3, NULL), 0);
		works(imgsearch_index_remove(s, three, 3, NULL, NULL, &err));
		if (in_file) {
			imgsearch_close(s);
			s = scene_open(sc);
		}
		assert_int_equal(scene_vectors(s), 0);
		assert_int_equal(many(s, 3, 1, NULL), 3);
		works(imgsearch_index_remove(s, &(int64_t){ 3 }, 1, NULL, NULL, &err));
		assert_int_equal(one(s, 3, NULL), 4);
		works(imgsearch_index_remove(s, &(int64_t){ 4 }, 1, NULL, NULL, &err));
		assert_int_equal(one(s, 3, "name"), 5);
		works(imgsearch_index_remove(s, &(int64_t){ 5 }, 1, NULL, NULL, &err));
		assert_int_equal(one(s, 4, "name"), 6);
		many(s, 0, 1, &(int64_t){ 100 });
		works(imgsearch_index_remove(s, &(int64_t){ 100 }, 1, NULL, NULL, &err));
		assert_int_equal(many(s, 0, 1, NULL), 101);
		imgsearch_close(s);
	}
	imgsearch *s = memory(); /* the id 0 alone */
	assert_int_equal(many(s, 0, 1, NULL), 0);
	works(imgsearch_index_remove(s, three, 1, NULL, NULL, &err));
	assert_int_equal(many(s, 1, 1, NULL), 1);
	nearest(s, 1, 1, "id:1");
	imgsearch_close(s);
}

static void equal_ids_count_once(void **state)
{
	(void)state;
	imgsearch *s = memory();
	int64_t twice[] = { 1, 1 }, mixed[] = { 3, 2, 3, 2 }, unknown[] = { 0, 9, 0 };
	imgsearch_transaction *t;
	many(s, 0, 6, NULL);
	works(imgsearch_index_remove(s, twice, 2, NULL, NULL, &err));
	assert_int_equal(scene_vectors(s), 5);
	fails(IMGSEARCH_ENOTFOUND, imgsearch_index_remove(s, twice, 2, NULL, NULL, &err));
	fails(IMGSEARCH_ENOTFOUND, imgsearch_index_remove(s, unknown, 3, NULL, NULL, &err));
	assert_int_equal(scene_vectors(s), 5);
	works(imgsearch_index_keep_out(s, mixed, 4, NULL, &err));
	assert_int_equal(scene_vectors(s), 3);
	works(imgsearch_index_readmit(s, mixed, 4, NULL, &err));
	assert_int_equal(scene_vectors(s), 5);
	fails(IMGSEARCH_ENOTFOUND, imgsearch_index_keep_out(s, unknown, 3, NULL, &err));
	assert_int_equal(scene_vectors(s), 5);
	works(imgsearch_transaction_begin(s, NULL, &t, &err));
	imgsearch_index_remove_options o = { .struct_size = sizeof o, .transaction = t };
	works(imgsearch_index_remove(s, mixed, 4, &o, NULL, &err));
	works(imgsearch_transaction_commit(t, NULL, &err));
	imgsearch_transaction_free(t);
	assert_int_equal(scene_vectors(s), 3);
	/* a filter too */
	int64_t five[] = { 5, 5, 5, 4 };
	imgsearch_filter filter = { .struct_size = sizeof filter, .ids = five, .n_ids = 4 };
	imgsearch_query_options q = { .struct_size = sizeof q, .filter = &filter };
	imgsearch_input in = imgsearch_input_vector(rows[0], DIM);
	imgsearch_hits *hits;
	works(imgsearch_query(s, &in, 1, &q, NULL, &hits, &err));
	assert_int_equal(hits->count, 2);
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

static void names_in_results_are_found(void **state)
{
	(void)state;
	imgsearch *s = memory();
	int64_t id = 77;
	many(s, 0, 2, (const int64_t[]){ 0, 500 });
	one(s, 2, "named");
	one(s, 3, NULL);
	for (int i = 0; i < 4; i++)
		nearest(s, i, (const int64_t[]){ 0, 500, 501, 502 }[i],
			(const char *[]){ "id:0", "id:500", "named", "id:502" }[i]);
	static const char *const none[] = { "id:1", "id:501", "id:00", "id:", "id:+0", "id: 0",
		"id:500 ", "ID:0", "id:-1", "id:99999999999999999999", "0" };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		fails(IMGSEARCH_ENOTFOUND, imgsearch_item_find(s, none[i], &id, &err));
	assert_int_equal(id, 77);
	works(imgsearch_index_keep_out(s, &(int64_t){ 500 }, 1, NULL, &err)); /* is an item still */
	works(imgsearch_item_find(s, "id:500", &id, &err));
	assert_int_equal(id, 500);
	imgsearch_close(s);
}

/* dim and metric; whether it has a model. */
static void is_of_own_vectors(imgsearch *s, uint32_t dim, uint32_t metric)
{
	imgsearch_info *info;
	works(imgsearch_info_get(s, NULL, &info, &err));
	assert_null(info->model);
	assert_int_equal(info->dim, dim);
	assert_int_equal(info->metric, metric);
	imgsearch_info_free(info);
}

/* Where all own vectors were removed, the index is still of own vectors. */
static void an_emptied_index_stays_of_own_vectors(void **state)
{
	scene *sc = *state;
	photo(sc, "a.png", 1);
	const char *path = sc->photos;
	imgsearch_error err = { 0 };
	imgsearch *s;
	int64_t ids[2];
	imgsearch_options o = { .struct_size = sizeof o, .metric = IMGSEARCH_METRIC_L2 };
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	works(imgsearch_vectors_add(s, rows[0], 2, DIM, NULL, NULL, ids, &err));
	for (int emptied = 0; emptied < 2; emptied++) {
		fails(IMGSEARCH_EMODEL, imgsearch_index_update(s, &path, 1, NULL, NULL, NULL, &err));
		if (imgsearch_index_update(s, &path, 1, NULL, NULL, NULL, &err) == IMGSEARCH_EMODEL)
			assert_non_null(strstr(err.message, "the caller's own vectors"));
		is_of_own_vectors(s, DIM, IMGSEARCH_METRIC_L2);
		if (!emptied)
			works(imgsearch_index_remove(s, ids, 2, NULL, NULL, &err));
	}
	imgsearch_close(s);
	s = scene_open(sc);
	fails(IMGSEARCH_EMODEL, imgsearch_index_update(s, &path, 1, NULL, NULL, NULL, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_vectors_add(s, rows[0], 1, 2, NULL, NULL, NULL, &err));
	works(imgsearch_vectors_add(s, rows[0], 1, DIM, NULL, NULL, NULL, &err));
	is_of_own_vectors(s, DIM, IMGSEARCH_METRIC_L2);
	imgsearch_close(s);
	s = memory();
	assert_int_equal(scene_index(s, path).indexed, 1);
	imgsearch_close(s);
	o.dim = DIM; /* of own vectors, before the first one */
	works(imgsearch_open(":memory:", &o, NULL, &s, &err));
	fails(IMGSEARCH_EMODEL, imgsearch_index_update(s, &path, 1, NULL, NULL, NULL, &err));
	imgsearch_close(s);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		test(after_the_largest_id),
		test(negative_and_repeated),
		test(an_id_and_a_name),
		test(a_name_that_looks_like_an_id),
		test(no_id_is_given_again),
		test(equal_ids_count_once),
		test(names_in_results_are_found),
		test(an_emptied_index_stays_of_own_vectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Pictures that were deleted on purpose: no run and no addition takes them in, until readmitted. */
#include "scene.h"

enum { PHOTOS = 6 };

static atomic_int inputs; /* that went through the network since watch() */

static void on_run(size_t n)
{
	atomic_fetch_add(&inputs, (int)n);
}

/* The fake network must be loaded. */
static void watch(void)
{
	scene_on_run(on_run);
	atomic_store(&inputs, 0);
}

static scene_counts run(imgsearch *s, uint64_t deleted)
{
	scene_counts c = scene_index(s, NULL);
	assert_int_equal(c.deleted, deleted);
	assert_int_equal(c.seen, c.indexed + c.duplicate + c.damaged + c.deleted);
	return c;
}

#define fails_saying(code_, words, call) \
	do { \
		imgsearch_error err = { 0 }; \
		assert_int_equal((call), code_); \
		if (!strstr(err.message, words)) \
			fail_msg("%s: no \"%s\" in it", err.message, words); \
	} while (0)

/* 0.png to 5.png, and copy.png, which has the bytes of 0.png. */
static imgsearch *with_photos(const scene *sc)
{
	char name[20];
	for (unsigned i = 0; i < PHOTOS; i++) {
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
	photo(sc, "copy.png", 0);
	imgsearch *s = scene_open(sc);
	assert_int_equal(scene_index(s, sc->photos).indexed, PHOTOS);
	return s;
}

static void vector_of(imgsearch *s, int64_t id, float v[48])
{
	uint8_t found;
	works(imgsearch_vectors_get(s, &id, 1, NULL, v, 48, &found, &err));
	assert_true(found);
}

/* Whether a query with this vector finds the picture. */
static bool finds(imgsearch *s, const float *v, const char *searcher, int64_t id)
{
	imgsearch_input in = imgsearch_input_vector(v, 48);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_hits *hits;
	bool found = false;
	o.searcher = searcher;
	o.k = 1000;
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	if (searcher)
		assert_string_equal(hits->searcher, searcher);
	for (size_t i = 0; i < hits->count; i++)
		found |= hits->items[i]->id == id;
	imgsearch_hits_free(hits);
	return found;
}

static uint32_t state_of(imgsearch *s, int64_t id)
{
	imgsearch_item *item;
	works(imgsearch_item_get(s, id, &item, &err));
	uint32_t state = item->state;
	imgsearch_item_free(item);
	return state;
}

static void stays_out_until_readmitted(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_photos(sc);
	float v[48];
	int64_t a = id_of(s, sc, "0.png"), copy = id_of(s, sc, "copy.png"), later, name;
	vector_of(s, a, v);
	watch();
	assert_true(finds(s, v, NULL, a));
	works(imgsearch_index_keep_out(s, &copy, 1, NULL, &err));
	assert_false(finds(s, v, NULL, a));
	scene_counts c = run(s, 2);
	assert_int_equal(c.indexed, PHOTOS - 1);
	assert_int_equal(c.unchanged, PHOTOS + 1);
	assert_int_equal(c.added + c.moved + c.removed, 0);
	photo(sc, "later.png", 0); /* the same bytes under a new name */
	c = run(s, 3);
	assert_int_equal(c.added + c.moved + c.removed, 0);
	later = id_of(s, sc, "later.png");
	assert_int_equal(state_of(s, later), IMGSEARCH_STATE_DELETED);
	shell("cd '%s' && mkdir sub && mv 0.png sub/moved.png && rm copy.png", sc->photos);
	c = run(s, 2); /* the moved one is still deleted; the one that is gone keeps its row */
	assert_int_equal(c.moved, 1);
	assert_int_equal(c.added + c.removed, 0);
	assert_int_equal(id_of(s, sc, "sub/moved.png"), a);
	assert_int_equal(id_of(s, sc, "copy.png"), copy);
	photo(sc, "later.png", 77); /* other bytes at a path that was deleted */
	shell("touch -d 2030-01-01 '%s/later.png'", sc->photos);
	name = id_of(s, sc, "later.png");
	run(s, 2);
	assert_int_equal(state_of(s, name), IMGSEARCH_STATE_DELETED);
	shell("cd '%s' && rm sub/moved.png later.png", sc->photos);
	run(s, 0);
	photo(sc, "back.png", 0); /* its row kept the bytes out also without a file */
	run(s, 1);
	assert_int_equal(id_of(s, sc, "back.png"), a);
	assert_int_equal(state_of(s, a), IMGSEARCH_STATE_DELETED);
	works(imgsearch_index_readmit(s, &a, 1, NULL, &err));
	assert_true(finds(s, v, NULL, a));
	assert_int_equal(state_of(s, copy), IMGSEARCH_STATE_DUPLICATE);
	assert_int_equal(atomic_load(&inputs), 0);
	c = run(s, 0);
	assert_int_equal(c.removed, 2); /* those whose files are gone are no exception any more */
	assert_int_equal(atomic_load(&inputs), 0);
	imgsearch_close(s);
}

static void searchers_that_are_loaded_drop_it(void **state)
{
	static const char *const names[] = { "exact", "graph", "kdtree", "pca" };
	scene *sc = *state;
	imgsearch *s = with_photos(sc);
	float rows[400][48], v[48];
	int64_t a = id_of(s, sc, "0.png"), own = 5000;
	uint64_t seed = 3;
	vector_of(s, a, v);
	for (int i = 0; i < 400; i++)
		for (int j = 0; j < 48; j++)
			rows[i][j] = (float)ims_random_unit(&seed);
	works(imgsearch_vectors_add(s, rows[0], 400, 48, NULL, NULL, NULL, &err));
	works(imgsearch_vectors_add(s, rows[7], 1, 48, WITH_IDS(&own), NULL, NULL, &err));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		imgsearch_build_options o = IMGSEARCH_INIT(imgsearch_build_options);
		o.searcher = names[i];
		works(imgsearch_build(s, &o, NULL, NULL, &err));
		assert_true(finds(s, v, names[i], a));
		assert_true(finds(s, rows[7], names[i], own));
		const int64_t both[] = { a, own };
		works(imgsearch_index_keep_out(s, both, 2, NULL, &err));
		assert_false(finds(s, v, names[i], a));
		assert_false(finds(s, rows[7], names[i], own));
		works(imgsearch_index_readmit(s, both, 2, NULL, &err));
		assert_true(finds(s, v, names[i], a));
		assert_true(finds(s, rows[7], names[i], own));
	}
	imgsearch_close(s);
}

static void additions_are_refused(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_photos(sc);
	char path[400];
	buf bytes = { 0 };
	float v[48] = { 1 };
	int64_t a = id_of(s, sc, "0.png"), own = 700;
	snprintf(path, sizeof path, "%s/0.png", sc->photos);
	works(ims_read_file(&bytes, path, 1 << 20, &err));
	works(imgsearch_vectors_add(s, v, 1, 48, WITH_IDS(&own), NULL, NULL, &err));
	works(imgsearch_index_keep_out(s, &a, 1, NULL, &err));
	works(imgsearch_index_keep_out(s, &own, 1, NULL, &err));
	watch();
	imgsearch_input file = imgsearch_input_file(path),
					memory = imgsearch_input_bytes(bytes.data, bytes.len),
					vector = imgsearch_input_vector(v, 48);
	fails_saying(IMGSEARCH_EINVAL, path, imgsearch_index_add(s, &file, NULL, NULL, NULL, &err));
	fails_saying(IMGSEARCH_EINVAL, "is kept out on purpose",
		imgsearch_index_add(s, &file, NAMED("another name"), NULL, NULL, &err));
	fails_saying(IMGSEARCH_EINVAL, "kept out on purpose",
		imgsearch_index_add(s, &memory, NAMED("a name"), NULL, NULL, &err));
	fails_saying(IMGSEARCH_EINVAL, "kept out on purpose",
		imgsearch_index_add(s, &vector, NAMED(path), NULL, NULL, &err));
	fails_saying(IMGSEARCH_EINVAL, "700",
		imgsearch_vectors_add(s, v, 1, 48, WITH_IDS(&own), NULL, NULL, &err));
	draw(path, 99);
	fails_saying(IMGSEARCH_EINVAL, path, imgsearch_index_add(s, &file, NULL, NULL, NULL, &err));
	assert_int_equal(atomic_load(&inputs), 0);
	works(imgsearch_index_readmit(s, &a, 1, NULL, &err));
	works(imgsearch_index_add(s, &file, NAMED("another name"), NULL, NULL, &err));
	ims_buf_free(&bytes);
	imgsearch_close(s);
}

static void removal_forgets_it(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_photos(sc);
	int64_t a = id_of(s, sc, "1.png");
	works(imgsearch_index_keep_out(s, &a, 1, NULL, &err));
	works(imgsearch_index_remove(s, &a, 1, NULL, NULL, &err));
	scene_counts c = run(s, 0);
	assert_int_equal(c.added, 1);
	assert_int_equal(c.indexed, PHOTOS);
	assert_true(id_of(s, sc, "1.png") > a);
	imgsearch_close(s);
}

static void all_or_none(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_photos(sc);
	int64_t a = id_of(s, sc, "1.png"), b = id_of(s, sc, "2.png"), c = id_of(s, sc, "copy.png"),
			d = id_of(s, sc, "0.png");
	const int64_t wrong[] = { a, 999 }, mixed[] = { a, b }, twins[] = { c, d, c };
	fails_saying(IMGSEARCH_ENOTFOUND, "999", imgsearch_index_keep_out(s, wrong, 2, NULL, &err));
	assert_int_equal(state_of(s, a), IMGSEARCH_STATE_INDEXED);
	works(imgsearch_index_keep_out(s, &a, 1, NULL, &err));
	fails_saying(IMGSEARCH_EINVAL, "is not kept out",
		imgsearch_index_readmit(s, mixed, 2, NULL, &err));
	fails_saying(IMGSEARCH_ENOTFOUND, "999", imgsearch_index_readmit(s, wrong, 2, NULL, &err));
	assert_int_equal(state_of(s, a), IMGSEARCH_STATE_DELETED);
	works(imgsearch_index_keep_out(s, twins, 3, NULL, &err));
	works(imgsearch_index_readmit(s, twins, 3, NULL, &err));
	assert_int_equal(state_of(s, c), IMGSEARCH_STATE_DUPLICATE);
	works(imgsearch_index_keep_out(s, NULL, 0, NULL, &err));
	imgsearch_close(s);
}

/* The vector that was kept is of another model then. */
static void after_a_reindex_the_next_run_reads_it(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_photos(sc);
	int64_t a = id_of(s, sc, "0.png"), copy = id_of(s, sc, "copy.png");
	works(imgsearch_index_keep_out(s, &a, 1, NULL, &err));
	imgsearch_close(s);
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.recipe = &(imgsearch_recipe){ .struct_size = sizeof *o.recipe, .resize = 40, .crop = 40 };
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	assert_int_equal(run(s, 2).indexed, PHOTOS - 1);
	works(imgsearch_index_readmit(s, &a, 1, NULL, &err));
	assert_int_equal(state_of(s, a), IMGSEARCH_STATE_UNREADABLE);
	scene_counts c = run(s, 0);
	assert_int_equal(c.indexed, PHOTOS);
	assert_int_equal(c.duplicate, 1);
	assert_int_equal(c.added, 0);
	assert_int_equal(state_of(s, a), IMGSEARCH_STATE_INDEXED);
	assert_int_equal(state_of(s, copy), IMGSEARCH_STATE_DUPLICATE);
	imgsearch_close(s);
}

/* Deleted while vectors are made anew, and readmitted before that ends. */
static void in_the_middle_of_a_reindex(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_photos(sc);
	int64_t a = id_of(s, sc, "0.png");
	imgsearch_close(s);
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.recipe = &(imgsearch_recipe){ .struct_size = sizeof *o.recipe, .resize = 40, .crop = 40 };
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	shell("mv '%s' '%s/away'", sc->photos, sc->dir); /* so that it cannot end */
	run(s, 0);
	shell("mv '%s/away' '%s'", sc->dir, sc->photos);
	works(imgsearch_index_keep_out(s, &a, 1, NULL, &err));
	works(imgsearch_index_readmit(s, &a, 1, NULL, &err));
	assert_int_equal(run(s, 0).indexed, PHOTOS);
	imgsearch_info *info;
	works(imgsearch_info_get(s, NULL, &info, &err));
	assert_null(info->reindex);
	assert_int_equal(info->vectors, PHOTOS);
	imgsearch_info_free(info);
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stays_out_until_readmitted),
		TEST(searchers_that_are_loaded_drop_it),
		TEST(additions_are_refused),
		TEST(removal_forgets_it),
		TEST(all_or_none),
		TEST(after_a_reindex_the_next_run_reads_it),
		TEST(in_the_middle_of_a_reindex),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Items and vectors of the public header, and the fields of hits. */
#include "scene.h"

#include <math.h>

enum { DIM = 48 };

/*
 * a.png and b.png below photos, copy.png with the bytes of a.png, bad.png that is none; a title and
 * an artist for a.png; a named picture and vector, and a bare vector 500.
 */
static imgsearch *mixed(const scene *sc)
{
	char csv[200], path[200];
	const char *paths[] = { sc->photos };
	float row[DIM] = { 1, 2, 3 };
	int64_t bare = 500;
	photo(sc, "a.png", 1);
	photo(sc, "b.png", 2);
	photo(sc, "copy.png", 1);
	shell("echo text > '%s/bad.png'", sc->photos);
	snprintf(csv, sizeof csv, "%s/t.csv", sc->dir);
	shell("printf 'file,title,artist\\na.png,A title,Somebody\\n' > '%s'", csv);
	snprintf(path, sizeof path, "%s/single.png", sc->dir);
	draw(path, 3);
	imgsearch_input in = imgsearch_input_file(path), vector = imgsearch_input_vector(row, DIM);
	imgsearch_index_update_options o = { .struct_size = sizeof o, .csv = csv };
	imgsearch *s = scene_open(sc);
	scene_update(s, paths, 1, &o);
	works(imgsearch_index_add(s, &in, NAMED("a name"), NULL, NULL, &err));
	works(imgsearch_index_add(s, &vector, NAMED("a vector"), NULL, NULL, &err));
	works(imgsearch_vectors_add(s, row, 1, DIM, WITH_IDS(&bare), NULL, NULL, &err));
	return s;
}

static int64_t find(imgsearch *s, const char *name)
{
	int64_t id = -1;
	works(imgsearch_item_find(s, name, &id, &err));
	return id;
}

static void vectors_come_as_they_were_added(void **state)
{
	scene *sc = *state;
	float rows[6][DIM], extracted[DIM];
	uint8_t there[6];
	char path[200];
	imgsearch *s = mixed(sc);
	snprintf(path, sizeof path, "%s/a.png", sc->photos);
	imgsearch_input in = imgsearch_input_file(path);
	imgsearch_extract_options raw = { .struct_size = sizeof raw, .raw = 1 };
	works(imgsearch_extract(s, &in, 1, &raw, NULL, extracted, DIM, NULL, &err));
	const int64_t ids[] = { id_of(s, sc, "a.png"), 999, 500, id_of(s, sc, "bad.png"), -3, 500 };
	works(imgsearch_vectors_get(s, ids, 6, NULL, rows[0], 6 * DIM, there, &err));
	const uint8_t wanted[] = { 1, 0, 1, 0, 0, 1 };
	assert_memory_equal(there, wanted, sizeof wanted);
	assert_memory_equal(rows[0], extracted, sizeof extracted);
	assert_true(rows[2][0] == 1 && rows[2][1] == 2 && rows[2][2] == 3 && rows[2][3] == 0);
	assert_memory_equal(rows[2], rows[5], sizeof *rows);
	for (int i = 0; i < 6; i++)
		for (int d = 0; d < DIM; d++)
			assert_int_equal(isnan(rows[i][d]) != 0, !wanted[i]);
	/* too small a buffer: nothing is written */
	memset(rows, 0, sizeof rows);
	memset(there, 7, sizeof there);
	fails(IMGSEARCH_EINVAL,
		imgsearch_vectors_get(s, ids, 6, NULL, rows[0], 6 * DIM - 1, there, &err));
	for (size_t i = 0; i < sizeof rows; i++)
		assert_int_equal(((unsigned char *)rows)[i], 0);
	assert_int_equal(there[0], 7);
	works(imgsearch_vectors_get(s, ids, 6, NULL, rows[0], 6 * DIM, NULL, &err));
	works(imgsearch_vectors_get(s, NULL, 0, NULL, NULL, 0, NULL, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_vectors_get(s, NULL, 1, NULL, rows[0], DIM, NULL, &err));
	imgsearch_close(s);
}

static void many_vectors(void **state)
{
	enum { N = 3000 };
	static float rows[N][4], got[N][4];
	static int64_t ids[N];
	static uint8_t there[N];
	imgsearch *s = scene_open(*state);
	for (int i = 0; i < N; i++) {
		rows[i][i % 4] = (float)i + 1;
		ids[i] = (int64_t)i * 7 % N;
	}
	works(imgsearch_vectors_get(s, ids, 2, NULL, got[0], 0, there, &err)); /* no dimension yet */
	assert_int_equal(there[0], 0);
	works(imgsearch_vectors_add(s, rows[0], N, 4, NULL, NULL, NULL, &err));
	works(imgsearch_vectors_get(s, ids, N, NULL, got[0], sizeof got / sizeof **got, there, &err));
	for (int i = 0; i < N; i++) {
		assert_int_equal(there[i], 1);
		assert_memory_equal(got[i], rows[ids[i]], sizeof *rows);
	}
	works(imgsearch_item_exists(s, ids, N, there, &err));
	for (int i = 0; i < N; i++)
		assert_int_equal(there[i], 1);
	imgsearch_close(s);
}

static void items_exist_in_every_state(void **state)
{
	scene *sc = *state;
	uint8_t there[9];
	imgsearch *s = mixed(sc);
	const int64_t ids[9] = { id_of(s, sc, "a.png"), id_of(s, sc, "copy.png"),
		id_of(s, sc, "bad.png"), find(s, "a name"), find(s, "a vector"), 500, 999, -1, INT64_MAX };
	const uint8_t wanted[9] = { 1, 1, 1, 1, 1, 1, 0, 0, 0 };
	works(imgsearch_item_exists(s, ids, 9, there, &err));
	assert_memory_equal(there, wanted, sizeof wanted);
	works(imgsearch_index_keep_out(s, &ids[3], 3, NULL, &err)); /* deleted, and items still */
	works(imgsearch_item_exists(s, ids, 9, there, &err));
	assert_memory_equal(there, wanted, sizeof wanted);
	imgsearch_item *item;
	for (int i = 3; i < 6; i++) {
		works(imgsearch_item_get(s, ids[i], &item, &err));
		assert_int_equal(item->state, IMGSEARCH_STATE_DELETED);
		assert_int_equal(item->has_vector, 0);
		imgsearch_item_free(item);
	}
	works(imgsearch_index_remove(s, &ids[3], 3, NULL, NULL, &err));
	works(imgsearch_item_exists(s, ids, 9, there, &err));
	for (int i = 3; i < 6; i++)
		assert_int_equal(there[i], 0);
	works(imgsearch_item_exists(s, NULL, 0, NULL, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_item_exists(s, NULL, 1, there, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_item_exists(s, ids, 1, NULL, &err));
	imgsearch_close(s);
}

static void items_are_found_by_path_or_name(void **state)
{
	scene *sc = *state;
	char path[200];
	int64_t id = 77;
	imgsearch *s = mixed(sc);
	static const char *const files[] = { "a.png", "b.png", "copy.png", "bad.png" };
	for (int i = 0; i < 4; i++) {
		imgsearch_item *item;
		snprintf(path, sizeof path, "%s/%s", sc->photos, files[i]);
		works(imgsearch_item_get(s, find(s, path), &item, &err));
		assert_string_equal(item->path, path);
		imgsearch_item_free(item);
	}
	assert_true(find(s, "a name") > 0 && find(s, "a vector") > 0);
	assert_true(find(s, "a name") != find(s, "a vector"));
	static const char *const none[] = { "a.png", "a nam", "", "/", "/nowhere/a.png" };
	for (int i = 0; i < 5; i++)
		fails(IMGSEARCH_ENOTFOUND, imgsearch_item_find(s, none[i], &id, &err));
	fails(IMGSEARCH_ENOTFOUND, imgsearch_item_find(s, sc->photos, &id, &err));
	assert_int_equal(id, 77);
	fails(IMGSEARCH_EINVAL, imgsearch_item_find(s, NULL, &id, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_item_find(s, "a name", NULL, &err));
	imgsearch_close(s);
}

static void an_item_says_what_is_known(void **state)
{
	scene *sc = *state;
	char path[200];
	struct stat st;
	imgsearch_item *a, *copy, *bad, *bare, *item;
	imgsearch *s = mixed(sc);
	snprintf(path, sizeof path, "%s/a.png", sc->photos);
	assert_int_equal(stat(path, &st), 0);
	works(imgsearch_item_get(s, id_of(s, sc, "a.png"), &a, &err));
	works(imgsearch_item_get(s, id_of(s, sc, "copy.png"), &copy, &err));
	works(imgsearch_item_get(s, id_of(s, sc, "bad.png"), &bad, &err));
	works(imgsearch_item_get(s, 500, &bare, &err));
	item = (imgsearch_item *)&st;
	fails(IMGSEARCH_ENOTFOUND, imgsearch_item_get(s, 999, &item, &err));
	assert_null(item);
	imgsearch_close(s); /* items outlive it */
	assert_int_equal(a->state, IMGSEARCH_STATE_INDEXED);
	assert_int_equal(a->offline + a->partial, 0);
	assert_int_equal(a->has_vector, 1);
	assert_int_equal(a->bytes, st.st_size);
	assert_int_equal(a->mtime_seconds, st.st_mtim.tv_sec);
	assert_int_equal(a->mtime_nanoseconds, st.st_mtim.tv_nsec);
	assert_true(a->width == 48 && a->height == 48);
	assert_int_equal(strlen(a->hash), 64);
	assert_string_equal(a->title, "A title");
	assert_null(a->reason);
	assert_int_equal(a->columns->count, 3);
	assert_string_equal(a->columns->items[2]->name, "artist");
	assert_string_equal(a->columns->items[2]->value, "Somebody");
	assert_int_equal(copy->state, IMGSEARCH_STATE_DUPLICATE);
	assert_int_equal(copy->same_as, a->id);
	assert_string_equal(copy->hash, a->hash);
	assert_string_equal(copy->title, "A title"); /* its original's */
	assert_int_equal(bad->state, IMGSEARCH_STATE_UNSUPPORTED);
	assert_true(bad->reason && *bad->reason);
	assert_int_equal(bad->has_vector, 0);
	assert_int_equal(bare->has_vector, 1);
	assert_string_equal(bare->hash, "");
	assert_null(bare->title);
	assert_int_equal(bare->columns->count, 0);
	imgsearch_item_free(a);
	imgsearch_item_free(copy);
	imgsearch_item_free(bad);
	imgsearch_item_free(bare);
	imgsearch_item_free(NULL);
}

static int stop_at_second(void *user, const imgsearch_item *item)
{
	(void)item;
	return ++*(int *)user == 2 ? 12345 : 0;
}

static int stop_at_block(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim)
{
	(void)ids, (void)rows, (void)dim;
	*(size_t *)user += n;
	return 54321;
}

/* Its number is returned, and err is left alone. */
static void a_callback_stops_a_list(void **state)
{
	scene *sc = *state;
	int seen = 0;
	size_t vectors = 0;
	imgsearch_error err = { .code = 99 };
	imgsearch *s = mixed(sc);
	assert_int_equal(imgsearch_item_each(s, 0, stop_at_second, &seen, NULL, &err), 12345);
	assert_int_equal(seen, 2);
	assert_int_equal(imgsearch_vectors_each(s, stop_at_block, &vectors, NULL, &err), 54321);
	assert_int_equal(vectors, 5);
	assert_int_equal(err.code, 99);
	seen = 10;
	assert_int_equal(imgsearch_item_each(s, IMGSEARCH_STATE_DUPLICATE, stop_at_second, &seen, NULL,
						 &err),
		0);
	assert_int_equal(seen, 11);
	fails(IMGSEARCH_EINVAL, imgsearch_item_each(s, 10, stop_at_second, &seen, NULL, &err));
	imgsearch_close(s);
}

static int stop_item(void *user, const imgsearch_item *item)
{
	return (void)item, *(int *)user;
}

static int stop_rows(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim)
{
	return (void)ids, (void)rows, (void)n, (void)dim, *(int *)user;
}

static int stop_model(void *user, const imgsearch_model *model)
{
	return (void)model, *(int *)user;
}

/* A negative number stops as any other, also where a status has the same. */
static void a_callback_may_return_a_negative_number(void **state)
{
	imgsearch_error err = { .code = 99 };
	imgsearch *s = mixed(*state);
	for (int number = -20; number < 0; number++) {
		assert_int_equal(imgsearch_item_each(s, 0, stop_item, &number, NULL, &err), number);
		assert_int_equal(imgsearch_vectors_each(s, stop_rows, &number, NULL, &err), number);
		assert_int_equal(imgsearch_model_each(stop_model, &number, &err), number);
	}
	assert_int_equal(err.code, 99);
	imgsearch_close(s);
}

static void hits_have_the_fields_that_are_asked_for(void **state)
{
	scene *sc = *state;
	imgsearch_hits *all, *paths, *ids, *one;
	imgsearch *s = mixed(sc);
	int64_t a = id_of(s, sc, "a.png");
	imgsearch_input in = imgsearch_input_item(a);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	works(imgsearch_query(s, &in, 1, &o, NULL, &all, &err));
	o.fields = IMGSEARCH_FIELDS_PATHS;
	works(imgsearch_query(s, &in, 1, &o, NULL, &paths, &err));
	o.fields = IMGSEARCH_FIELDS_IDS;
	works(imgsearch_query(s, &in, 1, &o, NULL, &ids, &err));
	works(imgsearch_range(s, &in, 0.9999f, &o, NULL, &one, &err));
	o.fields = 3;
	fails(IMGSEARCH_EINVAL,
		imgsearch_query(s, &in, 1, &o, NULL, (imgsearch_hits *[]){ NULL }, &err));
	imgsearch_close(s); /* hits outlive it */
	assert_int_equal(all->count, 5);
	assert_int_equal(paths->count, 5);
	assert_int_equal(ids->count, 5);
	assert_int_equal(one->count, 1);
	assert_null(one->items[0]->path);
	for (size_t i = 0; i < 5; i++) {
		const imgsearch_hit *x = all->items[i], *y = paths->items[i], *z = ids->items[i];
		assert_true(x->id == y->id && x->id == z->id);
		assert_true(x->score == y->score && x->score == z->score);
		assert_true(x->distance == z->distance);
		assert_non_null(x->path);
		assert_string_equal(x->path, y->path);
		assert_non_null(x->columns);
		assert_int_equal(x->columns->count, x->id == a ? 3 : 0);
		assert_int_equal(!x->title, x->id != a);
		assert_true(!y->title && !y->columns);
		assert_true(!z->path && !z->title && !z->columns);
		assert_true(!x->region && !z->paths);
		assert_int_equal(x->paths ? x->paths->count : 0, x->id == a);
		assert_int_equal(y->paths ? y->paths->count : 0, x->id == a);
	}
	assert_int_equal(all->items[0]->id, a);
	assert_string_equal(all->items[0]->title, "A title");
	assert_string_equal(all->items[0]->columns->items[2]->value, "Somebody");
	imgsearch_hits_free(all);
	imgsearch_hits_free(paths);
	imgsearch_hits_free(ids);
	imgsearch_hits_free(one);
	imgsearch_hits_free(NULL);
}

/* All conditions that are given hold. */
static void filters_are_intersected(void **state)
{
	scene *sc = *state;
	char sub[200];
	const char *folders[2] = { sub, "/nowhere" };
	snprintf(sub, sizeof sub, "%s/sub", sc->photos);
	mkdir(sub, 0777);
	photo(sc, "sub/d.png", 9);
	imgsearch *s = mixed(sc);
	int64_t ids[] = { id_of(s, sc, "sub/d.png"), id_of(s, sc, "a.png"), 999, 500 };
	imgsearch_input in = imgsearch_input_item(500);
	imgsearch_filter f = { .struct_size = sizeof f, .folders = folders, .n_folders = 2 };
	imgsearch_query_options o = { .struct_size = sizeof o, .filter = &f };
	imgsearch_hits *hits;
	static const size_t wanted[] = { 1, 1, 2, 0, 0 };
	for (int i = 0; i < 5; i++) {
		if (i == 1)
			f.ids = ids, f.n_ids = 4;
		if (i == 2)
			folders[1] = sc->photos;
		if (i == 3)
			f.n_ids = 0; /* none of no ids */
		if (i == 4)
			f.ids = NULL, f.n_folders = 0;
		works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
		assert_int_equal(hits->count, wanted[i]);
		imgsearch_hits_free(hits);
	}
	f.folders = NULL;
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err)); /* no condition */
	assert_int_equal(hits->count, 6);
	imgsearch_hits_free(hits);
	f.since = 1;
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err)); /* nothing has a date */
	assert_int_equal(hits->count, 0);
	imgsearch_hits_free(hits);
	f.since = 0;
	f.columns = "artist = Somebody";
	fails(IMGSEARCH_EINVAL, imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	f.columns = NULL;
	f.n_ids = 1;
	fails(IMGSEARCH_EINVAL, imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	f.struct_size = 0;
	fails(IMGSEARCH_EINVAL, imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	imgsearch_close(s);
}

static void the_network_is_told_without_being_loaded(void **state)
{
	scene *sc = *state;
	imgsearch_network *n;
	imgsearch *s = scene_open(sc);
	works(imgsearch_network_get(s, &n, &err));
	assert_int_equal(n->usable, 1);
	assert_int_equal(n->loaded, 0);
	assert_int_equal(n->dim, DIM);
	assert_non_null(n->model);
	assert_null(n->runtime);
	assert_null(n->why_not);
	imgsearch_network_free(n);
	photo(sc, "a.png", 1);
	scene_index(s, sc->photos);
	works(imgsearch_network_get(s, &n, &err));
	assert_int_equal(n->loaded, 1);
	assert_string_equal(n->runtime, "fake");
	imgsearch_network_free(n);
	imgsearch_close(s);
	imgsearch_options o = { .struct_size = sizeof o, .model = "nosuch" };
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	works(imgsearch_network_get(s, &n, &err));
	assert_int_equal(n->usable + n->loaded, 0);
	assert_non_null(strstr(n->why_not, "nosuch"));
	imgsearch_network_free(n);
	imgsearch_network_free(NULL);
	imgsearch_close(s);
}

/* Whether a GPU exists is not known before the network is loaded; then it is. */
static void a_device_is_known_when_the_network_is_loaded(void **state)
{
	scene *sc = *state;
	imgsearch_network *n;
	imgsearch *s;
	imgsearch_options o = { .struct_size = sizeof o };
	imgsearch_input in = imgsearch_input_file(sc->photos);
	static const struct {
		const char *device;
		bool known, works;
	} devices[] = { { NULL, true, true }, { "auto", true, true }, { "cpu", true, true },
		{ "cuda:1", false, true }, { "cuda:99", false, false } };
	char path[200];
	photo(sc, "a.png", 1);
	snprintf(path, sizeof path, "%s/a.png", sc->photos);
	in.path = path;
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
		o.device = devices[i].device;
		works(imgsearch_open(":memory:", &o, NULL, &s, &err));
		works(imgsearch_network_get(s, &n, &err));
		assert_int_equal(n->usable, 1);
		assert_int_equal(n->device_known, devices[i].known);
		imgsearch_network_free(n);
		assert_int_equal(imgsearch_index_add(s, &in, NULL, NULL, NULL, NULL),
			devices[i].works ? 0 : IMGSEARCH_EMODEL);
		works(imgsearch_network_get(s, &n, &err));
		assert_int_equal(n->usable, devices[i].works);
		assert_int_equal(n->device_known, devices[i].works);
		assert_true(devices[i].works ? !n->why_not : !!strstr(n->why_not, "cuda:99"));
		imgsearch_network_free(n);
		imgsearch_close(s);
	}
}

/* A new index needs a model that exists; in an existing one the first picture looks for it. */
static void an_unknown_model_is_refused_by_a_new_index(void **state)
{
	scene *sc = *state;
	imgsearch *s;
	imgsearch_options o = { .struct_size = sizeof o, .model = "nosuch" };
	const char *const places[] = { ":memory:", sc->db };
	for (int i = 0; i < 3; i++) { /* the last time the file is there, and empty */
		imgsearch_error err = { 0 };
		if (i == 2)
			shell(": > '%s'", sc->db);
		assert_int_equal(imgsearch_open(places[i % 2 || i], &o, NULL, &s, &err), IMGSEARCH_EMODEL);
		assert_null(s);
		assert_string_equal(err.message,
			"unknown network \"nosuch\" and no weights file of that name");
	}
	struct stat st;
	assert_int_equal(stat(sc->db, &st), 0);
	assert_int_equal(st.st_size, 0);
	imgsearch_close(scene_open(sc));
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	imgsearch_close(s);
	o.must_exist = 1;
	unlink(sc->db);
	fails(IMGSEARCH_ENOTFOUND, imgsearch_open(sc->db, &o, NULL, &s, &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(vectors_come_as_they_were_added),
		TEST(many_vectors),
		TEST(items_exist_in_every_state),
		TEST(items_are_found_by_path_or_name),
		TEST(an_item_says_what_is_known),
		TEST(a_callback_stops_a_list),
		TEST(a_callback_may_return_a_negative_number),
		TEST(hits_have_the_fields_that_are_asked_for),
		TEST(filters_are_intersected),
		TEST(the_network_is_told_without_being_loaded),
		TEST(a_device_is_known_when_the_network_is_loaded),
		TEST(an_unknown_model_is_refused_by_a_new_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Transactions of the public header: what is added is seen by nobody before the commit, and then by
 * all; one that fails, is freed or dies has done nothing.
 *
 *	test_transaction [write INDEX | kill INDEX PICTURE WRITES]
 *
 * With arguments it is a second process of a test: see as_writer and as_victim.
 */
#include "scene.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

enum { DIM = 48 };

static atomic_int inputs; /* of the network */

static void on_run(size_t n)
{
	atomic_fetch_add(&inputs, (int)n);
}

/* ----------------------------------------------------------------------------- short names ---- */

static imgsearch_transaction *begin(imgsearch *s)
{
	imgsearch_transaction *t;
	works(imgsearch_transaction_begin(s, NULL, &t, &err));
	return t;
}

static void commit(imgsearch_transaction *t)
{
	works(imgsearch_transaction_commit(t, NULL, &err));
	imgsearch_transaction_free(t);
}

static int try_add(imgsearch_transaction *t, imgsearch *s, const imgsearch_input *in,
	const char *name, int64_t *id, imgsearch_error *err)
{
	imgsearch_index_add_options o = { .struct_size = sizeof o, .transaction = t, .name = name };
	return imgsearch_index_add(s, in, &o, NULL, id, err);
}

static int64_t add(imgsearch_transaction *t, imgsearch *s, const imgsearch_input *in,
	const char *name)
{
	int64_t id = -1;
	works(try_add(t, s, in, name, &id, &err));
	assert_true(id >= 0);
	return id;
}

static int try_vectors(imgsearch_transaction *t, imgsearch *s, const float *rows, size_t n,
	size_t dim, const int64_t *asked, const char *const *names, int64_t *ids, imgsearch_error *err)
{
	imgsearch_vectors_add_options o = {
		.struct_size = sizeof o,
		.transaction = t,
		.ids = asked,
		.names = names,
	};
	return imgsearch_vectors_add(s, rows, n, dim, &o, NULL, ids, err);
}

static int try_remove(imgsearch_transaction *t, imgsearch *s, const int64_t *ids, size_t n,
	imgsearch_error *err)
{
	imgsearch_index_remove_options o = { .struct_size = sizeof o, .transaction = t };
	return imgsearch_index_remove(s, ids, n, &o, NULL, err);
}

static void remove_one(imgsearch_transaction *t, imgsearch *s, int64_t id)
{
	works(try_remove(t, s, &id, 1, &err));
}

static bool exists(imgsearch *s, int64_t id)
{
	uint8_t there;
	works(imgsearch_item_exists(s, &id, 1, &there, &err));
	return there;
}

static int64_t found(imgsearch *s, const char *name)
{
	int64_t id = -1;
	int rc = imgsearch_item_find(s, name, &id, NULL);
	assert_true(rc == 0 || rc == IMGSEARCH_ENOTFOUND);
	return rc ? -1 : id;
}

/* The path of the item most like a vector. */
static void nearest(imgsearch *s, const float *v, size_t dim, char path[400])
{
	imgsearch_input in = imgsearch_input_vector(v, dim);
	imgsearch_hits *hits;
	works(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err));
	strcpy(path, hits->count ? hits->items[0]->path : "");
	imgsearch_hits_free(hits);
}

static imgsearch_input drawn(const scene *sc, char path[400], const char *name, unsigned number)
{
	snprintf(path, 400, "%s/%s", sc->dir, name);
	draw(path, number);
	return imgsearch_input_file(path);
}

/* An index of one picture, "first", with the network loaded and watched. */
static imgsearch *with_first(const scene *sc, const char *location)
{
	char path[400];
	imgsearch *s;
	imgsearch_input in = drawn(sc, path, "first.png", 1000);
	works(imgsearch_open(location, NULL, NULL, &s, &err));
	assert_int_equal(add(NULL, s, &in, "first"), 1);
	scene_on_run(on_run);
	atomic_store(&inputs, 0);
	return s;
}

/* Row i has its largest value at i. */
static void make_rows(float (*rows)[DIM], size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t d = 0; d < DIM; d++)
			rows[i][d] = d == i ? 5 : 0.1f;
}

/* ---------------------------------------------------------------------------- what is seen ---- */

static void seen_from_the_commit_on(const scene *sc, const char *location)
{
	char path[400], hit[400];
	float rows[3][DIM], v[DIM];
	const char *names[] = { "x", NULL, "z" };
	int64_t ids[3], gone;
	uint8_t there;
	imgsearch *s = with_first(sc, location);
	make_rows(rows, 3);
	imgsearch_input in = drawn(sc, path, "a.png", 1), vector = imgsearch_input_vector(rows[0], DIM);
	imgsearch_transaction *t = begin(s);
	int64_t a = add(t, s, &in, NULL), b = add(t, s, &in, "b");
	works(try_vectors(t, s, rows[0], 3, DIM, NULL, names, ids, &err));
	gone = add(t, s, &vector, "gone");
	remove_one(t, s, gone);
	fails(IMGSEARCH_ENOTFOUND, try_remove(t, s, &gone, 1, &err));
	remove_one(t, s, 1);
	assert_int_equal(add(t, s, &vector, "b"), b); /* replaced: by a vector */
	assert_true(a == 2 && b == 3 && ids[0] == 4 && ids[1] == 5 && ids[2] == 6 && gone == 7);
	/* Nobody sees any of it. */
	assert_int_equal(scene_vectors(s), 1);
	for (int64_t id = 2; id <= 7; id++)
		assert_false(exists(s, id));
	assert_true(exists(s, 1));
	assert_int_equal(found(s, "x"), -1);
	nearest(s, rows[0], DIM, hit);
	assert_string_equal(hit, "first");
	works(imgsearch_vectors_get(s, ids, 1, NULL, v, DIM, &there, &err));
	assert_false(there);
	commit(t);
	/* All see all of it. */
	assert_int_equal(scene_vectors(s), 5);
	assert_false(exists(s, 1) || exists(s, gone));
	assert_int_equal(found(s, path), a);
	assert_int_equal(found(s, "b"), b);
	assert_int_equal(found(s, "x"), ids[0]);
	assert_int_equal(found(s, "z"), ids[2]);
	assert_int_equal(found(s, "first"), -1);
	nearest(s, rows[2], DIM, hit);
	assert_string_equal(hit, "z");
	works(imgsearch_vectors_get(s, &ids[1], 1, NULL, v, DIM, &there, &err));
	assert_true(there);
	assert_memory_equal(v, rows[1], sizeof v);
	works(imgsearch_vectors_get(s, &b, 1, NULL, v, DIM, &there, &err));
	assert_memory_equal(v, rows[0], sizeof v);
	assert_int_equal(add(NULL, s, &vector, "next"), 8); /* an id is given once */
	works(imgsearch_check(s, NULL, NULL, NULL, &err));
	imgsearch_close(s);
}

static void nobody_sees_it_before_the_commit(void **state)
{
	scene *sc = *state;
	seen_from_the_commit_on(sc, sc->db);
	seen_from_the_commit_on(sc, ":memory:");
}

/* Queries of a handle that has answered before, and of another one. */
static void without_a_commit_nothing_happened(void **state)
{
	scene *sc = *state;
	char path[400];
	float rows[2][DIM];
	imgsearch *s = with_first(sc, sc->db);
	make_rows(rows, 2);
	imgsearch_input in = drawn(sc, path, "a.png", 1);
	imgsearch_transaction *t = begin(s);
	add(t, s, &in, "first");
	add(t, s, &in, "a");
	works(try_vectors(t, s, rows[0], 2, DIM, NULL, NULL, NULL, &err));
	remove_one(t, s, 1);
	imgsearch_transaction_free(t);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(scene_vectors(s), 1);
		assert_int_equal(found(s, "first"), 1);
		assert_int_equal(found(s, "a"), -1);
		imgsearch_close(s);
		s = scene_open(sc);
	}
	add(NULL, s, &in, "a"); /* and others can write again */
	imgsearch_transaction_free(NULL);
	commit(begin(s)); /* an empty one */
	assert_int_equal(scene_vectors(s), 2);
	imgsearch_close(s);
}

/* In a new index ids begin at 0 for vectors, at 1 for pictures; names keep them. */
static void ids_of_a_new_index(void **state)
{
	scene *sc = *state;
	char path[400], hit[400];
	float rows[4][DIM];
	const char *names[] = { "zero", "one", NULL, "three" };
	int64_t ids[4];
	make_rows(rows, 4);
	for (int in_transaction = 0; in_transaction < 2; in_transaction++) {
		imgsearch *s;
		works(imgsearch_open(":memory:", NULL, NULL, &s, &err));
		imgsearch_transaction *t = in_transaction ? begin(s) : NULL;
		works(try_vectors(t, s, rows[0], 4, DIM, NULL, names, ids, &err));
		for (int i = 0; i < 4; i++)
			assert_int_equal(ids[i], i);
		if (t)
			commit(t);
		assert_int_equal(scene_vectors(s), 4);
		for (int i = 0; i < 4; i++) {
			nearest(s, rows[i], DIM, hit);
			if (names[i]) {
				assert_string_equal(hit, names[i]);
				assert_int_equal(found(s, names[i]), i);
			}
		}
		imgsearch_input in = drawn(sc, path, "a.png", 1);
		assert_int_equal(add(NULL, s, &in, "picture"), 4);
		assert_int_equal(found(s, "zero"), 0);
		imgsearch_close(s);
		works(imgsearch_open(":memory:", NULL, NULL, &s, &err));
		t = in_transaction ? begin(s) : NULL;
		assert_int_equal(add(t, s, &in, "picture"), 1);
		if (t)
			commit(t);
		assert_int_equal(found(s, "picture"), 1);
		imgsearch_close(s);
	}
}

/* ------------------------------------------------------------------------------- numbering ---- */

static void names_and_ids_that_contradict(void **state)
{
	scene *sc = *state;
	float rows[2][DIM];
	int64_t ids[2] = { 50, 51 };
	const char *names[2] = { "fifty", "fifty-one" };
	imgsearch *s = with_first(sc, sc->db);
	make_rows(rows, 2);
	imgsearch_transaction *t = begin(s);
	works(try_vectors(t, s, rows[0], 2, DIM, ids, names, NULL, &err));
	/* a staged name, and one of the index, are those of other items */
	ids[1] = 60;
	fails(IMGSEARCH_EINVAL, try_vectors(t, s, rows[0], 2, DIM, ids, names, NULL, &err));
	fails(IMGSEARCH_EINVAL,
		try_vectors(t, s, rows[0], 1, DIM, &ids[1], (const char *[]){ "first" }, NULL, &err));
	/* twice */
	ids[1] = 50;
	fails(IMGSEARCH_EINVAL, try_vectors(t, s, rows[0], 2, DIM, ids, NULL, NULL, &err));
	names[1] = "fifty";
	fails(IMGSEARCH_EINVAL, try_vectors(t, s, rows[0], 2, DIM, NULL, names, NULL, &err));
	ids[1] = -1;
	fails(IMGSEARCH_EINVAL, try_vectors(t, s, rows[0], 2, DIM, ids, NULL, NULL, &err));
	names[1] = "";
	fails(IMGSEARCH_EINVAL, try_vectors(t, s, rows[0], 2, DIM, NULL, names, NULL, &err));
	/* none of them changed anything: 52 is the next id */
	works(try_vectors(t, s, rows[0], 1, DIM, NULL, NULL, ids, &err));
	assert_int_equal(ids[0], 52);
	commit(t);
	assert_int_equal(found(s, "fifty"), 50);
	assert_int_equal(found(s, "fifty-one"), 51);
	assert_int_equal(scene_vectors(s), 4);
	imgsearch_close(s);
}

/* Ids and names follow each other through renaming and removing, as they will in the index. */
static void names_are_followed(void **state)
{
	scene *sc = *state;
	float row[1][DIM];
	int64_t id = 20, other;
	imgsearch *s = with_first(sc, sc->db);
	make_rows(row, 1);
	imgsearch_transaction *t = begin(s);
	works(try_vectors(t, s, row[0], 1, DIM, &id, (const char *[]){ "old" }, NULL, &err));
	works(try_vectors(t, s, row[0], 1, DIM, &id, (const char *[]){ "new" }, NULL, &err));
	works(try_vectors(t, s, row[0], 1, DIM, &id, NULL, NULL, &err)); /* it keeps its name */
	works(try_vectors(t, s, row[0], 1, DIM, NULL, (const char *[]){ "new" }, &other, &err));
	assert_int_equal(other, 20);
	works(try_vectors(t, s, row[0], 1, DIM, NULL, (const char *[]){ "old" }, &other, &err));
	assert_int_equal(other, 21); /* that name is free */
	remove_one(t, s, 20);
	works(try_vectors(t, s, row[0], 1, DIM, &id, NULL, NULL, &err)); /* nameless now */
	works(try_vectors(t, s, row[0], 1, DIM, NULL, (const char *[]){ "new" }, &other, &err));
	assert_int_equal(other, 22);
	works(try_vectors(t, s, row[0], 1, DIM, (const int64_t[]){ 1 }, (const char *[]){ "moved" },
		NULL, &err));
	works(try_vectors(t, s, row[0], 1, DIM, NULL, (const char *[]){ "first" }, &other, &err));
	assert_int_equal(other, 23);
	remove_one(t, s, 23);
	works(try_vectors(t, s, row[0], 1, DIM, NULL, (const char *[]){ "first" }, &other, &err));
	assert_int_equal(other, 24);
	commit(t);
	assert_int_equal(found(s, "old"), 21);
	assert_int_equal(found(s, "new"), 22);
	assert_int_equal(found(s, "moved"), 1);
	assert_int_equal(found(s, "first"), 24);
	assert_true(exists(s, 20));
	assert_int_equal(scene_vectors(s), 5);
	imgsearch_close(s);
}

static void the_largest_id(void **state)
{
	scene *sc = *state;
	float row[1][DIM];
	int64_t id = INT64_MAX;
	imgsearch *s = with_first(sc, sc->db);
	make_rows(row, 1);
	imgsearch_transaction *t = begin(s);
	works(try_vectors(t, s, row[0], 1, DIM, &id, NULL, NULL, &err));
	fails(IMGSEARCH_ELIMIT, try_vectors(t, s, row[0], 1, DIM, NULL, NULL, NULL, &err));
	remove_one(t, s, id);
	works(try_vectors(t, s, row[0], 1, DIM, &id, NULL, NULL, &err));
	commit(t);
	assert_true(exists(s, id));
	imgsearch_close(s);
}

/* An addition that could not be committed is refused at once, and leaves the transaction whole. */
static void what_cannot_be_written_is_refused_at_once(void **state)
{
	scene *sc = *state;
	char path[400], kept_out[400];
	float rows[1][DIM];
	int64_t ids[2], own = 70;
	imgsearch *s = with_first(sc, sc->db);
	make_rows(rows, 1);
	imgsearch_input in = drawn(sc, path, "a.png", 1), out = drawn(sc, kept_out, "out.png", 2);
	ids[0] = add(NULL, s, &out, "out");
	works(try_vectors(NULL, s, rows[0], 1, DIM, &own, NULL, NULL, &err));
	ids[1] = own;
	works(imgsearch_index_keep_out(s, ids, 2, NULL, &err));
	imgsearch_transaction *t = begin(s);
	add(t, s, &in, "a");
	fails(IMGSEARCH_EINVAL, try_vectors(t, s, rows[0], 1, 3, NULL, NULL, NULL, &err));
	fails(IMGSEARCH_EINVAL, try_add(t, s, &out, "out", NULL, &err));        /* by its name */
	fails(IMGSEARCH_EINVAL, try_add(t, s, &out, "other name", NULL, &err)); /* by its bytes */
	fails(IMGSEARCH_EINVAL, try_vectors(t, s, rows[0], 1, DIM, &own, NULL, NULL, &err));
	fails(IMGSEARCH_EINVAL, try_vectors(t, s, rows[0], 1, DIM, ids, NULL, NULL, &err));
	rows[0][7] = NAN;
	fails(IMGSEARCH_EINVAL, try_vectors(t, s, rows[0], 1, DIM, NULL, NULL, NULL, &err));
	in = imgsearch_input_file("/nowhere.png");
	fails(IMGSEARCH_ENOTFOUND, try_add(t, s, &in, NULL, NULL, &err));
	fails(IMGSEARCH_ENOTFOUND, try_remove(t, s, (const int64_t[]){ 1, 999 }, 2, &err));
	commit(t);
	assert_int_equal(found(s, "a"), 71);
	assert_int_equal(found(s, "first"), 1);
	assert_int_equal(scene_vectors(s), 2);
	/* a new index: the first rows settle the dimension */
	imgsearch_close(s);
	works(imgsearch_open(":memory:", NULL, NULL, &s, &err));
	t = begin(s);
	rows[0][7] = 1;
	works(try_vectors(t, s, rows[0], 1, 3, NULL, NULL, NULL, &err));
	fails(IMGSEARCH_EINVAL, try_vectors(t, s, rows[0], 1, 4, NULL, NULL, NULL, &err));
	fails(IMGSEARCH_EINVAL, try_add(t, s, &out, NULL, NULL, &err));
	commit(t);
	assert_int_equal(scene_vectors(s), 1);
	imgsearch_close(s);
}

static void over_max_bytes_nothing_changes(void **state)
{
	enum { MOST = 20000 };
	scene *sc = *state;
	char name[20];
	float rows[1][DIM], many[64][DIM];
	uint64_t n = 0;
	int rc = 0;
	imgsearch_transaction_options o = { .struct_size = sizeof o, .max_bytes = MOST };
	imgsearch_transaction *t;
	imgsearch_error err = { 0 };
	imgsearch *s = with_first(sc, sc->db);
	make_rows(rows, 1);
	make_rows(many, 64);
	imgsearch_input in = imgsearch_input_vector(rows[0], DIM);
	works(imgsearch_transaction_begin(s, &o, &t, &err));
	works(try_vectors(t, s, many[0], 40, DIM, NULL, NULL, NULL, &err));
	fails(IMGSEARCH_ELIMIT, try_vectors(t, s, many[0], 64, DIM, NULL, NULL, NULL, &err));
	for (; !rc; n += !rc) {
		snprintf(name, sizeof name, "%u", (unsigned)n);
		rc = try_add(t, s, &in, name, NULL, &err);
	}
	assert_int_equal(rc, IMGSEARCH_ELIMIT);
	assert_in_range(n, 3, MOST / sizeof *rows);
	fails(IMGSEARCH_ELIMIT, try_add(t, s, &in, "0", NULL, &err)); /* also in place of another */
	commit(t);
	assert_int_equal(scene_vectors(s), 1 + 40 + n);
	assert_int_equal(found(s, name), -1);
	imgsearch_close(s);
}

/* ----------------------------------------------------------------------------------- twins ---- */

static uint32_t state_of(imgsearch *s, int64_t id, int64_t *same_as)
{
	imgsearch_item *item;
	works(imgsearch_item_get(s, id, &item, &err));
	uint32_t state = item->state;
	*same_as = item->same_as;
	imgsearch_item_free(item);
	return state;
}

static void twins_need_one_run_of_the_network(void **state)
{
	scene *sc = *state;
	char path[400], first[400];
	int64_t same;
	imgsearch *s = with_first(sc, sc->db);
	imgsearch_input in = drawn(sc, path, "a.png", 1), stored = drawn(sc, first, "first.png", 1000);
	imgsearch_transaction *t = begin(s);
	int64_t a = add(t, s, &in, "a"), b = add(t, s, &in, "b"), c = add(t, s, &in, "a");
	int64_t twin = add(t, s, &stored, "twin of first");
	assert_int_equal(c, a);
	assert_int_equal(atomic_load(&inputs), 1);
	commit(t);
	assert_int_equal(state_of(s, a, &same), IMGSEARCH_STATE_INDEXED);
	assert_int_equal(state_of(s, b, &same), IMGSEARCH_STATE_DUPLICATE);
	assert_int_equal(same, a);
	assert_int_equal(state_of(s, twin, &same), IMGSEARCH_STATE_DUPLICATE);
	assert_int_equal(same, 1);
	assert_int_equal(scene_vectors(s), 2);
	imgsearch_close(s);
}

/* Bytes that are removed, or replaced, before their twin is added. */
static void a_twin_that_goes_before_leaves_its_bytes(void **state)
{
	scene *sc = *state;
	char path[400], first[400], other[400];
	int64_t same;
	imgsearch *s = with_first(sc, sc->db);
	imgsearch_input in = drawn(sc, path, "a.png", 1), stored = drawn(sc, first, "first.png", 1000),
					another = drawn(sc, other, "other.png", 5);
	imgsearch_transaction *t = begin(s);
	remove_one(t, s, add(t, s, &in, "a"));
	int64_t again = add(t, s, &in, "a"); /* another id, the same bytes */
	add(t, s, &another, "a");            /* the bytes go, the id stays */
	int64_t third = add(t, s, &in, "b");
	remove_one(t, s, 1);
	int64_t fourth = add(t, s, &stored, "first");
	assert_true(fourth > 1);
	assert_int_equal(atomic_load(&inputs), 5);
	commit(t);
	assert_int_equal(found(s, "a"), again);
	assert_int_equal(state_of(s, again, &same), IMGSEARCH_STATE_INDEXED);
	assert_int_equal(state_of(s, third, &same), IMGSEARCH_STATE_INDEXED);
	assert_int_equal(state_of(s, fourth, &same), IMGSEARCH_STATE_INDEXED);
	assert_int_equal(scene_vectors(s), 3);
	imgsearch_close(s);
}

/* Bytes that go after their twin was added: it inherits their vector. */
static void a_twin_that_goes_after_leaves_its_vector(void **state)
{
	scene *sc = *state;
	char path[400], first[400];
	int64_t same;
	imgsearch *s = with_first(sc, sc->db);
	imgsearch_input in = drawn(sc, path, "a.png", 1), stored = drawn(sc, first, "first.png", 1000);
	imgsearch_transaction *t = begin(s);
	int64_t a = add(t, s, &in, "a"), b = add(t, s, &in, "b"), c = add(t, s, &stored, "c");
	remove_one(t, s, a);
	remove_one(t, s, 1);
	/* b and c are all that have these bytes now */
	int64_t d = add(t, s, &in, "d"), e = add(t, s, &stored, "e");
	commit(t);
	assert_int_equal(state_of(s, b, &same), IMGSEARCH_STATE_INDEXED);
	assert_int_equal(state_of(s, c, &same), IMGSEARCH_STATE_INDEXED);
	assert_int_equal(state_of(s, d, &same), IMGSEARCH_STATE_DUPLICATE);
	assert_int_equal(same, b);
	assert_int_equal(state_of(s, e, &same), IMGSEARCH_STATE_DUPLICATE);
	assert_int_equal(same, c);
	assert_int_equal(scene_vectors(s), 2);
	imgsearch_close(s);
}

/* --------------------------------------------------------------------------- other writers ---- */

/* Every writer of the public header: the same answer from each. */
static void all_writers(imgsearch *s, int code, int update_and_build)
{
	float v[DIM] = { 1 };
	int64_t id = 1;
	imgsearch_input in = imgsearch_input_vector(v, DIM);
	imgsearch_transaction *t;
	fails(code, imgsearch_index_add(s, &in, NAMED("x"), NULL, NULL, &err));
	fails(code, imgsearch_vectors_add(s, v, 1, DIM, NULL, NULL, NULL, &err));
	fails(code, imgsearch_index_remove(s, &id, 1, NULL, NULL, &err));
	fails(code, imgsearch_index_keep_out(s, &id, 1, NULL, &err));
	fails(code, imgsearch_index_readmit(s, &id, 1, NULL, &err));
	fails(code, imgsearch_root_move(s, "/a", "/b", NULL, &err));
	fails(code, imgsearch_groups_reject(s, 1, 2, &err));
	fails(code, imgsearch_transaction_begin(s, NULL, &t, &err));
	assert_null(t);
	fails(update_and_build, imgsearch_index_update(s, NULL, 0, NULL, NULL, NULL, &err));
	fails(update_and_build, imgsearch_build(s, NULL, NULL, NULL, &err));
}

typedef struct late_addition {
	imgsearch *s;
	int rc;
} late_addition;

static void *add_late(void *arg)
{
	late_addition *late = arg;
	imgsearch_error why;
	const float row[DIM] = { 1 };
	late->rc = try_vectors(NULL, late->s, row, 1, DIM, NULL, NULL, NULL, &why);
	return NULL;
}

/* A writer of a handle that waits gets its turn; the thread with the transaction does not wait. */
static void waits_for_its_turn(void **state)
{
	pthread_t thread;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	const float row[DIM] = { 1 };
	o.wait_ms = 60000;
	o.dim = DIM;
	late_addition late = { 0 };
	(void)state;
	works(imgsearch_open(":memory:", &o, NULL, &late.s, &err));
	imgsearch_transaction *t = begin(late.s);
	fails(IMGSEARCH_EBUSY, try_vectors(NULL, late.s, row, 1, DIM, NULL, NULL, NULL, &err));
	pthread_create(&thread, NULL, add_late, &late);
	usleep(20000);
	commit(t);
	pthread_join(thread, NULL);
	assert_int_equal(late.rc, 0);
	imgsearch_close(late.s);
}

static void *as_other_thread(void *s)
{
	all_writers(s, IMGSEARCH_EBUSY, IMGSEARCH_EBUSY);
	return NULL;
}

/* A second process: exits with 0 where every writer is busy. */
static int as_writer(const char *index)
{
	imgsearch *s;
	works(imgsearch_open(index, NULL, NULL, &s, &err));
	all_writers(s, IMGSEARCH_EBUSY, IMGSEARCH_EBUSY);
	imgsearch_close(s);
	return 0;
}

/* Runs this program with arguments, and returns its status. */
static int run_self(const char *const *arguments)
{
	fflush(NULL);
	pid_t child = fork();
	if (!child) {
		execv("/proc/self/exe", (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void others_are_busy(void **state)
{
	scene *sc = *state;
	pthread_t thread;
	float v[DIM] = { 1 };
	imgsearch *s = with_first(sc, sc->db), *other = scene_open(sc);
	imgsearch_input in = imgsearch_input_vector(v, DIM);
	const char *const second[] = { "test_transaction", "write", sc->db, NULL };
	imgsearch_transaction *t = begin(s);
	all_writers(s, IMGSEARCH_EBUSY, IMGSEARCH_EINVAL); /* this thread */
	imgsearch_error err;
	imgsearch_index_add(s, &in, NULL, NULL, NULL, &err);
	assert_non_null(strstr(err.message, "a transaction of this handle is open"));
	all_writers(other, IMGSEARCH_EBUSY, IMGSEARCH_EBUSY);
	pthread_create(&thread, NULL, as_other_thread, s);
	pthread_join(thread, NULL);
	assert_int_equal(run_self(second), 0);
	/* readers are not; nor is a copy */
	assert_int_equal(scene_vectors(other), 1);
	char copy[200];
	snprintf(copy, sizeof copy, "%s/copy.db", sc->dir);
	works(imgsearch_index_backup(s, copy, NULL, NULL, &err));
	add(t, s, &in, "mine");
	commit(t);
	add(NULL, other, &in, "theirs");
	assert_int_equal(scene_vectors(s), 3);
	scene_index(s, sc->photos); /* this thread may again */
	works(imgsearch_build(s, NULL, NULL, NULL, &err));
	imgsearch_close(other);
	imgsearch_close(s);
}

/* While another writes, there is no transaction. */
static void begin_is_busy(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_first(sc, sc->db), *other = scene_open(sc);
	imgsearch_transaction *t = begin(other), *none;
	fails(IMGSEARCH_EBUSY, imgsearch_transaction_begin(s, NULL, &none, &err));
	assert_null(none);
	imgsearch_transaction_free(t);
	imgsearch_transaction_free(begin(s));
	imgsearch_close(s);
	imgsearch_close(other);
	imgsearch_options o = { .struct_size = sizeof o, .read_only = 1 };
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_transaction_begin(s, NULL, &none, &err));
	imgsearch_close(s);
}

static void a_transaction_is_committed_once_on_its_handle(void **state)
{
	scene *sc = *state;
	float v[DIM] = { 1 };
	imgsearch *s = with_first(sc, sc->db), *other = scene_open(sc);
	imgsearch_input in = imgsearch_input_vector(v, DIM);
	imgsearch_transaction *t = begin(s);
	fails(IMGSEARCH_EINVAL, try_add(t, other, &in, NULL, NULL, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_transaction_commit(NULL, NULL, &err));
	add(t, s, &in, "a");
	works(imgsearch_transaction_commit(t, NULL, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_transaction_commit(t, NULL, &err));
	fails(IMGSEARCH_EINVAL, try_add(t, s, &in, NULL, NULL, &err));
	fails(IMGSEARCH_EINVAL, try_vectors(t, s, v, 1, DIM, NULL, NULL, NULL, &err));
	fails(IMGSEARCH_EINVAL, try_remove(t, s, (const int64_t[]){ 1 }, 1, &err));
	imgsearch_transaction_free(t);
	assert_int_equal(scene_vectors(s), 2);
	imgsearch_close(s);
	imgsearch_close(other);
}

/* Closing ends a transaction, without a commit. Whoever still has it can free it, and no more. */
static void a_transaction_outlives_its_handle(void **state)
{
	scene *sc = *state;
	float v[DIM] = { 1 };
	imgsearch_input in = imgsearch_input_vector(v, DIM);
	const char *const places[] = { sc->db, ":memory:" };
	for (int i = 0; i < 4; i++) {
		imgsearch *s = with_first(sc, places[i % 2]), *other = scene_open(sc);
		uint64_t before = scene_vectors(s);
		imgsearch_transaction *t = begin(s);
		add(t, s, &in, NULL);
		if (i >= 2)
			works(imgsearch_transaction_commit(t, NULL, &err));
		imgsearch_close(s);
		fails(IMGSEARCH_EINVAL, imgsearch_transaction_commit(t, NULL, &err));
		fails(IMGSEARCH_EINVAL, try_add(t, other, &in, NULL, NULL, &err));
		imgsearch_error err;
		assert_int_equal(imgsearch_transaction_commit(t, NULL, &err), IMGSEARCH_EINVAL);
		assert_non_null(strstr(err.message, i < 2 ? "its handle was closed" : "committed already"));
		if (i % 2 == 0)
			assert_int_equal(scene_vectors(other), before + (i >= 2));
		imgsearch_transaction_free(begin(other)); /* the writer lock is free */
		imgsearch_transaction_free(t);
		imgsearch_close(other);
	}
}

/* -------------------------------------------------------------------------------- failures ---- */

/* A commit that was stopped can be tried again. */
static void a_cancelled_commit_has_done_nothing(void **state)
{
	scene *sc = *state;
	char path[400];
	imgsearch *s = with_first(sc, sc->db);
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	imgsearch_input in = drawn(sc, path, "a.png", 1);
	works(imgsearch_cancel_token_new(&call.cancel, &err));
	imgsearch_cancel_token_set(call.cancel);
	imgsearch_transaction *t = begin(s);
	add(t, s, &in, "a");
	remove_one(t, s, 1);
	for (int i = 0; i < 2; i++)
		fails(IMGSEARCH_ECANCELED, imgsearch_transaction_commit(t, &call, &err));
	assert_int_equal(scene_vectors(s), 1);
	assert_int_equal(found(s, "first"), 1);
	imgsearch_index_add_options o = { .struct_size = sizeof o, .transaction = t };
	fails(IMGSEARCH_ECANCELED, imgsearch_index_add(s, &in, &o, &call, NULL, &err));
	add(t, s, &in, "b");
	commit(t);
	assert_int_equal(scene_vectors(s), 1);
	assert_int_equal(found(s, "first"), -1);
	assert_int_equal(found(s, "b"), 3);
	imgsearch_cancel_token_free(call.cancel);
	imgsearch_close(s);
}

/* What a step of a life returns; ENOMEM is tried once more where `again` is set. */
#define STEP(call) \
	do { \
		if (!rc && (rc = (call)) == IMGSEARCH_ENOMEM && again) \
			rc = (call); \
	} while (0)

/* Everything a transaction does. `again`: a step without memory is repeated, and must work. */
static int life(imgsearch *s, const char *path, bool again)
{
	float rows[3][DIM];
	const char *names[] = { "x", NULL, "z" };
	int64_t ids[3], a = 0, first = 1;
	imgsearch_error err = { 0 };
	imgsearch_transaction *t = NULL;
	imgsearch_input in = imgsearch_input_file(path), vector = imgsearch_input_vector(rows[0], DIM);
	int rc = 0;
	make_rows(rows, 3);
	STEP(imgsearch_transaction_begin(s, NULL, &t, &err));
	STEP(try_add(t, s, &in, NULL, &a, &err));
	STEP(try_add(t, s, &in, "twin", NULL, &err));
	STEP(try_vectors(t, s, rows[0], 3, DIM, NULL, names, ids, &err));
	STEP(try_add(t, s, &vector, NULL, NULL, &err));
	STEP(try_remove(t, s, &ids[1], 1, &err));
	STEP(try_remove(t, s, &first, 1, &err));
	STEP(imgsearch_transaction_commit(t, NULL, &err));
	imgsearch_transaction_free(t);
	if (again && rc)
		fail_msg("a second try: %s", err.message);
	return rc;
}

static void assert_untouched(imgsearch *s)
{
	assert_int_equal(scene_vectors(s), 1);
	assert_int_equal(found(s, "first"), 1);
	assert_int_equal(found(s, "x"), -1);
	assert_int_equal(found(s, "twin"), -1);
}

static void assert_done(imgsearch *s, const char *path)
{
	assert_int_equal(scene_vectors(s), 4);
	assert_int_equal(found(s, "first"), -1);
	assert_int_equal(found(s, path), 2);
	assert_int_equal(found(s, "twin"), 3);
	assert_int_equal(found(s, "x"), 4);
	assert_int_equal(found(s, "z"), 6);
	assert_false(exists(s, 5));
	assert_true(exists(s, 7));
}

/* All or nothing, and where a step is tried again, all. */
static void any_allocation_may_fail(void **state)
{
	scene *sc = *state;
	char path[400];
	drawn(sc, path, "a.png", 1);
	imgsearch *s = with_first(sc, ":memory:");
	ims_alloc_fail_after(0);
	assert_int_equal(life(s, path, false), 0);
	uint64_t made = ims_alloc_fail_after(0);
	assert_done(s, path);
	imgsearch_close(s);
	for (int again = 0; again < 2; again++) {
		unsigned failed = 0;
		for (uint64_t n = 1; n <= made; n++) {
			s = with_first(sc, ":memory:");
			ims_alloc_fail_after(n);
			int rc = life(s, path, again);
			ims_alloc_fail_after(0);
			if (rc && rc != IMGSEARCH_ENOMEM)
				fail_msg("allocation %d: %s", (int)n, imgsearch_status_text(rc));
			failed += rc != 0;
			if (rc)
				assert_untouched(s);
			else
				assert_done(s, path);
			imgsearch_close(s);
		}
		print_message("# %u of %u failed allocations were told\n", failed, (unsigned)made);
		assert_true(again ? failed == 0 : failed > made / 2);
	}
}

static int writes_left;

static ssize_t write_or_die(int fd, const void *data, size_t n, off_t at)
{
	if (writes_left-- == 0)
		raise(SIGKILL);
	return pwrite(fd, data, n, at);
}

/* A second process: dies at a write of SQLite's from the commit on, or before it (-1). */
static int as_victim(const char *index, const char *picture, int writes)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	const char *write = vfs->xGetSystemCall(vfs, "pwrite64") ? "pwrite64" : "pwrite";
	float rows[200][DIM];
	int64_t first = 1;
	imgsearch *s;
	imgsearch_input in = imgsearch_input_file(picture);
	make_rows(rows, 200);
	works(imgsearch_open(index, NULL, NULL, &s, &err));
	imgsearch_transaction *t = begin(s);
	add(t, s, &in, "a");
	works(try_vectors(t, s, rows[0], 200, DIM, NULL, NULL, NULL, &err));
	works(try_remove(t, s, &first, 1, &err));
	if (writes < 0)
		raise(SIGKILL);
	writes_left = writes;
	if (vfs->xSetSystemCall(vfs, write, (sqlite3_syscall_ptr)write_or_die) != SQLITE_OK)
		return 1;
	commit(t);
	imgsearch_close(s);
	return 0;
}

static void a_kill_leaves_all_or_nothing(void **state)
{
	scene *sc = *state;
	char path[400], number[20];
	bool done = false;
	drawn(sc, path, "a.png", 1);
	imgsearch_close(with_first(sc, sc->db));
	const char *const victim[] = { "test_transaction", "kill", sc->db, path, number, NULL };
	for (int n = -1; !done; n = n < 8 ? n + 1 : n + n / 2) {
		snprintf(number, sizeof number, "%d", n);
		int status = run_self(victim);
		assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
		assert_true(n >= 0 || WIFSIGNALED(status));
		imgsearch *s = scene_open(sc);
		done = found(s, "a") >= 0;
		assert_true(done || WIFSIGNALED(status));
		assert_int_equal(scene_vectors(s), done ? 201 : 1);
		assert_int_equal(found(s, "first"), done ? -1 : 1);
		imgsearch_check_report *report;
		works(imgsearch_check(s, NULL, NULL, &report, &err));
		assert_int_equal(report->problems, 0);
		imgsearch_check_report_free(report);
		imgsearch_transaction_free(begin(s)); /* nobody holds the writer's right */
		imgsearch_close(s);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "write"))
		return as_writer(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "kill"))
		return as_victim(argv[2], argv[3], atoi(argv[4]));
	const struct CMUnitTest tests[] = {
		TEST(nobody_sees_it_before_the_commit),
		TEST(without_a_commit_nothing_happened),
		TEST(ids_of_a_new_index),
		TEST(names_and_ids_that_contradict),
		TEST(names_are_followed),
		TEST(the_largest_id),
		TEST(what_cannot_be_written_is_refused_at_once),
		TEST(over_max_bytes_nothing_changes),
		TEST(twins_need_one_run_of_the_network),
		TEST(a_twin_that_goes_before_leaves_its_bytes),
		TEST(a_twin_that_goes_after_leaves_its_vector),
		TEST(others_are_busy),
		TEST(waits_for_its_turn),
		TEST(begin_is_busy),
		TEST(a_transaction_is_committed_once_on_its_handle),
		TEST(a_transaction_outlives_its_handle),
		TEST(a_cancelled_commit_has_done_nothing),
		TEST(any_allocation_may_fail),
		TEST(a_kill_leaves_all_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

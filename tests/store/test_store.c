/* The store's contract, function by function, each on a file and in memory. */
#include "common.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sql.h"

#include <sys/stat.h>
#include <sys/wait.h>

static void settings(void **state)
{
	(void)state;
	store *st = open_store(where, 1280);
	buf b = { 0 };
	ok(ims_store_setting_get(st, "dim", &b, &err));
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "\0\5\0\0", 4);
	ok(ims_store_setting_get(st, "nothing", &b, &err));
	assert_int_equal(b.len, 0);
	begin(st);
	ok(ims_store_setting_set(st, "a", "xyz", 3, &err));
	ok(ims_store_setting_set(st, "empty", "", 0, &err));
	ok(ims_store_setting_get(st, "a", &b, &err)); /* the writer sees its own work */
	assert_int_equal(b.len, 3);
	commit(st);
	begin(st);
	ok(ims_store_setting_set(st, "a", NULL, 0, &err));
	ims_store_tx_rollback(st);
	ims_store_write_end(st);
	ok(ims_store_setting_get(st, "a", &b, &err));
	assert_memory_equal(b.data, "xyz", 3);
	fails(IMGSEARCH_EINVAL,
		ims_store_setting_set(st, "a", "b", 1, &err)); /* outside of a transaction */
	fails(IMGSEARCH_EINVAL, ims_store_tx_begin(st, &err));
	ims_buf_free(&b);
	ims_store_close(st);
}

static int one_vector(void *user, const int64_t *ids, const float *rows, size_t n)
{
	float *sum = user;
	for (size_t i = 0; i < n; i++)
		*sum += (float)ids[i] * 1000 + rows[i * 4];
	return 0;
}

static void models(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	store_model m, first = { .name = "one", .weights = "w.pth", .dim = 4, .precision = 2 },
				   second = { .name = "two", .recipe = "r", .dim = 4 };
	none(ims_store_model_get(st, &m, false, &err));
	begin(st);
	ok(ims_store_model_set(st, &first, false, &err));
	int64_t id = add_picture(st, 0, "a", 1);
	fails(IMGSEARCH_ENOTFOUND, ims_store_model_switch(st, &err));
	ok(ims_store_model_set(st, &second, true, &err));
	float v[4] = { 7, 7, 7, 7 }, sum = 0;
	ok(put_vector(st, id, v, 4, true, &err));
	ok(put_vector(st, id, v, 4, true, &err)); /* again: replaced, counted once */
	commit(st);
	int64_t before, after, *ids;
	size_t n;
	store_counts counts;
	ok(ims_store_counts(st, &counts, &err));
	assert_int_equal(counts.vectors, 1);
	assert_int_equal(counts.vectors_next, 1);
	ok(ims_store_ids(st, STORE_NEXT, &ids, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(ids[0], id);
	ims_free(ids);
	ok(ims_store_change_last(st, &before, &err));
	begin(st);
	ok(ims_store_model_switch(st, &err));
	commit(st);
	ok(ims_store_change_last(st, &after, &err));
	assert_true(after > before);
	none(ims_store_changes(st, before, &ids, &n, &err));
	ok(ims_store_model_get(st, &m, false, &err));
	assert_string_equal(m.name, "two");
	assert_string_equal(m.recipe, "r");
	assert_null(m.weights);
	ims_store_model_clear(&m);
	none(ims_store_model_get(st, &m, true, &err));
	ok(ims_store_vectors_scan(st, false, 4, one_vector, &sum, &err));
	assert_true(sum == (float)id * 1000 + 7);
	ok(ims_store_ids(st, STORE_NEXT, &ids, &n, &err));
	assert_int_equal(n, 0);
	ims_free(ids);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

static int note_path(void *user, const store_picture *p, const char *root)
{
	buf *b = user;
	ims_buf_text(b, "%s:%s:%u;", root, p->path, p->state);
	return 0;
}

static char *listed(store *st, uint32_t state)
{
	buf b = { 0 };
	ok(ims_store_each_picture(st, state, note_path, &b, &err));
	ims_buf_u8(&b, 0);
	return (char *)b.data;
}

static void lists(store *st, uint32_t state, const char *expected)
{
	char *text = listed(st, state);
	assert_string_equal(text, expected);
	ims_free(text);
}

static void pictures(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	int64_t photos, other;
	begin(st);
	ok(ims_store_root_add(st, "/photos", &photos, &err));
	ok(ims_store_root_add(st, "/photos-old", &other, &err));
	int64_t again;
	ok(ims_store_root_add(st, "/photos", &again, &err));
	assert_int_equal(again, photos);
	int64_t b = add_picture(st, photos, "b/\xff name\n.jpg", 1),
			a = add_picture(st, photos, "a.jpg", 2);
	add_picture(st, other, "c.jpg", 3);
	add_picture(st, 0, "by name", 4);
	store_picture bad = {
		.root = photos,
		.path = "bad.jpg",
		.size = 9,
		.state = IMGSEARCH_STATE_DAMAGED,
		.reason = "cut off",
	};
	ok(put_row(st, &bad, &err));
	commit(st);
	lists(st, 0,
		":by name:1;/photos-old:c.jpg:1;/photos:a.jpg:1;/photos:b/\xff"
		" name\n.jpg:1;/photos:bad.jpg:4;");
	lists(st, IMGSEARCH_STATE_DAMAGED, "/photos:bad.jpg:4;");
	store_picture p, found[3];
	ok(ims_store_picture_get(st, b, &p, &err));
	assert_string_equal(p.path, "b/\xff name\n.jpg");
	assert_string_equal(p.root_path, "/photos");
	assert_int_equal(p.width, 4);
	assert_true(ims_timestamp_equal(p.mtime, (timestamp){ -5, 999999999 }));
	ims_store_picture_clear(&p);
	const store_place at[] = { { photos, "none" }, { photos, "bad.jpg" }, { 0, "by name" } };
	ok(ims_store_find(st, at, 3, found, &err));
	assert_null(found[0].path);
	assert_string_equal(found[1].reason, "cut off");
	assert_string_equal(found[1].root_path, "/photos");
	assert_int_equal(found[1].hash.byte[0], 0);
	assert_string_equal(found[2].path, "by name");
	assert_string_equal(found[2].root_path, "");
	ims_store_pictures_clear(found, 3);
	fails(IMGSEARCH_ENOTFOUND, ims_store_picture_get(st, 999, &p, &err));
	const int64_t ids[] = { a, 999, b };
	ok(ims_store_get(st, ids, 3, found, &err));
	assert_int_equal(found[0].id, a);
	assert_null(found[1].path);
	assert_int_equal(found[2].id, b);
	ims_store_pictures_clear(found, 3);
	const hash256 h[] = { { { 99 } }, { { 2 } }, { { 2 } } };
	ok(ims_store_by_hash(st, h, 3, found, &err));
	assert_null(found[0].path);
	assert_int_equal(found[1].id, a);
	assert_int_equal(found[2].id, a);
	ims_store_pictures_clear(found, 3);
	ok(ims_store_by_hash(st, NULL, 0, NULL, &err));
	bool known;
	ok(ims_store_has_size(st, 102, &known, &err));
	assert_true(known);
	ok(ims_store_has_size(st, 1, &known, &err));
	assert_true(!known || ims_store_is_address(where));

	begin(st); /* it stops being indexed: its vector goes; then its number is never used again */
	store_picture worse = {
		.root = photos,
		.path = "a.jpg",
		.size = 1,
		.state = IMGSEARCH_STATE_DAMAGED,
	};
	ok(put_row(st, &worse, &err));
	assert_int_equal(worse.id, a);
	assert_false(has_vector(st, a));
	timestamp later = { 6, 0 };
	ok(ims_store_move(st, &(store_move){ b, { other, "c.jpg" }, later }, 1,
		&err)); /* over another one */
	ok(ims_store_remove(st, ONE(bad.id), &err));
	fails(IMGSEARCH_ENOTFOUND, ims_store_remove(st, ONE(bad.id), &err));
	assert_true(add_picture(st, 0, "new", 5) > bad.id);
	store_picture wrong = { .id = a, .root = 0, .path = "new", .state = IMGSEARCH_STATE_INDEXED };
	fails(IMGSEARCH_EINVAL, put_row(st, &wrong, &err));
	wrong = (store_picture){ .path = "x", .state = IMGSEARCH_STATE_DELETED + 1 };
	fails(IMGSEARCH_EINVAL, put_row(st, &wrong, &err));
	store_picture asked = { .id = 500, .path = "five hundred", .state = IMGSEARCH_STATE_INDEXED };
	ok(put_row(st, &asked, &err));
	float v[4] = { 1, 1, 1, 1 };
	ok(put_vector(st, 500, v, 4, false, &err));
	commit(st);
	lists(st, 0, ":by name:1;:five hundred:1;:new:1;/photos-old:c.jpg:1;/photos:a.jpg:4;");
	store_counts counts;
	int64_t max_id;
	ok(ims_store_counts(st, &counts, &err));
	ok(ims_store_max_id(st, &max_id, &err));
	assert_int_equal(counts.by_state[IMGSEARCH_STATE_INDEXED], 4);
	assert_int_equal(counts.by_state[IMGSEARCH_STATE_DAMAGED], 1);
	assert_int_equal(counts.vectors, 4);
	assert_int_equal(max_id, 500);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

static void twins(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	begin(st);
	int64_t a = add_picture(st, 0, "a", 1);
	store_picture b = { .path = "b",
		.size = 101,
		.state = IMGSEARCH_STATE_DUPLICATE,
		.same_as = a,
		.hash.byte = { 1 } },
				  c = b;
	c.path = "c";
	ok(put_row(st, &b, &err));
	ok(put_row(st, &c, &err));
	commit(st);
	begin(st);
	ok(ims_store_remove(st, ONE(a), &err));
	commit(st);
	assert_false(has_vector(st, a));
	assert_true(has_vector(st, b.id));
	lists(st, 0, ":b:1;:c:2;");
	store_picture p;
	ok(ims_store_picture_get(st, c.id, &p, &err));
	assert_int_equal(p.same_as, b.id);
	ims_store_picture_clear(&p);
	begin(st); /* b's bytes change: c inherits what they were */
	store_picture changed = { .path = "b",
		.size = 7,
		.state = IMGSEARCH_STATE_INDEXED,
		.hash.byte = { 9 } };
	ok(put_row(st, &changed, &err));
	assert_int_equal(changed.id, b.id);
	commit(st);
	assert_true(has_vector(st, c.id));
	lists(st, 0, ":b:1;:c:1;");
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

static void folders(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	int64_t root, *ids, name;
	size_t n;
	begin(st);
	ok(ims_store_root_add(st, "/p", &root, &err));
	int64_t ax = add_picture(st, root, "a/x", 1);
	add_picture(st, root, "a/y", 2);
	add_picture(st, root, "a-b/x", 3);
	int64_t file_ = add_picture(st, root, "a0", 4);
	name = add_picture(st, 0, "/p/a/z", 5);
	commit(st);
	ok(ims_store_ids_under(st, "/p/a", &ids, &n, &err));
	assert_int_equal(n, 3);
	assert_int_equal(ids[0], ax);
	assert_int_equal(ids[2], name);
	ims_free(ids);
	ok(ims_store_ids_under(st, "/p/", &ids, &n, &err));
	assert_int_equal(n, 5);
	ims_free(ids);
	ok(ims_store_ids_under(st, "/", &ids, &n, &err));
	assert_int_equal(n, 5);
	ims_free(ids);
	ok(ims_store_ids_under(st, "/p/none", &ids, &n, &err));
	assert_int_equal(n, 0);
	begin(st);
	ok(ims_store_remove(st, ONE(ax), &err));
	assert_false(has_vector(st, ax));
	assert_true(has_vector(st, file_));
	ok(ims_store_root_move(st, "/p", "/q", &err));
	fails(IMGSEARCH_ENOTFOUND, ims_store_root_move(st, "/p", "/r", &err));
	commit(st);
	lists(st, 0, ":/p/a/z:1;/q:a-b/x:1;/q:a/y:1;/q:a0:1;");
	store_roots roots;
	ok(ims_store_roots_get(st, &roots, &err));
	assert_int_equal(roots.n, 1);
	assert_int_equal(roots.id[0], 1);
	assert_string_equal(roots.path[0], "/q");
	ims_store_roots_free(&roots);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

static void patterns_are(store *st, int64_t root, store_list list, const char *wanted)
{
	char text[100] = "";
	store_roots roots;
	ok(ims_store_roots_get(st, &roots, &err));
	const text_list *l = &ims_store_roots_lists(&roots, root)->of[list];
	for (size_t i = 0; i < l->n; i++)
		strcat(strcat(text, l->item[i]), ";");
	assert_string_equal(text, wanted);
	ims_store_roots_free(&roots);
}

static void patterns(void **state)
{
	static char *some[] = { "private/", "./caf\xc3\xa9", "\xff" };
	static const text_list none = { 0 };
	(void)state;
	store *st = open_store(where, 4);
	int64_t a, b;
	begin(st);
	ok(ims_store_root_add(st, "/a", &a, &err));
	ok(ims_store_root_add(st, "/b", &b, &err));
	ok(ims_store_list_set(st, a, STORE_EXCLUDE, &(text_list){ some, 3, 3 }, &err));
	ok(ims_store_list_set(st, a, STORE_INCLUDE, &(text_list){ some + 1, 1, 1 }, &err));
	commit(st);
	patterns_are(st, a, STORE_EXCLUDE, "private/;./caf\xc3\xa9;\xff;");
	patterns_are(st, a, STORE_INCLUDE, "./caf\xc3\xa9;");
	patterns_are(st, b, STORE_EXCLUDE, "");
	begin(st);
	ok(ims_store_root_move(st, "/a", "/c", &err));
	ok(ims_store_list_set(st, a, STORE_EXCLUDE, &(text_list){ some, 1, 1 }, &err));
	ok(ims_store_list_set(st, a, STORE_INCLUDE, &none, &err));
	commit(st);
	patterns_are(st, a, STORE_EXCLUDE, "private/;");
	patterns_are(st, a, STORE_INCLUDE, "");
	fails(IMGSEARCH_EINVAL, ims_store_list_set(st, a, STORE_EXCLUDE, &none, &err));
	ims_store_close(st);
}

static int take_pair(void *user, const hash256 *a, const hash256 *b)
{
	hash256 *pair = user;
	assert_int_equal(pair->byte[0], 0); /* the only one */
	pair[0] = *a;
	pair[1] = *b;
	return 0;
}

static void columns(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	const char *names[] = { "artist", "title" }, *values[] = { "O'Keeffe", "" };
	begin(st);
	int64_t id = add_picture(st, 0, "a", 1);
	ok(put_columns(st, id, names, values, 1, -1, &err));
	ok(put_columns(st, id, names, values, 2, 1, &err));
	commit(st);
	store_cell *c;
	size_t n;
	ok(ims_store_columns_get(st, id, &c, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(c[0].value, "O'Keeffe");
	assert_false(c[0].title);
	assert_true(c[1].title);
	ims_store_columns_free(c, n);
	hash256 x = { { 1 } }, y = { { 2 } };
	begin(st);
	ok(ims_store_reject(st, &y, &x, &err));
	ok(ims_store_reject(st, &x, &y, &err));
	ok(ims_store_remove(st, ONE(id), &err));
	commit(st);
	hash256 pair[2] = { { { 0 } } };
	ok(ims_store_each_rejected(st, take_pair, pair, &err));
	assert_memory_equal(&pair[0], &x, sizeof x);
	assert_memory_equal(&pair[1], &y, sizeof y);
	ok(ims_store_columns_get(st, id, &c, &n, &err));
	assert_int_equal(n, 0);
	ims_store_close(st);
}

static int stop(void *user, const int64_t *ids, const float *rows, size_t n)
{
	(void)user, (void)ids, (void)rows, (void)n;
	return 77;
}

typedef struct writing {
	store *st;
	size_t seen;
	bool wrote;
} writing;

static int write_meanwhile(void *user, const int64_t *ids, const float *rows, size_t n)
{
	writing *w = user;
	(void)ids, (void)rows;
	w->seen += n;
	if (!w->wrote) {
		w->wrote = true;
		float v[4] = { 0 };
		if (!strcmp(where, ":memory:")) { /* it has one state: this thread reads it */
			ok(ims_store_write_begin(w->st, &err));
			fails(IMGSEARCH_EBUSY, ims_store_tx_begin(w->st, &err));
			ims_store_write_end(w->st);
			return 0;
		}
		begin(w->st);
		ok(put_vector(w->st, 100000, v, 4, false, &err));
		commit(w->st);
	}
	return 0;
}

static void vectors(void **state)
{
	(void)state;
	enum { N = 3000 };
	store *st = open_store(where, 4);
	int64_t ids[N];
	float rows[N][4];
	for (int i = 0; i < N; i++) {
		ids[i] = i;
		for (int j = 0; j < 4; j++)
			rows[i][j] = (float)(i + j);
	}
	begin(st);
	ok(ims_store_vectors_put(st, ids, rows[0], N, 4, &err));
	ok(ims_store_vectors_put(st, ids, rows[0], 10, 4, &err)); /* again */
	assert_true(add_picture(st, 0, "a", 1) >= N);
	commit(st);
	writing w = { .st = st };
	ok(ims_store_vectors_scan(st, false, 4, write_meanwhile, &w, &err));
	assert_int_equal(w.seen, N + 1);
	store_counts counts;
	ok(ims_store_counts(st, &counts, &err));
	assert_int_equal(counts.vectors, strcmp(where, ":memory:") ? N + 2 : N + 1);
	assert_int_equal(77, ims_store_vectors_scan(st, false, 4, stop, NULL, NULL));
	fails(IMGSEARCH_EDB, ims_store_vectors_scan(st, false, 5, one_vector, NULL, &err));
	int64_t want[3] = { 2999, 123456, 5 };
	float out[3][4];
	uint8_t found[3];
	ok(ims_store_vectors_fetch(st, want, 3, 4, out[0], found, &err));
	assert_memory_equal(found, "\1\0\1", 3);
	assert_true(out[0][3] == 3002 && out[2][0] == 5);
	fails(IMGSEARCH_EDB, ims_store_vectors_fetch(st, want, 3, 3, out[0], found, &err));
	begin(st);
	ok(ims_store_remove(st, ONE(5), &err));
	fails(IMGSEARCH_ENOTFOUND, ims_store_remove(st, ONE(5), &err));
	float v[4] = { 0 };
	ok(ims_store_vectors_put(st, &(int64_t){ INT64_MAX }, v, 1, 4, &err));
	store_picture p = { .path = "none left", .state = IMGSEARCH_STATE_DAMAGED };
	if (where == file || !getenv("IMGSEARCH_TEST_SHARDS")) /* which give ids of their ranges */
		fails(IMGSEARCH_ELIMIT, put_row(st, &p, &err));
	commit(st);
	assert_true(has_vector(st, INT64_MAX));
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

/* Many at once, beside rows that are there, logged; one that is deleted refuses all of them. */
static void many_vectors(void **state)
{
	enum { MANY = 300 };
	(void)state;
	store *st = open_store(where, 4);
	static float rows[MANY][4];
	int64_t ids[MANY], made, before, after, *changed;
	size_t n;
	for (int i = 0; i < MANY; i++) {
		ids[i] = 5 * i;
		rows[i][2] = (float)i;
	}
	begin(st);
	ok(ims_store_vectors_put(st, ids, rows[0], MANY / 2, 4, &err));
	ok(ims_store_searcher_begin(st, "graph", &made, &err));
	ok(ims_store_change_last(st, &before, &err));
	ok(ims_store_vectors_put(st, ids, rows[0], MANY, 4, &err));
	ok(ims_store_keep_out(st, ONE(10), &err));
	fails(IMGSEARCH_EINVAL, ims_store_vectors_put(st, ids, rows[0], MANY, 4, &err));
	ok(ims_store_vectors_put(st, ids + 3, rows[0], MANY - 3, 4, &err));
	commit(st);
	ok(ims_store_changes(st, before, &changed, &n, &err));
	ok(ims_store_change_last(st, &after, &err));
	assert_int_equal(n, MANY);
	assert_int_equal(after - before, MANY + 1 + MANY - 3);
	store_counts counts;
	ok(ims_store_counts(st, &counts, &err));
	assert_int_equal(counts.vectors, MANY - 1);
	float v[4];
	uint8_t found;
	ok(ims_store_vectors_fetch(st, ONE(20), 4, v, &found, &err));
	assert_true(found && v[2] == 1);
	assert_int_equal(problems(st), 0);
	ims_free(changed);
	ims_store_close(st);
}

/* An id that was given once is never given again, and none lies past the largest number. */
static void ids_count_on(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	float v[4] = { 0 };
	int64_t id;
	ok(ims_store_max_id(st, &id, &err));
	assert_int_equal(id, -1);
	for (int64_t next = 0; next < 3; next++) {
		begin(st);
		ok(ims_store_vectors_put(st, &next, v, 1, 4, &err));
		ok(ims_store_remove(st, ONE(next), &err)); /* all rows are gone again */
		commit(st);
		ok(ims_store_max_id(st, &id, &err));
		assert_int_equal(id, next);
	}
	begin(st);
	assert_int_equal(add_picture(st, 0, "a", 1), 3);
	ok(ims_store_remove(st, ONE(3), &err));
	ok(ims_store_vectors_put(st, &(int64_t){ INT64_MAX - 2 }, v, 1, 4, &err));
	commit(st);
	ok(ims_store_max_id(st, &id, &err));
	if (where != file && getenv("IMGSEARCH_TEST_SHARDS")) {
		assert_int_equal(id, 3); /* of the range of the first */
		ims_store_close(st);
		return;
	}
	assert_int_equal(id, INT64_MAX - 2);
	begin(st);
	ok(ims_store_vectors_put(st, &(int64_t){ INT64_MAX }, v, 1, 4, &err));
	ok(ims_store_remove(st, ONE(INT64_MAX), &err));
	commit(st);
	ok(ims_store_max_id(st, &id, &err));
	assert_int_equal(id, INT64_MAX);
	ims_store_close(st);
}

static void searchers(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	store_searcher *s;
	size_t n;
	int64_t old, fresh, change, *ids;
	buf b = { 0 };
	begin(st);
	int64_t a = add_picture(st, 0, "a", 1);
	ok(ims_store_change_last(st, &change, &err));
	ok(ims_store_searcher_begin(st, "graph", &old, &err));
	ok(ims_store_searcher_chunk(st, old, 0, "hello", 5, &err));
	ok(ims_store_searcher_chunk(st, old, 1, "", 0, &err));
	ok(ims_store_searchers(st, &s, &n, &err));
	assert_int_equal(n, 0);
	ok(ims_store_searcher_publish(st, old, "p=1", 3, 1, change, &err));
	commit(st);
	ok(ims_store_changes(st, change, &ids, &n, &err));
	assert_int_equal(n, 0);
	ims_free(ids);
	begin(st);
	int64_t b_ = add_picture(st, 0, "b", 2);
	add_picture(st, 0, "b", 2);
	ok(ims_store_remove(st, ONE(a), &err));
	commit(st);
	ok(ims_store_changes(st, change, &ids, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(ids[0], a);
	assert_int_equal(ids[1], b_);
	ims_free(ids);
	none(ims_store_changes(st, change - 1, &ids, &n, &err));
	begin(st); /* one that is never published, as after a kill */
	ok(ims_store_searcher_begin(st, "graph", &fresh, &err));
	ok(ims_store_searcher_chunk(st, fresh, 0, "lost", 4, &err));
	commit(st);
	begin(st);
	ok(ims_store_searcher_begin(st, "graph", &fresh, &err));
	ok(ims_store_searcher_chunk(st, fresh, 0, "new", 3, &err));
	commit(st);
	ok(ims_store_searchers(st, &s, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(s->state, old);
	assert_string_equal(s->params, "p=1");
	assert_int_equal(s->version, 3);
	assert_int_equal(s->chunks, 2);
	uint64_t bytes;
	ok(ims_store_searcher_bytes(st, s->state, &bytes, &err));
	assert_int_equal(bytes, 5);
	assert_int_equal(s->change, change);
	ims_store_searchers_free(s, n);
	ok(ims_store_searcher_read(st, old, 0, &b, &err));
	ok(ims_store_searcher_read(st, old, 1, &b, &err));
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.data, "hello", 5);
	fails(IMGSEARCH_EFORMAT, ims_store_searcher_read(st, old, 2, &b, &err));
	begin(st);
	ok(ims_store_change_last(st, &change, &err));
	ok(ims_store_searcher_publish(st, fresh, "", 3, 1, change, &err));
	ok(ims_store_changes_trim(st, &err));
	fails(IMGSEARCH_ENOTFOUND, ims_store_searcher_publish(st, 999, "", 3, 1, change, &err));
	commit(st);
	fails(IMGSEARCH_EFORMAT, ims_store_searcher_read(st, old, 0, &b, &err));
	ok(ims_store_changes(st, change, &ids, &n, &err));
	assert_int_equal(n, 0);
	ims_free(ids);
	begin(st);
	ok(ims_store_model_set(st, &(store_model){ .name = "m", .dim = 4 }, true, &err));
	ok(put_vector(st, b_, (float[4]){ 1 }, 4, true, &err));
	ok(ims_store_model_switch(st, &err)); /* searchers go with the vectors */
	add_picture(st, 0, "c", 3);
	commit(st);
	none(ims_store_changes(st, change, &ids, &n, &err)); /* nobody to log for */
	int64_t later;
	ok(ims_store_change_last(st, &later, &err));
	assert_true(later > change);
	ok(ims_store_changes(st, later, &ids, &n, &err));
	assert_int_equal(n, 0);
	assert_int_equal(problems(st), 0);
	ims_buf_free(&b);
	ims_store_close(st);
}

static void space(void **state)
{
	(void)state;
	enum { N = 4000, DIM = 256 };
	store *st = open_store(where, DIM);
	int64_t *ids = ims_alloc(N, sizeof *ids);
	float *rows = ims_zalloc(N, DIM * sizeof *rows);
	store_state before, after;
	for (int i = 0; i < N; i++)
		ids[i] = i + 1;
	ok(ims_store_state_get(st, &before, &err));
	begin(st);
	ok(ims_store_vectors_put(st, ids, rows, N, DIM, &err));
	commit(st);
	ok(ims_store_state_get(st, &after, &err));
	assert_true(after.change != before.change && after.counts.vectors == N);
	ok(ims_store_write_begin(st, &err));
	ok(ims_store_compact(st, &err));
	uint64_t full = ims_store_bytes(st);
	if (ims_store_is_address(where)) /* a server gives space back when it likes */
		skip();
	assert_true(full > N * DIM * 4 && full < N * DIM * 4 * 1.2);
	ok(ims_store_tx_begin(st, &err));
	for (int i = 0; i < N; i++)
		ok(ims_store_remove(st, ONE(ids[i]), &err));
	fails(IMGSEARCH_EINVAL, ims_store_compact(st, &err));
	ok(ims_store_tx_commit(st, &err));
	ok(ims_store_compact(st, &err));
	ims_store_write_end(st);
	assert_true(ims_store_bytes(st) < full / 4);
	ims_free(ids);
	ims_free(rows);
	ims_store_close(st);
}

/* Vectors lie within their page, and a page holds little else. */
static void page_size(void **state)
{
	(void)state;
	static const uint32_t dims[] = { 128, 256, 512, 768, 1280, 2048 };
	for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
		enum { N = 1000 };
		store *st = open_store(file, dims[d]);
		float *row = ims_zalloc(dims[d], sizeof *row);
		begin(st);
		for (int64_t i = 1; i <= N; i++)
			ok(ims_store_vectors_put(st, &i, row, 1, dims[d], &err));
		commit(st);
		ims_free(row);
		ims_store_close(st);
		struct stat info;
		assert_int_equal(stat(file, &info), 0);
		/*
		 * 2048: seven of them leave an eighth of the largest page empty; the tables take 33 pages
		 */
		assert_true((double)info.st_size
			< N * 4.0 * dims[d] * 1.155 + 33.0 * ims_sqlite_page_size(dims[d]));
		remove_files();
	}
}

static void one_writer(void **state)
{
	(void)state;
	store *st = open_store(file, 4), *second = open_store(file, 4);
	ok(ims_store_write_begin(st, &err));
	fails(IMGSEARCH_EBUSY, ims_store_write_begin(st, &err));
	fails(IMGSEARCH_EBUSY, ims_store_write_begin(second, &err));
	pid_t child = fork();
	if (!child) {
		store *own;
		imgsearch_error err;
		store_options o = { 0 };
		if (ims_store_open(&own, file, &o, &err)
			|| ims_store_write_begin(own, &err) != IMGSEARCH_EBUSY)
			_exit(1);
		store_picture p;
		_exit(ims_store_picture_get(own, 1, &p, &err) == IMGSEARCH_ENOTFOUND
				? 0
				: 2); /* readers are free */
	}
	int status;
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	ims_store_write_end(st);
	ok(ims_store_write_begin(second, &err));
	ims_store_write_end(second);
	ims_store_close(st);
	ims_store_close(second);
	char lock[128];
	snprintf(lock, sizeof lock, "%s-lock", file);
	assert_int_equal(access(lock, F_OK), -1);
}

static void *reader_thread(void *arg)
{
	store *st = arg;
	for (int i = 0; i < 300; i++) {
		store_counts counts;
		char *text = listed(st, 0);
		ims_free(text);
		has_vector(st, i % 50);
		ok(ims_store_counts(st, &counts, &err));
		writing w = { .st = st, .wrote = true };
		ok(ims_store_vectors_scan(st, false, 4, write_meanwhile, &w, &err));
		if (where == file)
			assert_int_equal(w.seen % 10, 0); /* whole transactions only */
	}
	return NULL;
}

static void readers_and_writer(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	pthread_t thread[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, reader_thread, st);
	ok(ims_store_write_begin(st, &err));
	for (int i = 0; i < 30; i++) {
		ok(ims_store_tx_begin(st, &err));
		for (int j = 0; j < 10; j++) {
			char path[16];
			snprintf(path, sizeof path, "%d-%d", i, j);
			add_picture(st, 0, path, 0);
		}
		ok(ims_store_tx_commit(st, &err));
	}
	ims_store_write_end(st);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	store_counts counts;
	ok(ims_store_counts(st, &counts, &err));
	assert_int_equal(counts.vectors, 300);
	ims_store_close(st);
}

/* Bytes of more than one piece, and their hash. */
static hash256 fill(uint8_t *data, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(ims_random(&seed) >> 32);
	return ims_hash(data, n);
}

static int64_t add_hashed(store *st, const char *path, uint32_t state, const hash256 *hash,
	int64_t same_as)
{
	store_picture p = { .path = path,
		.size = 1,
		.state = state,
		.hash = *hash,
		.same_as = same_as };
	float v[4] = { 1 };
	ok(put_row(st, &p, &err));
	if (state == IMGSEARCH_STATE_INDEXED)
		ok(put_vector(st, p.id, v, 4, false, &err));
	return p.id;
}

static void has_file(store *st, int64_t id, const void *data, size_t n)
{
	buf b = { 0 };
	ok(ims_store_file_get(st, id, &b, &err));
	assert_int_equal(b.len, n);
	assert_memory_equal(b.data, data, n);
	ims_buf_free(&b);
}

static void has_no_file(store *st, int64_t id)
{
	buf b = { 0 };
	none(ims_store_file_get(st, id, &b, &err));
	assert_int_equal(b.len, 0);
	ims_buf_free(&b);
}

static void finds_file(store *st, const hash256 *hash, int64_t id)
{
	int64_t found;
	ok(ims_store_file_find(st, hash, &found, &err));
	assert_int_equal(found, id);
}

static void stored_files(void **state)
{
	enum { LONG = (2 << 20) + 5, SHORT = 300 };
	(void)state;
	static uint8_t one[LONG], two[SHORT];
	const hash256 h = fill(one, LONG, 1), other = fill(two, SHORT, 2);
	store *st = open_store(where, 4);
	int64_t *ids;
	size_t n;
	has_no_file(st, 1);
	finds_file(st, &h, 0);
	ok(ims_store_ids(st, STORE_FILES, &ids, &n, &err));
	assert_int_equal(n, 0);
	ims_free(ids);
	fails(IMGSEARCH_EINVAL, ims_store_file_put(st, 1, one, LONG, &err));
	begin(st);
	int64_t a = add_hashed(st, "a", IMGSEARCH_STATE_INDEXED, &h, 0);
	int64_t copy = add_hashed(st, "/copy", IMGSEARCH_STATE_DUPLICATE, &h, a);
	int64_t b = add_hashed(st, "b", IMGSEARCH_STATE_INDEXED, &other, 0);
	ok(ims_store_file_put(st, a, two, SHORT, &err));
	ok(ims_store_file_put(st, a, one, LONG, &err)); /* in place of what was there */
	ok(ims_store_file_put(st, b, two, SHORT, &err));
	has_file(st, a, one, LONG); /* the writer sees its own work */
	commit(st);
	has_file(st, a, one, LONG);
	has_file(st, copy, one, LONG); /* which has the same bytes */
	has_file(st, b, two, SHORT);
	finds_file(st, &h, a);
	ok(ims_store_ids(st, STORE_FILES, &ids, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(ids[1], b);
	ims_free(ids);

	begin(st); /* what failed to be read keeps them, and what is deleted on purpose */
	add_hashed(st, "b", IMGSEARCH_STATE_UNREADABLE, &(hash256){ { 0 } }, 0);
	add_hashed(st, "b", IMGSEARCH_STATE_INDEXED, &other, 0);
	has_file(st, b, two, SHORT);
	ok(ims_store_keep_out(st, &b, 1, &err));
	commit(st);
	has_file(st, b, two, SHORT);
	finds_file(st, &other, 0);

	begin(st); /* other bytes, or a vector, take the place of a picture */
	ok(ims_store_readmit(st, &b, 1, &err));
	add_hashed(st, "b", IMGSEARCH_STATE_INDEXED, &(hash256){ { 7 } }, 0);
	commit(st);
	has_no_file(st, b);
	begin(st);
	ok(ims_store_remove(st, &a, 1, &err));
	commit(st);
	has_no_file(st, copy); /* which was indexed instead */
	ok(ims_store_ids(st, STORE_FILES, &ids, &n, &err));
	assert_int_equal(n, 0);
	ims_free(ids);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

static void a_damaged_file(void **state)
{
	(void)state;
	const hash256 wrong = { { 9 } };
	buf b = { 0 };
	store *st = open_store(where, 4);
	begin(st);
	int64_t id = add_hashed(st, "a", IMGSEARCH_STATE_INDEXED, &wrong, 0);
	ok(ims_store_file_put(st, id, "abc", 3, &err));
	commit(st);
	fails(IMGSEARCH_EFORMAT, ims_store_file_get(st, id, &b, &err));
	assert_int_equal(problems(st), 1);
	ims_buf_free(&b);
	ims_store_close(st);
}

#define both(test) \
	{ #test, test, on_file, remove_folder, NULL }, \
	{ \
#test " in memory", test, in_memory, remove_folder, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		both(settings),
		both(models),
		both(pictures),
		both(twins),
		both(folders),
		both(patterns),
		both(columns),
		both(vectors),
		both(many_vectors),
		both(ids_count_on),
		both(searchers),
		both(space),
		both(readers_and_writer),
		both(stored_files),
		both(a_damaged_file),
		cmocka_unit_test_setup_teardown(page_size, on_file, remove_folder),
		cmocka_unit_test_setup_teardown(one_writer, on_file, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

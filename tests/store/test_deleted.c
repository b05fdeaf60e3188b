/* Items deleted on purpose: nothing that searches sees them, and they come back as they were. */
#include "common.h"

#include <sqlite3.h>

static void is_present(store *st, int64_t id, store_presence expected)
{
	uint8_t presence;
	ok(ims_store_presences(st, &id, 1, &presence, &err));
	assert_int_equal(presence, expected);
}

static void is_in(store *st, int64_t id, uint32_t state, int64_t same_as)
{
	store_picture p;
	ok(ims_store_picture_get(st, id, &p, &err));
	assert_int_equal(p.state, state);
	assert_int_equal(p.same_as, same_as);
	assert_true((p.reason != NULL) == (state > IMGSEARCH_STATE_DUPLICATE));
	ims_store_picture_clear(&p);
	is_present(st, id, state == IMGSEARCH_STATE_DELETED ? STORE_DELETED : STORE_PRESENT);
}

static void counts_are(store *st, uint64_t vectors, uint64_t kept, uint64_t deleted)
{
	store_counts c;
	ok(ims_store_counts(st, &c, &err));
	assert_int_equal(c.vectors, vectors);
	assert_int_equal(c.vectors_kept, kept);
	assert_int_equal(c.by_state[IMGSEARCH_STATE_DELETED], deleted);
	assert_int_equal(problems(st), 0);
}

static int count_rows(void *user, const int64_t *ids, const float *rows, size_t n)
{
	(void)ids, (void)rows;
	*(size_t *)user += n;
	return 0;
}

static int count_signature(void *user, int64_t picture, const void *data, size_t size)
{
	(void)picture, (void)data, (void)size;
	++*(size_t *)user;
	return 0;
}

static void sees(store *st, size_t vectors, size_t signatures)
{
	size_t n = 0, m = 0;
	ok(ims_store_vectors_scan(st, false, 4, count_rows, &n, &err));
	ok(ims_store_signatures(st, count_signature, &m, &err));
	assert_int_equal(n, vectors);
	assert_int_equal(m, signatures);
}

/* The ids changed since `after`, which is brought up to date. */
static void changed(store *st, int64_t *after, int64_t id)
{
	int64_t *ids;
	size_t n;
	ok(ims_store_changes(st, *after, &ids, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(ids[0], id);
	ims_free(ids);
	ok(ims_store_change_last(st, after, &err));
}

static void keeps_out_and_comes_back(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	hash256 h = { { 1 } };
	store_picture p;
	float v[4] = { 1, 1, 1, 1 };
	int64_t searcher, last;
	begin(st);
	int64_t a = add_picture(st, 0, "a", 1), b = add_copy(st, "b", a, 1),
			c = add_picture(st, 0, "c", 2);
	ok(put_signature(st, a, &h, "pixels", 6, &err));
	ok(ims_store_searcher_begin(st, "s", &searcher, &err));
	ok(ims_store_change_last(st, &last, &err));
	commit(st);
	sees(st, 2, 1);
	begin(st);
	ok(ims_store_keep_out(st, ONE(b), &err)); /* whichever of the two is named */
	ok(ims_store_keep_out(st, ONE(a), &err)); /* it is already */
	fails(IMGSEARCH_ENOTFOUND, ims_store_keep_out(st, ONE(999), &err));
	commit(st);
	changed(st, &last, a);
	is_in(st, a, IMGSEARCH_STATE_DELETED, 0);
	is_in(st, b, IMGSEARCH_STATE_DELETED, a);
	counts_are(st, 1, 1, 2);
	sees(st, 1, 0);
	assert_false(has_vector(st, a));
	assert_true(has_vector(st, c));
	ok(ims_store_by_hash(st, &h, 1, &p, &err));
	assert_int_equal(p.id, a);
	assert_int_equal(p.state, IMGSEARCH_STATE_DELETED);
	ims_store_picture_clear(&p);
	begin(st); /* nothing takes it in by accident */
	store_picture again = { .path = "a", .state = IMGSEARCH_STATE_INDEXED };
	fails(IMGSEARCH_EINVAL, put_row(st, &again, &err));
	fails(IMGSEARCH_EINVAL,
		ims_store_move(st, &(store_move){ c, { 0, "b" }, (timestamp){ 0, 0 } }, 1, &err));
	fails(IMGSEARCH_EINVAL, put_vector(st, a, v, 4, false, &err));
	fails(IMGSEARCH_EINVAL, ims_store_vectors_put(st, &a, v, 1, 4, &err));
	commit(st);
	begin(st);
	ok(ims_store_readmit(st, ONE(b), &err));
	ok(ims_store_readmit(st, ONE(a), &err));
	fails(IMGSEARCH_ENOTFOUND, ims_store_readmit(st, ONE(999), &err));
	commit(st);
	changed(st, &last, a);
	is_in(st, a, IMGSEARCH_STATE_INDEXED, 0);
	is_in(st, b, IMGSEARCH_STATE_DUPLICATE, a);
	counts_are(st, 2, 0, 0);
	sees(st, 2, 1);
	assert_true(has_vector(st, a));
	ims_store_close(st);
}

static void vectors_without_pictures(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	int64_t ids[2] = { 0, 7 };
	float v[8] = { 0 };
	begin(st);
	ok(ims_store_vectors_put(st, ids, v, 2, 4, &err));
	ok(ims_store_keep_out(st, ONE(0), &err));
	ok(ims_store_keep_out(st, ONE(0), &err));
	ok(ims_store_keep_out(st, ONE(7), &err));
	fails(IMGSEARCH_EINVAL, ims_store_vectors_put(st, ids, v, 2, 4, &err));
	commit(st);
	counts_are(st, 0, 2, 0);
	is_present(st, 7, STORE_DELETED);
	begin(st);
	ok(ims_store_readmit(st, ONE(7), &err));
	ok(ims_store_remove(st, ONE(0), &err)); /* forgotten */
	ok(ims_store_vectors_put(st, ids, v, 2, 4, &err));
	commit(st);
	counts_are(st, 2, 0, 0);
	is_present(st, 7, STORE_PRESENT);
	is_present(st, 8, STORE_ABSENT);
	ims_store_close(st);
}

/* As long as one picture with the bytes is deleted, it keeps them out. */
static void removal_forgets(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	hash256 h = { { 1 } };
	store_picture p;
	begin(st);
	int64_t a = add_picture(st, 0, "a", 1), b = add_copy(st, "b", a, 1),
			c = add_copy(st, "c", a, 1);
	ok(ims_store_keep_out(st, ONE(a), &err));
	ok(ims_store_remove(st, ONE(a), &err));
	commit(st);
	is_in(st, b, IMGSEARCH_STATE_DELETED, 0);
	is_in(st, c, IMGSEARCH_STATE_DELETED, b);
	counts_are(st, 0, 1, 2);
	begin(st);
	ok(ims_store_readmit(st, ONE(c), &err));
	commit(st);
	is_in(st, b, IMGSEARCH_STATE_INDEXED, 0);
	assert_true(has_vector(st, b));
	begin(st);
	ok(ims_store_keep_out(st, ONE(b), &err));
	ok(ims_store_remove(st, ONE(c), &err));
	ok(ims_store_remove(st, ONE(b), &err));
	commit(st);
	counts_are(st, 0, 0, 0);
	ok(ims_store_by_hash(st, &h, 1, &p, &err));
	assert_null(p.path);
	ims_store_close(st);
}

static void after_another_model(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	store_model first = { .name = "one", .dim = 4 }, second = { .name = "two", .dim = 4 };
	store_picture bad = { .path = "bad", .state = IMGSEARCH_STATE_DAMAGED, .reason = "cut off" };
	float v[4] = { 1, 1, 1, 1 };
	begin(st);
	ok(ims_store_model_set(st, &first, false, &err));
	int64_t a = add_picture(st, 0, "a", 1), b = add_copy(st, "b", a, 1),
			c = add_picture(st, 0, "c", 2);
	ok(put_row(st, &bad, &err));
	ok(ims_store_model_set(st, &second, true, &err));
	ok(put_vector(st, a, v, 4, true, &err));
	ok(put_vector(st, c, v, 4, true, &err));
	ok(ims_store_keep_out(st, ONE(a), &err));
	ok(ims_store_keep_out(st, ONE(bad.id), &err));
	commit(st);
	counts_are(st, 1, 1, 3);
	begin(st);
	ok(ims_store_model_switch(st, &err));
	commit(st);
	counts_are(st, 1, 0, 3);
	assert_false(has_vector(st, a));
	begin(st);
	ok(ims_store_readmit(st, ONE(a), &err));
	ok(ims_store_readmit(st, ONE(bad.id), &err));
	commit(st);
	is_in(st, a, IMGSEARCH_STATE_UNREADABLE, 0);
	is_in(st, b, IMGSEARCH_STATE_UNREADABLE, 0);
	is_in(st, bad.id, IMGSEARCH_STATE_UNREADABLE, 0);
	counts_are(st, 1, 0, 0);
	ims_store_close(st);
}

/* What a run writes down of a copy that it meets. */
static void copies_that_come_later(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	begin(st);
	int64_t a = add_picture(st, 0, "a", 1), other = add_picture(st, 0, "other", 2);
	ok(ims_store_keep_out(st, ONE(a), &err));
	store_picture copy = { .path = "other", /* it had other bytes until now */
		.state = IMGSEARCH_STATE_DELETED,
		.same_as = a,
		.reason = ims_store_reason_deleted_copy,
		.hash.byte = { 1 } };
	ok(put_row(st, &copy, &err));
	assert_int_equal(copy.id, other);
	commit(st);
	is_in(st, other, IMGSEARCH_STATE_DELETED, a);
	counts_are(st, 0, 1, 2);
	begin(st);
	ok(ims_store_readmit(st, ONE(a), &err));
	commit(st);
	is_in(st, other, IMGSEARCH_STATE_DUPLICATE, a);
	counts_are(st, 1, 0, 0);
	ims_store_close(st);
}

static void faults_are_found(void **state)
{
	(void)state;
	static const char *const faults[] = {
		"UPDATE tally SET n = 5 WHERE what = 8",
		"INSERT INTO vector SELECT * FROM vector_kept; UPDATE tally SET n = 2 WHERE what = 101",
		"INSERT INTO vector_kept SELECT id, data FROM vector WHERE id = 3;"
		"UPDATE tally SET n = 2 WHERE what = 103",
		"UPDATE picture SET same_as = 3 WHERE id = 2",
	};
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		store *st = open_store(file, 4);
		begin(st);
		int64_t a = add_picture(st, 0, "a", 1);
		add_copy(st, "b", a, 1);
		add_picture(st, 0, "c", 2);
		ok(ims_store_keep_out(st, ONE(a), &err));
		commit(st);
		assert_int_equal(problems(st), 0);
		ims_store_close(st);
		sqlite3 *db;
		assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, faults[i], NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		st = open_store(file, 4);
		assert_true(problems(st) > 0);
		ims_store_close(st);
		remove_files();
	}
}

#define both(test) \
	{ #test, test, on_file, remove_folder, NULL }, \
	{ \
#test " in memory", test, in_memory, remove_folder, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		both(keeps_out_and_comes_back),
		both(vectors_without_pictures),
		both(removal_forgets),
		both(after_another_model),
		both(copies_that_come_later),
		cmocka_unit_test_setup_teardown(faults_are_found, on_file, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

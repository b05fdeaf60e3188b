/*
 * Two models in one file: what each of them sees, what becomes of the vectors of both, and an
 * exchange that is killed.
 */
#include "common.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static const store_model one = { .name = "one", .weights = "w.pth", .recipe = "r1", .dim = 4 };
static const store_model two = { .name = "two", .recipe = "r2", .dim = 2 };

static store *open_second(const store *first)
{
	store *st;
	ok(ims_store_open_second(&st, first, &err));
	return st;
}

static void put_second(store *st, int64_t id, float value)
{
	ok(put_vector(st, id, (float[2]){ value, value }, 2, true, &err));
}

/* An index of the pictures a and b with bytes of their own, and "a2" with those of a. */
static store *with_two(int64_t id[3])
{
	store *st = open_store(file, 4);
	begin(st);
	ok(ims_store_model_set(st, &one, false, &err));
	id[0] = add_picture(st, 0, "a", 1);
	id[1] = add_picture(st, 0, "b", 2);
	store_picture p = {
		.path = "a2",
		.size = 101,
		.state = IMGSEARCH_STATE_DUPLICATE,
		.same_as = id[0],
	};
	p.hash.byte[0] = 1;
	ok(put_row(st, &p, &err));
	id[2] = p.id;
	ok(ims_store_model_add(st, &two, &err));
	put_second(st, id[0], 10);
	put_second(st, id[1], 20);
	commit(st);
	return st;
}

/* The first value of the vector of id; 0: it has none. */
static float value(store *st, int64_t id, uint32_t dim)
{
	float row[4] = { 0 };
	uint8_t found;
	ok(ims_store_vectors_fetch(st, &id, 1, dim, row, &found, &err));
	return found ? row[0] : 0;
}

static void has_counts(store *st, uint64_t vectors, uint64_t next)
{
	store_counts c;
	ok(ims_store_counts(st, &c, &err));
	assert_int_equal(c.vectors, vectors);
	assert_int_equal(c.vectors_next, next);
	assert_int_equal(problems(st), 0);
}

static void has_setting(store *st, const char *name, const char *text)
{
	buf b = { 0 };
	ok(ims_store_setting_get(st, name, &b, &err));
	assert_int_equal(b.len, strlen(text));
	assert_memory_equal(b.data ? b.data : (const void *)"", text, b.len);
	ims_buf_free(&b);
}

static void has_model(store *st, bool next, const char *name)
{
	store_model m;
	ok(ims_store_model_get(st, &m, next, &err));
	assert_string_equal(m.name, name);
	ims_store_model_clear(&m);
}

static void publish(store *st, const char *name)
{
	int64_t state, change;
	ok(ims_store_change_last(st, &change, &err));
	ok(ims_store_searcher_begin(st, name, &state, &err));
	ok(ims_store_searcher_chunk(st, state, 0, name, strlen(name), &err));
	ok(ims_store_searcher_publish(st, state, "", 1, 2, change, &err));
	ok(ims_store_changes_trim(st, &err));
}

static void has_searcher(store *st, const char *name)
{
	store_searcher *s;
	size_t n;
	buf b = { 0 };
	ok(ims_store_searchers(st, &s, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(s->name, name);
	ok(ims_store_searcher_read(st, s->state, 0, &b, &err));
	assert_int_equal(b.len, strlen(name));
	assert_memory_equal(b.data, name, b.len);
	ims_buf_free(&b);
	ims_store_searchers_free(s, n);
}

static uint32_t epoch(store *st)
{
	buf b = { 0 };
	ok(ims_store_setting_get(st, "epoch", &b, &err));
	reader r = { .data = b.data, .len = b.len };
	uint32_t n = ims_read_u32(&r);
	ims_buf_free(&b);
	return n;
}

/* A setting of the index has changed: both models get an epoch that neither had. */
static void renewed_together(void **state)
{
	(void)state;
	int64_t id[3];
	store *st = with_two(id), *second = open_second(st);
	uint32_t one = epoch(st), two = epoch(second);
	begin(st);
	ok(ims_store_models_renew(st, &err));
	commit(st);
	assert_true(epoch(st) > one && epoch(st) > two);
	assert_int_equal(epoch(second), epoch(st));
	begin(st);
	ok(ims_store_model_drop_next(st, &err));
	one = epoch(st);
	ok(ims_store_models_renew(st, &err));
	assert_int_equal(epoch(st), one);
	commit(st);
	ims_store_close(second);
	ims_store_close(st);
}

static void each_sees_its_own(void **state)
{
	(void)state;
	int64_t id[3];
	store *st = with_two(id), *second = open_second(st);
	bool has;
	ok(ims_store_has_second(st, &has, &err));
	assert_true(has);
	has_model(second, false, "two");
	has_model(second, true, "one");
	has_counts(st, 2, 2);
	has_counts(second, 2, 2);
	assert_true(value(st, id[1], 4) == (float)id[1]);
	assert_true(value(second, id[1], 2) == 20);

	begin(st);
	ok(ims_store_setting_set(st, "x", "first", 5, &err));
	publish(st, "graph");
	commit(st);
	begin(second);
	ok(ims_store_setting_set(second, "x", "second", 6, &err));
	publish(second, "exact");
	has_setting(second, "x", "second"); /* also within the transaction */
	commit(second);
	has_setting(st, "x", "first");
	has_setting(second, "x", "second");
	has_searcher(st, "graph");
	has_searcher(second, "exact");
	fails(IMGSEARCH_EDB,
		ims_store_vectors_fetch(second, id, 1, 4, (float[4]){ 0 }, (uint8_t[1]){ 0 }, &err));
	ims_store_close(second);
	ims_store_close(st);
}

static void exchange(void **state)
{
	(void)state;
	int64_t id[3], *changed;
	size_t n;
	store *st = with_two(id), *second = open_second(st);
	store_state before, after, other;
	begin(st);
	publish(st, "graph");
	ok(ims_store_setting_set(st, "x", "one", 3, &err));
	commit(st);
	begin(second);
	publish(second, "exact");
	commit(second);
	ok(ims_store_state_get(st, &before, &err));
	ok(ims_store_state_get(second, &other, &err));

	begin(st);
	ok(ims_store_model_exchange(st, &err));
	ims_store_tx_rollback(st);
	has_model(st, false, "one");
	ok(ims_store_tx_begin(st, &err));
	ok(ims_store_model_exchange(st, &err));
	commit(st);
	for (int i = 0; i < 2; i++) {
		store *shown = i ? second : st;
		has_model(shown, false, i ? "one" : "two");
		has_searcher(shown, i ? "graph" : "exact");
		has_counts(shown, 2, 2);
		has_setting(shown, "x", i ? "one" : "");
	}
	assert_true(value(st, id[0], 2) == 10);
	ok(ims_store_state_get(st, &after, &err));
	assert_true(after.epoch > before.epoch && after.epoch > other.epoch);
	ok(ims_store_state_get(second, &after, &err));
	assert_true(after.epoch > before.epoch && after.epoch > other.epoch);

	/* both logs go on */
	int64_t last[2];
	ok(ims_store_change_last(st, &last[0], &err));
	ok(ims_store_change_last(second, &last[1], &err));
	begin(st);
	ok(ims_store_remove(st, &id[1], 1, &err));
	commit(st);
	for (int i = 0; i < 2; i++) {
		ok(ims_store_changes(i ? second : st, last[i], &changed, &n, &err));
		assert_int_equal(n, 1);
		assert_int_equal(changed[0], id[1]);
		ims_free(changed);
		has_counts(i ? second : st, 1, 1);
	}
	begin(st);
	ok(ims_store_model_exchange(st, &err)); /* and back, as often as one likes */
	ok(ims_store_model_exchange(st, &err));
	ok(ims_store_model_exchange(st, &err));
	commit(st);
	has_model(st, false, "one");
	has_searcher(st, "graph");
	ims_store_close(second);
	ims_store_close(st);
}

static void both_vectors(void **state)
{
	(void)state;
	int64_t id[3];
	store *st = with_two(id), *second = open_second(st);
	begin(st);
	ok(ims_store_keep_out(st, &id[0], 1, &err));
	commit(st);
	has_counts(st, 1, 1);
	assert_true(value(second, id[0], 2) == 0);
	begin(st);
	ok(ims_store_readmit(st, &id[0], 1, &err));
	commit(st);
	has_counts(st, 2, 2);
	assert_true(value(second, id[0], 2) == 10);

	begin(st); /* what is handed on */
	ok(ims_store_remove(st, &id[0], 1, &err));
	commit(st);
	assert_true(value(st, id[2], 4) == (float)id[0]);
	assert_true(value(second, id[2], 2) == 10);
	begin(st); /* also of one that is deleted */
	ok(ims_store_keep_out(st, &id[2], 1, &err));
	ok(ims_store_remove(st, &id[2], 1, &err));
	commit(st);
	has_counts(st, 1, 1);

	begin(st); /* other bytes */
	store_picture p = { .path = "b", .size = 9, .state = IMGSEARCH_STATE_INDEXED };
	p.hash.byte[0] = 9;
	ok(put_row(st, &p, &err));
	assert_int_equal(p.id, id[1]);
	ok(put_vector(st, p.id, (float[4]){ 5, 5, 5, 5 }, 4, false, &err));
	commit(st);
	has_counts(st, 1, 0);
	int64_t *lacking;
	size_t n;
	ok(ims_store_ids(st, STORE_LACKING_NEXT, &lacking, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(lacking[0], id[1]);
	ims_free(lacking);
	ims_store_close(second);
	ims_store_close(st);
}

static void drop(void **state)
{
	(void)state;
	int64_t id[3];
	bool has;
	store *st = with_two(id), *second = open_second(st);
	store_state before, after;
	begin(second);
	publish(second, "exact");
	commit(second);
	ok(ims_store_state_get(second, &before, &err));
	begin(st);
	fails(IMGSEARCH_EINVAL, ims_store_model_add(st, &two, &err));
	fails(IMGSEARCH_ENOTFOUND, ims_store_model_switch(st, &err));
	ok(ims_store_keep_out(st, &id[0], 1, &err));
	ok(ims_store_model_drop_next(st, &err));
	commit(st);
	ok(ims_store_has_second(st, &has, &err));
	assert_false(has);
	has_counts(st, 1, 0);
	begin(st);
	fails(IMGSEARCH_ENOTFOUND, ims_store_model_exchange(st, &err));
	ok(ims_store_readmit(st, &id[0], 1, &err));
	ok(ims_store_model_add(st, &two, &err)); /* nothing of the last one is left */
	commit(st);
	has_counts(st, 2, 0);
	has_counts(second, 0, 2);
	store_searcher *s;
	size_t n;
	ok(ims_store_searchers(second, &s, &n, &err));
	assert_int_equal(n, 0);
	ims_store_searchers_free(s, n);
	ok(ims_store_state_get(second, &after, &err));
	assert_true(after.epoch > before.epoch);
	ims_store_close(second);
	ims_store_close(st);
}

static void drop_frees(void **state)
{
	(void)state;
	enum { N = 200, DIM = 1024 };
	int64_t id[3];
	store *st = with_two(id);
	static const float row[DIM];
	begin(st);
	for (int64_t i = 0; i < N; i++)
		ok(put_vector(st, 1000 + i, row, DIM, true, &err));
	commit(st);
	ok(ims_store_write_begin(st, &err));
	ok(ims_store_compact(st, &err));
	uint64_t before = ims_store_bytes(st);
	ok(ims_store_tx_begin(st, &err));
	ok(ims_store_model_drop_next(st, &err));
	ok(ims_store_tx_commit(st, &err));
	ok(ims_store_compact(st, &err));
	assert_true(ims_store_bytes(st) + N * DIM * sizeof(float) <= before);
	ims_store_write_end(st);
	ims_store_close(st);
}

static void refused(void **state)
{
	(void)state;
	store *st = open_store(":memory:", 4);
	begin(st);
	fails(IMGSEARCH_EINVAL, ims_store_model_add(st, &two, &err)); /* beside none */
	ok(ims_store_model_set(st, &one, false, &err));
	fails(IMGSEARCH_EUNSUPPORTED, ims_store_model_add(st, &two, &err));
	ok(ims_store_model_set(st, &two, true, &err));
	fails(IMGSEARCH_EINVAL, ims_store_model_add(st, &two, &err)); /* a re-index is under way */
	commit(st);
	ims_store_close(st);
}

/* Exchanges the models for ever, until it is killed. */
static void exchange_for_ever(void)
{
	store *st;
	store_options o = { .must_exist = true };
	if (ims_store_open(&st, file, &o, NULL) || ims_store_write_begin(st, NULL))
		_exit(1);
	for (;;)
		if (ims_store_tx_begin(st, NULL) || ims_store_model_exchange(st, NULL)
			|| ims_store_tx_commit(st, NULL))
			_exit(2);
}

static void killed_exchange(void **state)
{
	(void)state;
	enum { KILLS = 12 };
	int64_t id[3];
	int status;
	uint64_t random = 3;
	ims_store_close(with_two(id));
	for (int i = 0; i < KILLS; i++) {
		pid_t child = fork();
		if (!child)
			exchange_for_ever();
		usleep((useconds_t)(ims_random(&random) % 20000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		store *st = open_store(file, 4), *second = open_second(st);
		store_model m;
		ok(ims_store_model_get(st, &m, false, &err));
		bool is_one = !strcmp(m.name, "one");
		ims_store_model_clear(&m);
		has_model(second, false, is_one ? "two" : "one");
		assert_true(value(is_one ? second : st, id[0], 2) == 10);
		assert_true(value(is_one ? st : second, id[0], 4) == (float)id[0]);
		has_counts(st, 2, 2);
		ims_store_close(second);
		ims_store_close(st);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(renewed_together, on_file, remove_folder),
		cmocka_unit_test_setup_teardown(each_sees_its_own, on_file, remove_folder),
		cmocka_unit_test_setup_teardown(exchange, on_file, remove_folder),
		cmocka_unit_test_setup_teardown(both_vectors, on_file, remove_folder),
		cmocka_unit_test_setup_teardown(drop, on_file, remove_folder),
		cmocka_unit_test_setup_teardown(drop_frees, on_file, remove_folder),
		cmocka_unit_test_setup_teardown(refused, on_file, remove_folder),
		cmocka_unit_test_setup_teardown(killed_exchange, on_file, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

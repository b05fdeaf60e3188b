/*
 * Regions of pictures: written, read, handed on, and gone with the vector that they belong to. And
 * their rows of one byte a value.
 */
#include "common.h"
#include "store/copy.h"

#include <math.h>

static int note(void *user, size_t i, int64_t id, const void *data, size_t size)
{
	ims_buf_text(user, "%zu:%lld=%.*s ", i, (long long)id, (int)size, (const char *)data);
	return 0;
}

/* All, and those of ids 1 to 5. */
static void reads(store *st, const char *all, const char *some)
{
	buf b = { 0 };
	ims_buf_text(&b, "%s", "");
	ok(ims_store_regions_scan(st, note, &b, &err));
	assert_string_equal((char *)b.data, all);
	b.len = 0;
	ims_buf_text(&b, "%s", "");
	ok(ims_store_regions_fetch(st, (const int64_t[]){ 5, 4, 3, 2, 1 }, 5, note, &b, &err));
	assert_string_equal((char *)b.data, some);
	ims_buf_free(&b);
}

static uint64_t counted(store *st)
{
	store_counts counts;
	ok(ims_store_counts(st, &counts, &err));
	return counts.regions;
}

static void lacking(store *st, size_t n, int64_t first)
{
	int64_t *ids;
	size_t found;
	ok(ims_store_ids(st, STORE_WHOLE, &ids, &found, &err));
	assert_int_equal(found, n);
	if (n)
		assert_int_equal(ids[0], first);
	ims_free(ids);
}

static void is_sound(store *st)
{
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

static store *begun(void)
{
	store *st = open_store(where, 4);
	begin(st);
	return st;
}

static void put(store *st, int64_t id, const char *data)
{
	ok(put_regions(st, id, NULL, 0, data, false, &err));
}

static void written_and_read(void **state)
{
	(void)state;
	store *st = begun();
	int64_t a = add_picture(st, 0, "a", 1), b = add_picture(st, 0, "b", 2);
	const float v[4] = { 1, 2, 3, 4 };
	commit(st);
	reads(st, "", "");
	lacking(st, 2, a);
	begin(st);
	put(st, b, "bbb");
	put(st, 77, "of no picture");
	commit(st);
	reads(st, "0:2=bbb ", "3:2=bbb ");
	lacking(st, 1, a);
	assert_int_equal(counted(st), 1);
	begin(st);
	ok(put_regions(st, a, v, 4, "aaa", false, &err));
	put(st, b, "new");
	commit(st);
	reads(st, "0:1=aaa 1:2=new ", "3:2=new 4:1=aaa ");
	assert_int_equal(counted(st), 2);
	begin(st);
	ok(put_vector(st, a, v, 4, false, &err)); /* another picture, as far as the store knows */
	commit(st);
	reads(st, "0:2=new ", "3:2=new ");
	lacking(st, 1, a);
	begin(st);
	put(st, a, "gone");
	ims_store_tx_rollback(st);
	ims_store_write_end(st);
	assert_int_equal(counted(st), 1);
	is_sound(st);
}

static void changes_are_logged(void **state)
{
	(void)state;
	store *st = begun();
	int64_t a = add_picture(st, 0, "a", 1), searcher, before, *ids;
	size_t n;
	ok(ims_store_searcher_begin(st, "exact", &searcher, &err));
	ok(ims_store_change_last(st, &before, &err));
	ok(ims_store_searcher_publish(st, searcher, "", 1, 1, before, &err));
	commit(st);
	ok(ims_store_change_last(st, &before, &err));
	begin(st);
	put(st, a, "aaa");
	commit(st);
	ok(ims_store_changes(st, before, &ids, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(ids[0], a);
	ims_free(ids);
	is_sound(st);
}

/* A duplicate inherits them, as it does the vector. */
static void handed_on(void **state)
{
	(void)state;
	store *st = begun();
	int64_t a = add_picture(st, 0, "a", 1);
	add_copy(st, "b", a, 1);
	put(st, a, "aaa");
	ok(ims_store_remove(st, ONE(a), &err));
	commit(st);
	reads(st, "0:2=aaa ", "3:2=aaa ");
	assert_int_equal(counted(st), 1);
	begin(st);
	store_picture damaged = { .path = "b", .state = IMGSEARCH_STATE_DAMAGED, .reason = "why" };
	ok(put_row(st, &damaged, &err));
	commit(st);
	reads(st, "", "");
	assert_int_equal(counted(st), 0);
	is_sound(st);
}

/* Deleted on purpose they are not seen; a copy that remains keeps them. */
static void kept_out(void **state)
{
	(void)state;
	store *st = begun();
	int64_t a = add_picture(st, 0, "a", 1), b = add_copy(st, "b", a, 1),
			c = add_picture(st, 0, "c", 2);
	put(st, a, "aaa");
	put(st, c, "ccc");
	ok(ims_store_keep_out(st, (const int64_t[]){ a, c }, 2, &err));
	commit(st);
	reads(st, "", "");
	assert_int_equal(problems(st), 0);
	begin(st);
	ok(ims_store_remove(st, (const int64_t[]){ a, c }, 2, &err));
	commit(st);
	assert_int_equal(problems(st), 0);
	begin(st);
	ok(ims_store_readmit(st, ONE(b), &err));
	commit(st);
	reads(st, "0:2=aaa ", "3:2=aaa ");
	assert_int_equal(counted(st), 1);
	is_sound(st);
}

/* Those of another model wait for the switch; without any, none are left. */
static void by_another_model(void **state)
{
	(void)state;
	const float v[4] = { 1, 2, 3, 4 };
	const store_model first = { .name = "one", .dim = 4 }, second = { .name = "two", .dim = 4 };
	store *st = begun();
	ok(ims_store_model_set(st, &first, false, &err));
	int64_t a = add_picture(st, 0, "a", 1), b = add_picture(st, 0, "b", 2);
	put(st, a, "aaa");
	put(st, b, "bbb");
	ok(ims_store_model_set(st, &second, true, &err));
	ok(put_regions(st, a, v, 4, "dropped", true, &err));
	ok(ims_store_model_drop_next(st, &err));
	ok(ims_store_model_set(st, &second, true, &err));
	ok(put_vector(st, a, v, 4, true, &err));
	ok(put_regions(st, b, v, 4, "next", true, &err));
	commit(st);
	reads(st, "0:1=aaa 1:2=bbb ", "3:2=bbb 4:1=aaa ");
	assert_int_equal(problems(st), 0);
	begin(st);
	ok(ims_store_model_switch(st, &err));
	commit(st);
	reads(st, "0:2=next ", "3:2=next ");
	lacking(st, 1, a);
	assert_int_equal(counted(st), 1);
	assert_int_equal(problems(st), 0);
	begin(st);
	ok(ims_store_model_set(st, &first, true, &err));
	ok(put_vector(st, a, v, 4, true, &err));
	ok(put_vector(st, b, v, 4, true, &err));
	ok(ims_store_model_switch(st, &err));
	commit(st);
	reads(st, "", "");
	is_sound(st);
}

static void copied(void **state)
{
	char target[128];
	(void)state;
	store_copy_report report;
	store *st = begun();
	int64_t a = add_picture(st, 0, "a", 1);
	put(st, a, "aaa");
	commit(st);
	snprintf(target, sizeof target, "%s/copy.db", folder);
	ok(ims_store_copy(st, target, false, NULL, &report, &err));
	assert_int_equal(report.table[TABLE_REGION].rows, 1);
	is_sound(st);
	st = open_store(target, 4);
	reads(st, "0:1=aaa ", "4:1=aaa ");
	assert_int_equal(counted(st), 1);
	is_sound(st);
	unlink(target);
	strcat(target, "-lock");
	unlink(target);
}

static void one_byte_a_value(void **state)
{
	(void)state;
	const float rows[2][3] = { { 3, 0, -4 }, { 0, 0, 0 } };
	float out[3];
	buf b = { 0 };
	ims_regions_encode(&b, rows[0], 2, 3);
	assert_int_equal(b.len, 14);
	assert_int_equal(ims_regions_count(b.len, 3), 2);
	assert_int_equal(ims_regions_count(b.len, 4), 0);
	assert_int_equal((int8_t)b.data[4], 95);
	assert_int_equal((int8_t)b.data[6], -127);
	ims_region_decode(out, b.data, 0, 3);
	assert_true(fabsf(out[0] - 3) < 0.02f && out[1] == 0 && fabsf(out[2] + 4) < 1e-5f);
	ims_region_decode(out, b.data, 1, 3);
	assert_true(out[0] == 0 && out[1] == 0 && out[2] == 0);
	ims_buf_free(&b);
}

int main(void)
{
#define both(test) \
	{ #test, test, on_file, remove_folder, NULL }, \
	{ \
#test " in memory", test, in_memory, remove_folder, NULL \
	}
	const struct CMUnitTest tests[] = {
		both(written_and_read),
		both(changes_are_logged),
		both(handed_on),
		both(kept_out),
		both(by_another_model),
		both(copied),
		cmocka_unit_test(one_byte_a_value),
	};
	return cmocka_run_group_tests_name("regions", tests, NULL, NULL);
}

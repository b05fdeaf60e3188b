/* Facts of pictures: written, looked up, handed on, and gone with what they belong to. */
#include "common.h"

/* Facts with a date and a camera; NULL: not known. Borrowed. */
static facts make(const char *date, const char *camera)
{
	facts f = { 0 };
	f.value[FACT_DATE] = (char *)(uintptr_t)date;
	f.value[FACT_CAMERA] = (char *)(uintptr_t)camera;
	return f;
}

static void put(store *st, int64_t id, const char *date, const char *camera)
{
	facts f = make(date, camera);
	ok(put_facts(st, id, &f, 3, 77, &err));
}

static int note(void *user, size_t i, const char *const *fact)
{
	ims_buf_text(user, "%zu %s %s\n", i, fact[FACT_DATE] ? fact[FACT_DATE] : "-",
		fact[FACT_CAMERA] ? fact[FACT_CAMERA] : "-");
	return 0;
}

static void look_up(store *st, const int64_t *ids, size_t n, const char *expected)
{
	buf b = { 0 };
	ims_buf_text(&b, "%s", "");
	ok(ims_store_facts_lookup(st, ids, n, note, &b, &err));
	assert_string_equal((char *)b.data, expected);
	ims_buf_free(&b);
}

static int note_described(void *user, const store_described *d)
{
	ims_buf_text(user, "%lld %ux%u %s %s=%s\n", (long long)d->id, d->width, d->height,
		d->fact[FACT_DATE] ? d->fact[FACT_DATE] : "-", d->name ? d->name : "-",
		d->value ? d->value : "-");
	return 0;
}

static int note_stamp(void *user, const store_picture *p, const char *root)
{
	(void)root;
	ims_buf_text(user, "%s %u %llu\n", p->path, p->facts_version, (unsigned long long)p->sidecars);
	return 0;
}

static uint64_t dated(store *st)
{
	uint64_t n;
	ok(ims_store_dated(st, &n, &err));
	return n;
}

static void written_and_read(void **state)
{
	static const char *const names[] = { "artist", "Date" }, *const values[] = { "me", "2020" };
	(void)state;
	store *st = open_store(where, 4);
	begin(st);
	int64_t a = add_picture(st, 0, "a", 1), b = add_picture(st, 0, "b", 2),
			c = add_picture(st, 0, "c", 3);
	put(st, a, "2024-05-03", "X100");
	put(st, c, NULL, NULL);
	ok(put_columns(st, b, names, values, 2, -1, &err));
	commit(st);
	look_up(st, (const int64_t[]){ c, 99, a, b }, 4, "0 - -\n2 2024-05-03 X100\n");
	look_up(st, NULL, 0, "");
	assert_int_equal(dated(st), 2);
	buf text = { 0 };
	ok(ims_store_each_described(st, note_described, &text, &err));
	assert_string_equal((char *)text.data,
		"1 4x3 2024-05-03 -=-\n2 4x3 - artist=me\n2 4x3 - Date=2020\n3 4x3 - -=-\n");
	text.len = 0;
	ok(ims_store_each_picture(st, 0, note_stamp, &text, &err));
	assert_string_equal((char *)text.data, "a 3 77\nb 0 0\nc 3 77\n");
	ims_buf_free(&text);
	begin(st);
	put(st, a, NULL, "X200"); /* replaced */
	commit(st);
	look_up(st, &a, 1, "0 - X200\n");
	assert_int_equal(dated(st), 1);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

/* A duplicate inherits them; a picture that is not indexed any more, or goes, has none. */
static void handed_on(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	begin(st);
	int64_t a = add_picture(st, 0, "a", 1), b = add_copy(st, "b", a, 1);
	put(st, a, "2024-05-03", "X100");
	ok(ims_store_remove(st, ONE(a), &err));
	commit(st);
	look_up(st, (const int64_t[]){ a, b }, 2, "1 2024-05-03 X100\n");
	store_picture p;
	begin(st);
	ok(ims_store_picture_get(st, b, &p, &err));
	store_picture damaged = { .path = "b", .state = IMGSEARCH_STATE_DAMAGED, .reason = "why" };
	ok(put_row(st, &damaged, &err));
	ims_store_picture_clear(&p);
	commit(st);
	look_up(st, &b, 1, "");
	assert_int_equal(dated(st), 0);
	assert_int_equal(problems(st), 0);
	ims_store_close(st);
}

static void kept_out(void **state)
{
	(void)state;
	store *st = open_store(where, 4);
	begin(st);
	int64_t a = add_picture(st, 0, "a", 1);
	put(st, a, "2024-05-03", "X100");
	ok(ims_store_keep_out(st, ONE(a), &err));
	commit(st);
	assert_int_equal(dated(st), 0);
	begin(st);
	ok(ims_store_readmit(st, ONE(a), &err));
	commit(st);
	look_up(st, &a, 1, "0 2024-05-03 X100\n");
	assert_int_equal(dated(st), 1);
	ims_store_close(st);
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
		both(handed_on),
		both(kept_out),
	};
	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}

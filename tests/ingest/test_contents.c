/* The table of the bytes that the index has. */
#include "ingest/content_table.h"

#include "../test.h"

static content_key key(unsigned n)
{
	hash256 h = { { 0 } };
	memcpy(&h, &n, sizeof n);
	return ims_content_key(&h);
}

static void contents(void **state)
{
	enum { N = 1000 };
	content_table t;
	(void)state;
	ims_contents_init(&t);
	assert_int_equal(ims_contents_find(&t, key(1)), CONTENT_NONE);
	ims_contents_lose(&t, key(1), 1);
	for (unsigned i = 1; i <= N; i++)
		assert_int_equal(ims_contents_add(&t, key(i), i), 0);
	for (unsigned i = 1; i <= N; i++)
		assert_int_equal(ims_contents_find(&t, key(i)), i);
	assert_int_equal(ims_contents_find(&t, key(N + 1)), CONTENT_NONE);
	ims_contents_lose(&t, key(7), 8); /* another picture */
	assert_int_equal(ims_contents_find(&t, key(7)), 7);
	ims_contents_lose(&t, key(7), 7);
	assert_int_equal(ims_contents_find(&t, key(7)), CONTENT_UNSURE);
	assert_int_equal(ims_contents_add(&t, key(7), 9), 0);
	assert_int_equal(ims_contents_find(&t, key(7)), 9);
	ims_contents_free(&t);
}

/* Bytes that are not known are those of no picture. */
static void unknown(void **state)
{
	content_table t;
	(void)state;
	ims_contents_init(&t);
	assert_int_equal(ims_contents_add(&t, key(0), 1), 0);
	assert_int_equal(ims_contents_find(&t, key(0)), CONTENT_NONE);
	assert_false(ims_content_equal(key(0), key(0)));
	assert_true(ims_content_equal(key(1), key(1)));
	assert_false(ims_content_equal(key(1), key(2)));
	ims_contents_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contents),
		cmocka_unit_test(unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

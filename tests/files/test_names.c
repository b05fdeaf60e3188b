/* Paths found by how they end. */
#include "files/names.h"
#include "test.h"

static path_names three(void)
{
	path_names names = { 0 };
	assert_int_equal(ims_path_names_add(&names, ims_strdup("/photos/b/a.jpg"), 2), 0);
	assert_int_equal(ims_path_names_add(&names, ims_strdup("/photos/a.jpg"), 1), 0);
	assert_int_equal(ims_path_names_add(&names, ims_strdup("/photos/ba.jpg"), 3), 0);
	ims_path_names_sort(&names);
	return names;
}

/* The values of all paths that a key names, as decimal digits. */
static int64_t values(const path_names *names, const char *key)
{
	int64_t all = 0;
	for (const path_name *p = NULL; (p = ims_path_names_find(names, key, p));)
		all = all * 10 + p->value;
	return all;
}

static void a_key_is_the_end_of_a_path(void **state)
{
	(void)state;
	path_names names = three();
	assert_int_equal(values(&names, "a.jpg"), 12); /* in the order of values */
	assert_int_equal(values(&names, "b/a.jpg"), 2);
	assert_int_equal(values(&names, "/photos/b/a.jpg"), 2);
	assert_int_equal(values(&names, "/photos/a.jpg"), 1);
	assert_int_equal(values(&names, "ba.jpg"), 3);
	assert_int_equal(values(&names, "./ba.jpg"), 3); /* as find writes it */
	assert_int_equal(values(&names, ".//./b/a.jpg"), 2);
	ims_path_names_free(&names);
}

static void other_keys_name_nothing(void **state)
{
	(void)state;
	static const char *const keys[] = { "", "/", "b/", "photos", "jpg", "c/a.jpg", "/a.jpg",
		"x/photos/a.jpg", "a.JPG", "./", ".a.jpg", "./x/a.jpg" };
	path_names names = three(), none = { 0 };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (values(&names, keys[i]))
			fail_msg("%s names %lld", keys[i], (long long)values(&names, keys[i]));
	assert_int_equal(values(&none, "a.jpg"), 0);
	assert_int_equal(ims_path_names_add(&none, NULL, 1), IMGSEARCH_ENOMEM);
	ims_path_names_free(&names);
	ims_path_names_free(&none);
}

static void spellings(void **state)
{
	(void)state;
	path_names names = { 0 };
	assert_int_equal(ims_path_names_add(&names, ims_strdup("/p/caf\xc3\xa9.jpg"), 1), 0);
	assert_int_equal(ims_path_names_add(&names, ims_strdup("/q/cafe\xcc\x81.jpg"), 2), 0);
	assert_int_equal(ims_path_names_add(&names, ims_strdup("/r/cafe.jpg"), 3), 0);
	assert_int_equal(ims_path_names_add(&names, ims_strdup("/s/caf\xe9.jpg"), 4), 0);
	ims_path_names_sort(&names);
	bool same = ims_spelling_works();
	if (!same)
		print_message("# libutf8proc is not there: bytes are compared\n");
	assert_int_equal(values(&names, "caf\xc3\xa9.jpg"), same ? 12 : 1);
	assert_int_equal(values(&names, "cafe\xcc\x81.jpg"), same ? 12 : 2);
	assert_int_equal(values(&names, "/p/cafe\xcc\x81.jpg"), same ? 1 : 0);
	assert_int_equal(values(&names, "cafe.jpg"), 3);
	assert_int_equal(values(&names, "caf\xe9.jpg"), 4); /* no UTF-8 */
	ims_path_names_free(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_key_is_the_end_of_a_path),
		cmocka_unit_test(other_keys_name_nothing), cmocka_unit_test(spellings) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

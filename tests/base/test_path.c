/* base/path: joined paths, and what lies below a folder. */
#include "test.h"

#include "base/path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void assert_joined(const char *root, const char *path, const char *expected)
{
	char *joined = ims_path_join(root, path);
	assert_string_equal(joined, expected);
	ims_free(joined);
}

static void joining_puts_one_slash_between(void **state)
{
	(void)state;
	assert_joined("/photos", "2024/a.jpg", "/photos/2024/a.jpg");
	assert_joined("/", "a.jpg", "/a.jpg");
	assert_joined("/photos/", "a.jpg", "/photos/a.jpg");
	assert_joined("/photos", "", "/photos");
	assert_joined("/", "", "/");
	assert_joined("", "a.jpg", "a.jpg");
	assert_joined(NULL, "a name", "a name");
	ims_alloc_fail_after(1);
	assert_null(ims_path_join("/photos", "a.jpg"));
	ims_alloc_fail_after(0);
}

static void names_and_stems(void **state)
{
	(void)state;
	assert_string_equal(ims_path_name("dir/pets.pth"), "pets.pth");
	assert_string_equal(ims_path_name("pets"), "pets");
	assert_string_equal(ims_path_name("dir/"), "");
	assert_int_equal(ims_path_stem("dir/pets.pth"), 8);
	assert_int_equal(ims_path_stem("pets"), 4);
	assert_int_equal(ims_path_stem("a.b/pets"), 8);
	assert_int_equal(ims_path_stem("a.b/pets.tar.gz"), 12);
}

static void below_is_the_rest_or_nothing(void **state)
{
	(void)state;
	assert_string_equal(ims_path_below("/photos/2024/a.jpg", "/photos"), "2024/a.jpg");
	assert_string_equal(ims_path_below("/photos/2024/a.jpg", "/photos//"), "2024/a.jpg");
	assert_string_equal(ims_path_below("/photos", "/photos"), "");
	assert_string_equal(ims_path_below("/photos", "/photos/"), "");
	assert_string_equal(ims_path_below("/a.jpg", "/"), "a.jpg");
	assert_string_equal(ims_path_below("/a.jpg", ""), "a.jpg");
	assert_null(ims_path_below("/photos-old/a.jpg", "/photos"));
	assert_null(ims_path_below("/pho", "/photos"));
	assert_null(ims_path_below("a.jpg", "/"));
}

static void dots_are_whole_parts(void **state)
{
	(void)state;
	static const char *const up[] = { "..", "../a", "a/../b", "/a/..", "a//..//" };
	static const char *const not [] = { "", "/", "a", "a..", "..a/b", "...", "a/.b/..." };
	for (size_t i = 0; i < sizeof up / sizeof *up; i++)
		assert_true(ims_path_has_dots(up[i], false) && ims_path_has_dots(up[i], true));
	for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
		assert_false(ims_path_has_dots(not [i], false) || ims_path_has_dots(not [i], true));
	assert_true(ims_path_has_dots("a/./b", true) && !ims_path_has_dots("a/./b", false));
}

static void assert_resolved(const char *path, const char *expected)
{
	char *whole = ims_path_resolve(path);
	assert_string_equal(whole, expected);
	ims_free(whole);
}

/* What exists is resolved, but for the last part; the rest stays. */
static void resolving(void **state)
{
	(void)state;
	char dir[] = "/tmp/resolve-XXXXXX", real[PATH_MAX], here[PATH_MAX], path[400], wanted[5000];
	assert_non_null(mkdtemp(dir));
	assert_non_null(realpath(dir, real));
	assert_non_null(getcwd(here, sizeof here));
	snprintf(path, sizeof path, "%s/link", dir);
	assert_int_equal(symlink(".", path), 0);
	snprintf(wanted, sizeof wanted, "%s/link", real);
	assert_resolved(path, wanted);
	snprintf(path, sizeof path, "%s/link/no/such", dir);
	snprintf(wanted, sizeof wanted, "%s/no/such", real);
	assert_resolved(path, wanted);
	snprintf(path, sizeof path, "%s/link/../%s//x", dir, dir + 5);
	snprintf(wanted, sizeof wanted, "%s/x", real);
	assert_resolved(path, wanted);
	assert_resolved("/no/such/folder/a", "/no/such/folder/a");
	assert_resolved("/no", "/no");
	assert_resolved("/", "/");
	assert_int_equal(chdir(dir), 0);
	snprintf(wanted, sizeof wanted, "%s/a", real);
	assert_resolved("a", wanted);
	assert_resolved("./a", wanted);
	assert_resolved("link/./a", wanted);
	snprintf(wanted, sizeof wanted, "%s/no/such", real);
	assert_resolved("no/such", wanted);
	assert_int_equal(chdir(here), 0);
	ims_alloc_fail_after(1);
	assert_null(ims_path_resolve("a"));
	ims_alloc_fail_after(0);
	snprintf(path, sizeof path, "%s/link", dir);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joining_puts_one_slash_between),
		cmocka_unit_test(names_and_stems),
		cmocka_unit_test(below_is_the_rest_or_nothing),
		cmocka_unit_test(dots_are_whole_parts),
		cmocka_unit_test(resolving),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

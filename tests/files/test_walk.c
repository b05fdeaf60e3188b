/* files/walk: where memory is short the walk fails; it never passes a folder over. */
#include "test.h"

#include "files/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int count(void *user, const walk_entry *e)
{
	assert_string_not_equal(e->reason ? e->reason : "", "visited before");
	*(size_t *)user += e->kind == WALK_FILE;
	return 0;
}

static int walk(const char *root, size_t *files)
{
	path_patterns exclude = { 0 }, include = { 0 };
	walk_rules rules = { .follow_links = true, .exclude = &exclude, .include = &include };
	imgsearch_error err;
	*files = 0;
	int rc = ims_patterns_add(&exclude, "./3/caf\xc3\xa9/");
	if (!rc)
		rc = ims_patterns_add(&include, "*.jpg");
	if (!rc)
		rc = ims_walk(root, "", &rules, count, files, &err);
	ims_patterns_free(&exclude);
	ims_patterns_free(&include);
	return rc;
}

static void a_failed_allocation_is_told(void **state)
{
	(void)state;
	char root[] = "/tmp/walk-XXXXXX", path[64];
	size_t all, files;
	assert_non_null(mkdtemp(root));
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%d", root, i);
		assert_int_equal(mkdir(path, 0700), 0);
		snprintf(path, sizeof path, "%s/%d/a.jpg", root, i);
		fclose(fopen(path, "w"));
		snprintf(path, sizeof path, "%s/%d/.ignore", root, i);
		FILE *f = fopen(path, "w");
		fputs("b.jpg\n!c/**\n", f);
		fclose(f);
	}
	ims_alloc_fail_after(0);
	assert_int_equal(walk(root, &all), 0);
	assert_int_equal(all, 3);
	uint64_t made = ims_alloc_fail_after(0);
	for (uint64_t n = 1; n <= made; n++) {
		ims_alloc_fail_after(n);
		int rc = walk(root, &files);
		ims_alloc_fail_after(0);
		assert_true(rc == IMGSEARCH_ENOMEM || (!rc && files == all));
	}
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%d/a.jpg", root, i);
		unlink(path);
		snprintf(path, sizeof path, "%s/%d/.ignore", root, i);
		unlink(path);
		snprintf(path, sizeof path, "%s/%d", root, i);
		rmdir(path);
	}
	rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_allocation_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

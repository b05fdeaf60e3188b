/* model/added: adding, replacing, verifying and removing, through the fake shim. */
#include "test.h"

#include "model/added.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/imgsearch-test-XXXXXX";

static char *at(const char *name)
{
	return ims_format("%s/%s", folder, name);
}

static void put_file(const char *name, const void *data, size_t n)
{
	char *path = at(name);
	file_piece piece = { data, n };
	assert_int_equal(ims_replace_file(path, &piece, 1, NULL), 0);
	ims_free(path);
}

static bool exists(const char *name)
{
	char *path = at(name);
	bool is = access(path, F_OK) == 0;
	ims_free(path);
	return is;
}

/* A folder of the library with the fake shim, and a data folder. */
static int set_up(void **state)
{
	(void)state;
	static const char empty[] = "\2\0\0\0\0\0\0\0{}";
	const char *b = getenv("B");
	if (!mkdtemp(folder) || setenv("IMGSEARCH_LIBDIR", folder, 1))
		return -1;
	char *shim = ims_format("%s/tests/lib/imgsearch-shim.so", b ? b : "build"),
		 *real = realpath(shim, NULL), *link = at("imgsearch-shim.so"), *data = at("data");
	int rc = !real || symlink(real, link) || setenv("XDG_DATA_HOME", data, 1) ? -1 : 0;
	free(real);
	ims_free(shim);
	ims_free(link);
	ims_free(data);
	put_file("mine.safetensors", empty, 10);
	return rc;
}

static int tear_down(void **state)
{
	(void)state;
	char *command = ims_format("rm -rf '%s'", folder);
	int rc = system(command);
	ims_free(command);
	return rc;
}

static int add(const char *name, uint32_t replace, imgsearch_error *err)
{
	imgsearch_model_add_options o = { .struct_size = sizeof o,
		.network = "resnet18",
		.licence = "MIT",
		.replace = replace };
	imgsearch_recipe recipe = { .struct_size = sizeof recipe, .crop = 200 };
	stop_token stop = ims_stop_token(NULL, NULL);
	char path[64];
	snprintf(path, sizeof path, "%s/mine.safetensors", folder);
	int rc = ims_added_add(path, name, &o, &recipe, &stop, err);
	return rc;
}

static int count_wrong(void *user, const imgsearch_model_check *check)
{
	*(int *)user += check->wrong != NULL;
	return 0;
}

static int verify(const char *name, int *wrong, imgsearch_error *err)
{
	stop_token stop = ims_stop_token(NULL, NULL);
	*wrong = 0;
	return ims_added_verify(name, count_wrong, wrong, &stop, err);
}

static void added_verified_removed(void **state)
{
	(void)state;
	imgsearch_error err = { .code = 99 };
	text_list names;
	int wrong;
	assert_int_equal(ims_added_names(&names, &err), 0); /* no folder yet */
	assert_int_equal(names.n, 0);
	assert_int_equal(add("b", 0, &err), 0);
	assert_int_equal(add("a", 0, &err), 0);
	assert_int_equal(ims_added_names(&names, &err), 0);
	assert_int_equal(names.n, 2);
	assert_string_equal(names.item[0], "a");
	ims_texts_free(&names);
	assert_int_equal(verify("a", &wrong, &err), 0);
	assert_int_equal(err.code, 99); /* what succeeds leaves it alone */
	put_file("data/imgsearch/models/a/a.safetensors", "x", 1);
	assert_int_equal(verify("a", &wrong, &err), IMGSEARCH_EFORMAT);
	assert_int_equal(wrong, 1);
	assert_non_null(strstr(err.message, "a/a.safetensors: it has 1 bytes, not 10"));
	assert_int_equal(ims_added_remove("a", &err), 0);
	assert_int_equal(ims_added_remove("b", &err), 0);
	assert_int_equal(ims_added_remove("b", &err), IMGSEARCH_ENOTFOUND);
	assert_int_equal(verify("b", &wrong, &err), IMGSEARCH_ENOTFOUND);
}

static void replaced_only_on_request(void **state)
{
	(void)state;
	imgsearch_error err;
	assert_int_equal(add("twice", 0, NULL), 0);
	assert_int_equal(add("twice", 0, &err), IMGSEARCH_EEXIST);
	assert_int_equal(add("twice", 1, NULL), 0);
	assert_false(exists("data/imgsearch/models/.twice.old"));
	assert_int_equal(add("mine", 0, &err), IMGSEARCH_EEXIST); /* beside the library */
	assert_non_null(strstr(err.message, "mine.safetensors"));
	assert_int_equal(ims_added_remove("twice", NULL), 0);
}

/* What a killed program left is in nobody's way. */
static void leftovers(void **state)
{
	(void)state;
	char *left = at("data/imgsearch/models/.left.new"), *file = ims_path_join(left, "x");
	assert_int_equal(add("first", 0, NULL), 0); /* makes the folders */
	assert_int_equal(mkdir(left, 0777), 0);
	put_file("data/imgsearch/models/.left.new/x", "x", 1);
	assert_int_equal(add("left", 0, NULL), 0);
	assert_int_not_equal(access(left, F_OK), 0);
	assert_false(exists("data/imgsearch/models/left/x"));
	assert_int_equal(ims_added_remove("left", NULL), 0);
	assert_int_equal(ims_added_remove("first", NULL), 0);
	ims_free(left);
	ims_free(file);
}

static void one_program_at_a_time(void **state)
{
	(void)state;
	imgsearch_error err;
	char *models = at("data/imgsearch/models");
	assert_int_equal(add("held", 0, NULL), 0);
	int fd = open(models, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(add("other", 0, &err), IMGSEARCH_EBUSY);
	assert_int_equal(ims_added_remove("held", &err), IMGSEARCH_EBUSY);
	close(fd);
	assert_int_equal(ims_added_remove("held", &err), 0);
	ims_free(models);
}

static void damaged_records(void **state)
{
	(void)state;
	imgsearch_error err;
	published m;
	assert_int_equal(add("hurt", 0, NULL), 0);
	put_file("data/imgsearch/models/hurt/added.json", "{\"name\":", 8);
	assert_int_equal(ims_added_record(&m, "hurt", &err), IMGSEARCH_EFORMAT);
	assert_non_null(strstr(err.message, "hurt/added.json: "));
	assert_int_equal(ims_added_record(&m, "../hurt", &err), IMGSEARCH_ENOTFOUND);
	assert_int_equal(ims_added_remove("hurt", NULL), 0);
}

static void names_that_are_none(void **state)
{
	(void)state;
	static const char *const names[] = { "", ".", "..", "../x", "a/b", "-a", ".a", "a b", "default",
		"script", "added", "resnet50" };
	imgsearch_error err;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(add(names[i], 0, &err), IMGSEARCH_EINVAL);
	assert_int_equal(ims_added_remove("..", &err), IMGSEARCH_EINVAL);
}

/* A failed addition leaves nothing. */
static void failing_allocations(void **state)
{
	(void)state;
	imgsearch_error err;
	int rc = -1;
	for (uint64_t n = 1; rc; n++) {
		ims_alloc_fail_after(n);
		rc = add("small", 0, &err);
		ims_alloc_fail_after(0);
		if (rc) {
			if (rc != IMGSEARCH_ENOMEM)
				fail_msg("%d at %d: %s", rc, (int)n, err.message);
			assert_false(exists("data/imgsearch/models/small"));
		}
		assert_true(n < 2000);
	}
	assert_int_equal(ims_added_remove("small", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(added_verified_removed),
		cmocka_unit_test(replaced_only_on_request),
		cmocka_unit_test(leftovers),
		cmocka_unit_test(one_program_at_a_time),
		cmocka_unit_test(damaged_records),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(failing_allocations),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

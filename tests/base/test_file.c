/* base/file: whole files, limits, and what is no regular file. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void files_are_read_and_odd_ones_refused(void **state)
{
	(void)state;
	imgsearch_error err;
	buf b = { 0 };
	char path[] = "/tmp/imgsearch-test-XXXXXX";
	int fd = mkstemp(path);
	assert_int_equal(write(fd, "hello", 5), 5);
	close(fd);
	assert_int_equal(ims_read_file(&b, path, 5, &err), 0);
	assert_int_equal(b.len, 5);
	assert_int_equal(ims_read_file(&b, path, 4, &err), IMGSEARCH_ELIMIT);
	assert_int_equal(ims_read_file(&b, "/tmp", 100, &err), IMGSEARCH_EUNSUPPORTED);
	assert_non_null(strstr(err.message, "a folder"));
	unlink(path);
	assert_int_equal(ims_read_file(&b, path, 5, &err), IMGSEARCH_ENOTFOUND);
	assert_non_null(strstr(err.message, path));
	ims_buf_free(&b);
}

static size_t length_of(const char *path)
{
	imgsearch_error err;
	buf b = { 0 };
	assert_int_equal(ims_read_file(&b, path, 100, &err), 0);
	size_t n = b.len;
	ims_buf_free(&b);
	return n;
}

static void files_are_replaced_whole_or_not_at_all(void **state)
{
	(void)state;
	const file_piece pieces[] = { { "hello", 5 }, { NULL, 0 }, { " world", 6 } };
	imgsearch_error err;
	char folder[] = "/tmp/imgsearch-test-XXXXXX", path[64], part[80];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/file", folder);
	snprintf(part, sizeof part, "%s.part", path);
	assert_int_equal(ims_replace_file(path, pieces, 1, &err), 0);
	assert_int_equal(length_of(path), 5);
	assert_int_equal(ims_replace_file(path, pieces, 3, &err), 0);
	assert_int_equal(length_of(path), 11);
	assert_int_equal(mkdir(part, 0700), 0); /* nothing can be written beside the file */
	assert_int_equal(ims_replace_file(path, pieces, 1, &err), IMGSEARCH_EIO);
	assert_non_null(strstr(err.message, part));
	assert_int_equal(length_of(path), 11);
	rmdir(part);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0); /* a folder is not replaced, and nothing is left */
	assert_int_equal(ims_replace_file(path, pieces, 1, &err), IMGSEARCH_EIO);
	assert_int_equal(access(part, F_OK), -1);
	rmdir(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_and_odd_ones_refused),
		cmocka_unit_test(files_are_replaced_whole_or_not_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

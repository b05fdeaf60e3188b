/* base/file: whole files, limits, and what is no regular file. */
#include "test.h"

#include <stdlib.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_and_odd_ones_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

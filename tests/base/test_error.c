/* base/error: code and sentence. */
#include "test.h"

static void errors_carry_code_and_sentence(void **state)
{
	(void)state;
	imgsearch_error err;
	assert_int_equal(ims_fail(&err, IMGSEARCH_EIO, "row %d", 3), IMGSEARCH_EIO);
	ims_error_prefix(&err, "%s", "x.jpg");
	assert_string_equal(err.message, "x.jpg: row 3");
	assert_int_equal(ims_fail(NULL, IMGSEARCH_EDB, "x"), IMGSEARCH_EDB);
	assert_string_equal(imgsearch_status_text(IMGSEARCH_EBUSY), "another writer is at work");
	assert_string_equal(imgsearch_status_text(77), "unknown status");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_carry_code_and_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

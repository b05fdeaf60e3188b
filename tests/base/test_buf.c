/* base/buf and base/reader: bytes are read as they were written, and failures are remembered. */
#include "test.h"

static void buffers_read_back_and_remember_failure(void **state)
{
	(void)state;
	buf b = { 0 };
	ims_buf_u8(&b, 7);
	ims_buf_u32(&b, 0x01020304);
	ims_buf_u64(&b, 0x0102030405060708);
	ims_buf_f32(&b, 1.5f);
	ims_buf_text(&b, "%d%s", 4, "x");
	assert_int_equal(b.len, 1 + 4 + 8 + 4 + 2);
	assert_int_equal(b.data[1], 4);
	reader r = { .data = b.data, .len = b.len };
	assert_int_equal(ims_read_u8(&r), 7);
	assert_int_equal(ims_read_u32(&r), 0x01020304);
	assert_true(ims_read_u64(&r) == 0x0102030405060708);
	assert_true(ims_read_f32(&r) == 1.5f);
	assert_memory_equal(ims_read_bytes(&r, 2), "4x", 2);
	assert_false(r.failed);
	assert_int_equal(ims_read_u32(&r), 0);
	assert_true(r.failed);
	ims_buf_free(&b);
	ims_alloc_fail_after(1);
	ims_buf_u32(&b, 1);
	ims_alloc_fail_after(0);
	ims_buf_u32(&b, 1);
	assert_true(b.failed);
	assert_int_equal(b.len, 0);
	ims_buf_free(&b);
	uint8_t place[4];
	buf fixed = { .data = place, .cap = 4, .fixed = true };
	ims_buf_u32(&fixed, 0x04030201);
	assert_false(fixed.failed);
	assert_int_equal(place[3], 4);
	ims_buf_u8(&fixed, 5);
	assert_true(fixed.failed);
	assert_ptr_equal(fixed.data, place);
	ims_buf_free(&fixed); /* leaves the caller's memory alone */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_read_back_and_remember_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

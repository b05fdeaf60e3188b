/* Code points as UTF-8, written and read. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void reads_what_it_writes(void **state)
{
	(void)state;
	for (uint32_t c = 1; c <= 0x10ffff; c++) {
		char text[5] = "";
		uint32_t back = 0;
		size_t n = ims_utf8_write(c, text);
		text[n] = 0;
		assert_int_equal(n, c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
		bool surrogate = c >= 0xd800 && c <= 0xdfff;
		assert_int_equal(ims_utf8_is_valid(text), !surrogate);
		assert_int_equal(ims_utf8_read(text, &back), surrogate ? 0 : n);
		assert_int_equal(back, surrogate ? 0 : c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

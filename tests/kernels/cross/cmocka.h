/* As much of cmocka as the tests of kernels use, for a machine that has none: a failure aborts. */
#ifndef TESTS_CROSS_CMOCKA_H
#define TESTS_CROSS_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*run)(void **state);
};

#define assert_true(x) \
	((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), abort()))
#define assert_int_equal(a, b) assert_true((a) == (b))
#define assert_memory_equal(a, b, n) assert_true(!memcmp(a, b, n))
#define assert_string_equal(a, b) assert_true(!strcmp(a, b))
#define cmocka_unit_test(f) \
	{ \
#f, f \
	}
#define cmocka_run_group_tests(tests, setup, teardown) \
	run_all(tests, sizeof(tests) / sizeof(*tests))

static inline int run_all(const struct CMUnitTest *test, size_t n)
{
	for (size_t i = 0; i < n; i++)
		test[i].run(NULL);
	return 0;
}

#endif

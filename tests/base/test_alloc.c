/* base/alloc: arrays grow, and their sizes do not overflow. */
#include "test.h"

static void arrays_grow_as_they_fill(void **state)
{
	(void)state;
	size_t cap = 0, moves = 0;
	int *a = NULL;
	for (size_t n = 0; n < 1000; n++) {
		size_t before = cap;
		int *more = ims_grow(a, n, &cap, sizeof *more);
		assert_non_null(more);
		assert_true(cap > n);
		moves += cap != before;
		a = more;
		a[n] = (int)n;
	}
	assert_in_range(moves, 2, 10);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(a[i], i);
	size_t full = cap;
	ims_alloc_fail_after(1);
	assert_null(ims_grow(a, full, &cap, sizeof *a));
	ims_alloc_fail_after(0);
	assert_int_equal(cap, full);
	assert_int_equal(a[999], 999);
	ims_free(a);
}

static void arrays_do_not_overflow(void **state)
{
	(void)state;
	assert_null(ims_alloc(SIZE_MAX / 2, 4));
	assert_null(ims_zalloc(SIZE_MAX, 2));
	ims_alloc_fail_after(2);
	void *a = ims_alloc(1, 1), *b = ims_alloc(1, 1), *c = ims_alloc(1, 1);
	assert_non_null(a);
	assert_null(b);
	assert_non_null(c);
	assert_int_equal(ims_alloc_fail_after(0), 3);
	ims_free(a);
	ims_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays_grow_as_they_fill),
		cmocka_unit_test(arrays_do_not_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

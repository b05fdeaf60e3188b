/* base/pool: everything that is queued is done, every index of a loop once. */
#include "test.h"

static void add_one(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void square(void *arg, size_t i, unsigned worker)
{
	assert_true(worker < 3);
	((size_t *)arg)[i] = i * i;
}

static void the_pool_does_all_its_work(void **state)
{
	(void)state;
	imgsearch_error err;
	pool *p;
	atomic_int sum = 0;
	assert_int_equal(ims_pool_new(&p, 3, 2, &err), 0);
	for (int i = 0; i < 500; i++)
		ims_pool_run(p, add_one, &sum);
	ims_pool_wait(p);
	assert_int_equal(atomic_load(&sum), 500);
	size_t squares[1000] = { 0 };
	ims_parallel(p, 1000, square, squares);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(squares[i], i * i);
	ims_parallel(NULL, 10, square, squares);
	ims_pool_free(p);
	ims_pool_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pool_does_all_its_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

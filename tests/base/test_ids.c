/* Finding ids: every place of arrays of every length, present or not, and the ends of the range. */
#include "base/ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void finds(void **state)
{
	int64_t ids[20];
	(void)state;
	for (size_t i = 0; i < 20; i++)
		ids[i] = 10 + 2 * (int64_t)i;
	for (size_t n = 0; n <= 20; n++)
		for (int64_t id = 8; id < 52; id++) {
			size_t at = 99, smaller = 0;
			bool present = id % 2 == 0 && id >= 10 && id < 10 + 2 * (int64_t)n;
			while (smaller < n && ids[smaller] < id)
				smaller++;
			assert_int_equal(ims_id_find(ids, n, id, &at), present);
			assert_int_equal(at, smaller);
			assert_int_equal(ims_id_find(ids, n, id, NULL), present);
		}
}

/* Among structs the first of several with one id is found. */
static void places(void **state)
{
	const struct {
		int64_t id;
		char name;
	} items[] = { { -5, 'a' }, { 3, 'b' }, { 3, 'c' }, { 3, 'd' }, { 8, 'e' } };
	static const size_t place[] = { 0, 0, 1, 1, 4, 4, 5 };
	static const int64_t ids[] = { INT64_MIN, -5, 0, 3, 4, 8, INT64_MAX };
	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		assert_int_equal(ims_id_place(items, 5, sizeof *items, ids[i]), place[i]);
	assert_int_equal(ims_id_place(NULL, 0, sizeof *items, 3), 0);
}

static void sorts(void **state)
{
	int64_t ids[] = { 3, INT64_MAX, -1, INT64_MIN, 0, 3, INT64_MAX - 1 };
	const int64_t sorted[] = { INT64_MIN, -1, 0, 3, 3, INT64_MAX - 1, INT64_MAX };
	(void)state;
	qsort(ids, 7, sizeof *ids, ims_id_compare);
	assert_memory_equal(ids, sorted, sizeof sorted);
	assert_int_equal(ims_id_compare(sorted + 3, sorted + 4), 0);
	assert_true(ims_id_find(ids, 7, INT64_MIN, NULL));
	assert_true(ims_id_find(ids, 7, INT64_MAX, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(finds), cmocka_unit_test(places),
		cmocka_unit_test(sorts) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

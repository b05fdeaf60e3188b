/* base/topk: the nearest are found, ties go to the smaller id. */
#include "test.h"

#include <stdlib.h>

static void topk_keeps_the_nearest_and_breaks_ties_by_id(void **state)
{
	(void)state;
	uint64_t seed = 7;
	topk t;
	assert_int_equal(ims_topk_init(&t, 10), 0);
	for (int round = 0; round < 200; round++) {
		neighbour all[60];
		ims_topk_clear(&t);
		size_t n = ims_random(&seed) % 60;
		for (size_t i = 0; i < n; i++) {
			all[i] = (neighbour){
				.distance = (float)(ims_random(&seed) % 8),
				.id = (int64_t)(ims_random(&seed) % 1000) * 60 + (int64_t)i,
			};
			ims_topk_push(&t, all[i].distance, all[i].id);
		}
		ims_topk_push(&t, __builtin_nanf(""), 1);
		ims_topk_sort(&t);
		assert_int_equal(t.n, n < 10 ? n : 10);
		for (size_t i = 0; i < t.n; i++) {
			size_t nearer = 0;
			for (size_t j = 0; j < n; j++)
				nearer += ims_nearer(all[j].distance, all[j].id, t.item[i].distance, t.item[i].id);
			assert_int_equal(nearer, i);
		}
	}
	ims_topk_free(&t);
	assert_int_equal(ims_topk_init(&t, 0), 0);
	ims_topk_push(&t, 1, 1);
	assert_int_equal(t.n, 0);
	ims_topk_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topk_keeps_the_nearest_and_breaks_ties_by_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

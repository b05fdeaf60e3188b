/*
 * The order of an epoch: everything once, by the number alone, and for the contrastive loss in runs
 * of a class.
 */
#include "test.h"
#include "train/order.h"

enum { N = 96, ALIKE = 4 };

static dataset set_of(sample *item, size_t n_classes, const size_t *sizes)
{
	size_t n = 0;
	for (size_t c = 0; c < n_classes; c++)
		for (size_t i = 0; i < sizes[c]; i++)
			item[n++] = (sample){ .label = (int32_t)c };
	return (dataset){ .item = item, .n = n, .n_train = n, .n_classes = n_classes };
}

static void each_once(void **state)
{
	static const size_t sizes[] = { 50, 30, 16 };
	sample item[N];
	uint32_t order[N], again[N], other[N];
	dataset set = set_of(item, 3, sizes);
	(void)state;
	for (size_t alike = 1; alike <= ALIKE; alike += ALIKE - 1) {
		bool seen[N] = { false };
		assert_int_equal(ims_train_order(&set, alike, 7, order, NULL), 0);
		assert_int_equal(ims_train_order(&set, alike, 7, again, NULL), 0);
		assert_int_equal(ims_train_order(&set, alike, 8, other, NULL), 0);
		for (size_t i = 0; i < N; i++) {
			assert_true(order[i] < N && !seen[order[i]]);
			seen[order[i]] = true;
		}
		assert_memory_equal(order, again, sizeof order);
		assert_memory_not_equal(order, other, sizeof order);
	}
}

static void runs_of_a_class(void **state)
{
	static const size_t sizes[] = { N / 2, N / 2 };
	sample item[N];
	uint32_t order[N];
	dataset set = set_of(item, 2, sizes);
	(void)state;
	for (uint64_t random = 0; random < 50; random++) {
		assert_int_equal(ims_train_order(&set, ALIKE, random, order, NULL), 0);
		for (size_t run = 0; run < N / ALIKE; run++) {
			for (size_t i = 1; i < ALIKE; i++)
				assert_int_equal(item[order[run * ALIKE + i]].label,
					item[order[run * ALIKE]].label);
			assert_true(
				!run || item[order[run * ALIKE]].label != item[order[(run - 1) * ALIKE]].label);
		}
	}
}

/* Odd sizes, pictures held out behind them, none at all: still each once, and no other. */
static void odd_sizes(void **state)
{
	static const size_t sizes[][3] = { { 13, 2, 1 }, { 1, 1, 1 }, { 0, 0, 0 }, { 40, 0, 3 } };
	sample item[N];
	uint32_t order[N];
	(void)state;
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		dataset set = set_of(item, 3, sizes[s]);
		set.n_train -= set.n > 4 ? 2 : 0;
		bool seen[N] = { false };
		assert_int_equal(ims_train_order(&set, ALIKE, s, order, NULL), 0);
		for (size_t i = 0; i < set.n_train; i++) {
			assert_true(order[i] < set.n_train && !seen[order[i]]);
			seen[order[i]] = true;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_once),
		cmocka_unit_test(runs_of_a_class),
		cmocka_unit_test(odd_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

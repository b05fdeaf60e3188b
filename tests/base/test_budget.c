/* The budget of memory: who fits goes on, the others wait in order, and nobody takes too much. */
#include "base/budget.h"
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

typedef struct crowd {
	budget b;
	atomic_llong used, most;
	atomic_int served;
} crowd;

static void *work(void *arg)
{
	crowd *c = arg;
	uint64_t seed = (uint64_t)(uintptr_t)&seed;
	for (int i = 0; i < 300; i++) {
		uint64_t n = 1 + ims_random(&seed) % 100;
		assert_true(ims_budget_reserve(&c->b, n));
		long long used = atomic_fetch_add(&c->used, (long long)n) + (long long)n;
		if (used > c->most)
			c->most = used;
		atomic_fetch_sub(&c->used, (long long)n);
		ims_budget_release(&c->b, n);
	}
	c->served++;
	return NULL;
}

static void all_are_served_within_the_limit(void **state)
{
	(void)state;
	static crowd c;
	pthread_t thread[8];
	ims_budget_init(&c.b, 100);
	for (int i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, work, &c);
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(c.served, 8);
	assert_true(c.most <= 100);
	assert_int_equal(c.b.used, 0);
	ims_budget_destroy(&c.b);
}

static void more_than_the_limit_is_refused(void **state)
{
	(void)state;
	budget b;
	ims_budget_init(&b, 100);
	assert_false(ims_budget_reserve(&b, 101));
	assert_false(ims_budget_reserve(&b, UINT64_MAX));
	assert_true(ims_budget_reserve(&b, 100));
	ims_budget_release(&b, 100);
	assert_true(ims_budget_reserve(&b, 0));
	ims_budget_release(&b, 0);
	ims_budget_destroy(&b);
}

static void the_default_is_a_part_of_the_memory(void **state)
{
	(void)state;
	uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t limit = ims_budget_default();
	assert_true(limit >= 64 << 20);
	assert_true(limit <= memory / 4 || limit == 64 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_served_within_the_limit),
		cmocka_unit_test(more_than_the_limit_is_refused),
		cmocka_unit_test(the_default_is_a_part_of_the_memory),
	};
	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}

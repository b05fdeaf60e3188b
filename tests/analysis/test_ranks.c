/* Order statistics: the value of every rank is that of the sorted list. */
#include "analysis/ranks.h"
#include "base/floats.h"
#include "base/random.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { N = 3000 };

static float v[N], sorted[N], room[N];

/* Asks for the ranks in order, from both ends. */
static void compare(size_t n)
{
	ranks r;
	memcpy(sorted, v, n * sizeof *v);
	qsort(sorted, n, sizeof *v, ims_float_compare);
	ims_ranks_make(&r, v, n, room);
	for (size_t i = 0; i < n; i++) {
		assert_true(ims_ranks_get(&r, n - 1 - i) == sorted[n - 1 - i]);
		assert_true(ims_ranks_get(&r, i) == sorted[i]);
	}
}

static void uniform(void **state)
{
	uint64_t random = 1;
	(void)state;
	for (size_t n = 0; n <= N; n = n < 20 ? n + 1 : n * 3 / 2) {
		for (size_t i = 0; i < n; i++)
			v[i] = (float)ims_random_unit(&random) - 0.5f;
		compare(n);
	}
}

/* Nearly all in one bucket, beside values far away. */
static void lopsided(void **state)
{
	uint64_t random = 2;
	(void)state;
	for (size_t i = 0; i < N; i++)
		v[i] = (float)ims_random_unit(&random);
	v[7] = 1e6f;
	compare(N);
	v[8] = -1e30f;
	compare(N);
	v[9] = FLT_MAX;
	v[10] = -FLT_MAX;
	compare(N);
}

static void equal(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		v[i] = i % 2 ? -0.0f : 0.0f;
	compare(N);
	for (size_t i = 0; i < N; i++)
		v[i] = 1e-45f * (float)(i % 3);
	compare(N);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(uniform), cmocka_unit_test(lopsided),
		cmocka_unit_test(equal) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

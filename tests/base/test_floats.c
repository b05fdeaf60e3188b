/* Sorting floats: the order of qsort, for numbers of every kind. */
#include "base/floats.h"
#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { N = 3000 };

static float v[N], expected[N], scratch[N];

static void compare(size_t n)
{
	memcpy(expected, v, n * sizeof *v);
	qsort(expected, n, sizeof *v, ims_float_compare);
	ims_float_sort(v, scratch, n);
	for (size_t i = 0; i < n; i++)
		assert_true(v[i] == expected[i]);
}

/* Every bit pattern that is no NaN: both signs, zeros, subnormal numbers, infinities. */
static void any_bits(void **state)
{
	uint64_t random = 1;
	(void)state;
	for (size_t n = 0; n <= N; n = n < 20 ? n + 1 : n * 2) {
		for (size_t i = 0; i < n; i++)
			do {
				uint32_t bits = (uint32_t)(ims_random(&random) >> 32);
				memcpy(&v[i], &bits, sizeof bits);
			} while (v[i] != v[i]);
		compare(n);
	}
}

static void special(void **state)
{
	const float some[] = { 1, -1, INFINITY, 0, -INFINITY, 1e-45f, -1e-45f, 1, 3.4e38f, -3.4e38f };
	(void)state;
	memcpy(v, some, sizeof some);
	compare(sizeof some / sizeof *some);
	v[0] = 0;
	v[1] = -0.0f;
	ims_float_sort(v, scratch, 2);
	assert_true(signbit(v[0]) && !signbit(v[1]));
}

/* One digit, two and three decide: an odd and an even number of passes. */
static void few_digits(void **state)
{
	(void)state;
	for (uint32_t mask = 0xff; mask <= 0xffffff; mask = mask << 8 | 0xff) {
		uint64_t random = mask;
		for (size_t i = 0; i < N; i++) {
			uint32_t bits = 0x3f000000 | ((uint32_t)ims_random(&random) & mask & 0x7fffff);
			memcpy(&v[i], &bits, sizeof bits);
		}
		compare(N);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any_bits), cmocka_unit_test(special),
		cmocka_unit_test(few_digits) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

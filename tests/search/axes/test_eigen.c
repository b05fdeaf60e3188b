/* The eigen-solver against its definition, and what it says of matrices that have no answer. */
#include "search/axes/eigen.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 40 };

static void random_symmetric(double *a, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++)
			a[i * n + j] = a[j * n + i] = ims_random_unit(&seed) - 0.5;
}

static void check_pairs(const double *a, const double *value, const double *v, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		double length = 0;
		assert_true(!k || value[k - 1] <= value[k]);
		for (size_t i = 0; i < n; i++) {
			double sum = 0;
			for (size_t j = 0; j < n; j++)
				sum += a[i * n + j] * v[k * n + j];
			assert_true(fabs(sum - value[k] * v[k * n + i]) < 1e-12);
			length += v[k * n + i] * v[k * n + i];
		}
		assert_true(fabs(length - 1) < 1e-12);
	}
}

static void eigenpairs(void **state)
{
	double a[MOST * MOST], copy[MOST * MOST], v[MOST * MOST], value[MOST];
	(void)state;
	for (size_t n = 1; n < MOST; n++) {
		random_symmetric(a, n, n);
		for (size_t i = 0; n % 3 == 0 && i < n * n; i++) /* one eigenvalue, n times */
			a[i] = i % (n + 1) ? 0 : 2;
		memcpy(copy, a, n * n * sizeof *a);
		assert_int_equal(ims_eigen_solve(a, n, value, v, NULL), 0);
		check_pairs(copy, value, v, n);
	}
	assert_int_equal(ims_eigen_solve(a, 0, value, v, NULL), 0);
}

/* Eigenvalues that are known: 2 - 2 cos(k pi / (n + 1)) of the second difference. */
static void second_difference(void **state)
{
	enum { N = 30 };
	double a[N * N] = { 0 }, v[N * N], value[N];
	(void)state;
	for (size_t i = 0; i < N; i++) {
		a[i * N + i] = 2;
		if (i)
			a[i * N + i - 1] = a[(i - 1) * N + i] = -1;
	}
	assert_int_equal(ims_eigen_solve(a, N, value, v, NULL), 0);
	for (size_t k = 0; k < N; k++)
		assert_true(fabs(value[k] - (2 - 2 * cos((double)(k + 1) * acos(-1) / (N + 1)))) < 1e-12);
}

static void does_not_converge(void **state)
{
	const double bad[] = { NAN, INFINITY, -INFINITY, 1e200 }; /* the square of the last overflows */
	double a[MOST * MOST], v[MOST * MOST], value[MOST];
	(void)state;
	for (size_t n = 1; n < MOST; n += 6)
		for (size_t kind = 0; kind < 4; kind++)
			for (size_t at = 0; at < n; at += 5) {
				imgsearch_error err = { 0 };
				random_symmetric(a, n, n);
				if (kind == 3 && at + 1 == n)
					continue; /* a large diagonal element alone is no fault */
				a[at * n + (kind == 3 ? n - 1 : at)] = bad[kind];
				a[(kind == 3 ? n - 1 : at) * n + at] = bad[kind];
				assert_int_equal(ims_eigen_solve(a, n, value, v, &err), IMGSEARCH_EINVAL);
				assert_non_null(strstr(err.message, "do not converge"));
			}
}

static void without_memory(void **state)
{
	double a[4] = { 1, 2, 2, 1 }, v[4], value[2];
	(void)state;
	for (uint64_t fail = 1; fail <= 3; fail++) {
		ims_alloc_fail_after(fail);
		assert_int_equal(ims_eigen_solve(a, 2, value, v, NULL), IMGSEARCH_ENOMEM);
	}
	ims_alloc_fail_after(0);
	assert_int_equal(ims_eigen_solve(a, 2, value, v, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eigenpairs),
		cmocka_unit_test(second_difference),
		cmocka_unit_test(does_not_converge),
		cmocka_unit_test(without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

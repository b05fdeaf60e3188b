/* Principal axes: orthonormal, of the right variance, the same for the same seed. */
#include "search/axes/rotation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

typedef struct table {
	const float *rows;
	size_t n, dim;
} table;

static int table_scan(void *ctx, int (*each)(void *, const int64_t *, const float *, size_t),
	void *user, imgsearch_error *err)
{
	table *t = ctx;
	(void)err;
	for (int64_t i = 0; i < (int64_t)t->n; i++) {
		int rc = each(user, &i, t->rows + (size_t)i * t->dim, 1);
		if (rc)
			return rc;
	}
	return 0;
}

static void check(size_t n, size_t dim, uint32_t parts, bool flat)
{
	float *rows = ims_alloc(n * dim + 1, sizeof(float));
	uint64_t seed = 5;
	/* dimension i has standard deviation 2^-i, then all are reflected along (1, 1, ...) */
	for (size_t r = 0; r < n; r++) {
		float sum = 0;
		for (size_t i = 0; i < dim; i++) {
			float g = 0;
			for (int t = 0; t < 12; t++)
				g += (float)ims_random_unit(&seed) - 0.5f;
			rows[r * dim + i] = flat ? 3 : g * powf(2, -(float)i);
			sum += rows[r * dim + i];
		}
		for (size_t i = 0; i < dim; i++)
			rows[r * dim + i] += 7 - 2 * sum / (float)dim;
	}
	table t = { rows, n, dim };
	row_source source = { .ctx = &t, .n = n, .dim = (uint32_t)dim, .scan = table_scan };
	rotation a, b;
	assert_int_equal(ims_rotation_fit(&a, &source, parts, 3, NULL, NULL), 0);
	assert_int_equal(ims_rotation_fit(&b, &source, parts, 3, NULL, NULL), 0);
	assert_int_equal(a.parts, parts < dim ? parts : dim);
	assert_memory_equal(a.axes, b.axes, a.parts * dim * sizeof(float));
	for (size_t i = 0; i < a.parts; i++)
		for (size_t j = 0; j <= i; j++) {
			double sum = 0;
			for (size_t k = 0; k < dim; k++)
				sum += (double)a.axes[i * dim + k] * a.axes[j * dim + k];
			assert_true(fabs(sum - (i == j)) < 1e-5);
		}
	for (size_t i = 0; i < a.parts && i < 4 && n > 1000 && !flat; i++)
		assert_true(fabs(a.variance[i] / powf(4, -(float)i) - 1) < 0.2);
	for (size_t i = 0; i < a.parts && flat; i++)
		assert_true(a.variance[i] < 1e-6f);
	ims_rotation_free(&a);
	ims_rotation_free(&b);
	ims_free(rows);
}

static void axes(void **state)
{
	(void)state;
	check(3000, 8, 8, false);
	check(3000, 50, 4, false);
	check(2000, 500, 12, false); /* subspace iteration */
	check(20, 5000, 12, false);  /* without a covariance matrix */
	check(5, 600, 20, false);    /* fewer rows than axes */
	check(100, 450, 9, true);    /* all equal */
	check(1, 3, 3, false);
	check(0, 3, 2, false);
	check(40, 3, 9, false);
}

/* Their covariance overflows: the axes are orthonormal all the same. */
static void too_large(void **state)
{
	enum { N = 50, DIM = 12 };
	float rows[N * DIM];
	uint64_t seed = 1;
	(void)state;
	for (size_t i = 0; i < N * DIM; i++)
		rows[i] = (float)(1e25 * (ims_random_unit(&seed) - 0.5));
	table t = { rows, N, DIM };
	row_source source = { .ctx = &t, .n = N, .dim = DIM, .scan = table_scan };
	rotation r;
	assert_int_equal(ims_rotation_fit(&r, &source, 5, 1, NULL, NULL), 0);
	for (size_t i = 0; i < 5; i++) {
		assert_true(r.variance[i] == 0);
		for (size_t j = 0; j <= i; j++) {
			double sum = 0;
			for (size_t k = 0; k < DIM; k++)
				sum += (double)r.axes[i * DIM + k] * r.axes[j * DIM + k];
			assert_true(fabs(sum - (i == j)) < 1e-5);
		}
	}
	ims_rotation_free(&r);
}

static void without_memory(void **state)
{
	(void)state;
	float rows[200];
	uint64_t seed = 1;
	for (size_t i = 0; i < 200; i++)
		rows[i] = (float)ims_random_unit(&seed);
	table t = { rows, 20, 10 };
	row_source source = { .ctx = &t, .n = 20, .dim = 10, .scan = table_scan };
	for (uint64_t fail = 1;; fail++) {
		rotation r;
		imgsearch_error err;
		ims_alloc_fail_after(fail);
		int rc = ims_rotation_fit(&r, &source, 4, 1, NULL, &err);
		ims_alloc_fail_after(0);
		ims_rotation_free(&r);
		if (!rc)
			break;
		assert_int_equal(rc, IMGSEARCH_ENOMEM);
		assert_true(fail < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(axes),
		cmocka_unit_test(too_large),
		cmocka_unit_test(without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

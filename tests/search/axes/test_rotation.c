/* Principal axes: orthonormal, of the right variance, the same for a seed; the dense solver against its definition. */
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

static int table_scan(void *ctx, int (*each)(void *, const int64_t *, const float *, size_t), void *user, imgsearch_error *err)
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

static void eigen(void **state)
{
	(void)state;
	for (size_t n = 1; n < 40; n++) {
		double a[40 * 40], kept[40 * 40], v[40 * 40], value[40];
		uint64_t seed = n;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j <= i; j++)
				a[i * n + j] = a[j * n + i] = n % 3 ? ims_random_unit(&seed) - 0.5 : i == j ? 2 : 0;
		memcpy(kept, a, n * n * sizeof(*a));
		assert_int_equal(ims_eigen(a, n, value, v, NULL), 0);
		for (size_t k = 0; k < n; k++) {
			double length = 0;
			assert_true(!k || value[k - 1] <= value[k]);
			for (size_t i = 0; i < n; i++) {
				double sum = 0;
				for (size_t j = 0; j < n; j++)
					sum += kept[i * n + j] * v[k * n + j];
				assert_true(fabs(sum - value[k] * v[k * n + i]) < 1e-12);
				length += v[k * n + i] * v[k * n + i];
			}
			assert_true(fabs(length - 1) < 1e-12);
		}
	}
}

static void check(size_t n, size_t dim, uint32_t parts, bool flat)
{
	float *rows = ims_alloc(n * dim + 1, sizeof(float));
	uint64_t seed = 5;
	/* dimension i has standard deviation 2^-i, but for the turn by a fixed reflection along (1, 1, ...) */
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
	check(2000, 500, 12, false);  /* subspace iteration */
	check(20, 5000, 12, false);   /* without a covariance matrix */
	check(5, 600, 20, false);     /* fewer rows than axes */
	check(100, 450, 9, true);     /* all equal */
	check(1, 3, 3, false);
	check(0, 3, 2, false);
	check(40, 3, 9, false);
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
		cmocka_unit_test(eigen),
		cmocka_unit_test(axes),
		cmocka_unit_test(without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

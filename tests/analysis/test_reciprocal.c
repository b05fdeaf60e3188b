/* k-reciprocal re-ranking: brings a cluster's members before an outsider that scores higher. */
#include "analysis/reciprocal.h"
#include "test.h"

#include <math.h>

enum { N = 21, K = 9 };

/* Two groups of ten and one loner (20) that is near to row 0 alone. */
static float pair(size_t a, size_t b)
{
	if (a == b)
		return 1;
	if (a == N - 1 || b == N - 1)
		return a + b == N - 1 ? 0.72f : a + b < N + 9 ? 0.1f : 0.12f;
	return (a < 10) == (b < 10) ? 0.7f + 0.001f * (float)((a * 7 + b * 7) % 11) : 0.2f;
}

/* Item 0 asks: row 0 of the picture above. */
static void table(float score[N][N])
{
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++)
			score[i][j] = pair(i, j);
}

static void clusters(void **state)
{
	(void)state;
	float score[N][N], out[N - 1];
	table(score);
	assert_true(score[0][N - 1] > score[0][3]); /* the loner scores higher than some of the group */
	assert_int_equal(ims_analysis_reciprocal(out, &score[0][0], N, K, NULL), 0);
	for (size_t j = 1; j < 10; j++)
		for (size_t other = 10; other < N; other++)
			assert_true(out[j - 1] > out[other - 1]);
}

/* Nothing, one result, two; k above what there is; scores that are no numbers. */
static void odd_lists(void **state)
{
	(void)state;
	float score[N][N], out[N] = { 9, 9, 9 };
	assert_int_equal(ims_analysis_reciprocal(out, &(float){ 1 }, 1, K, NULL), 0);
	assert_true(out[0] == 9);
	assert_int_equal(ims_analysis_reciprocal(out, (float[]){ 1, 0.5f, 0.5f, 1 }, 2, K, NULL), 0);
	assert_true(out[0] == 0.5f);
	assert_int_equal(ims_analysis_reciprocal(out,
						 (float[]) { 1, 0.5f, 0.4f, 0.5f, 1, 0.1f, 0.4f, 0.1f, 1 }, 3, 500, NULL),
		0);
	assert_true(out[0] > out[1]);
	table(score);
	for (size_t i = 0; i < N; i++)
		score[4][i] = score[i][4] = NAN;
	assert_int_equal(ims_analysis_reciprocal(out, &score[0][0], N, K, NULL), 0);
	for (size_t j = 1; j < 10; j++) /* the others keep their order */
		assert_true(j == 4 || out[j - 1] > out[10 - 1]);
}

static void no_memory(void **state)
{
	(void)state;
	float score[N][N], out[N - 1];
	table(score);
	for (uint64_t n = 1;; n++) { /* every allocation failing */
		ims_alloc_fail_after(n);
		int rc = ims_analysis_reciprocal(out, &score[0][0], N, K, NULL);
		ims_alloc_fail_after(0);
		if (!rc) {
			assert_true(n > 1);
			break;
		}
		assert_int_equal(rc, IMGSEARCH_ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(clusters), cmocka_unit_test(odd_lists),
		cmocka_unit_test(no_memory) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

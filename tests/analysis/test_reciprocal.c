/* k-reciprocal re-ranking: brings a cluster's members before an outsider that scores higher; queries inside and outside. */
#include "analysis/analysis.h"
#include "test.h"

#include <math.h>

enum { N = 21, K = 9 };

/* Two groups of ten and one loner (20) that is near to row 0 alone. */
static float pair(void *user, size_t a, size_t b)
{
	(void)user;
	if (a == b)
		return 1;
	if (a == N - 1 || b == N - 1)
		return a + b == N - 1 ? 0.72f : a + b < N + 9 ? 0.1f : 0.12f;
	return (a < 10) == (b < 10) ? 0.7f + 0.001f * (float)((a * 7 + b * 7) % 11) : 0.2f;
}

static void nearest(size_t row, const float *score, uint32_t *near, float *near_score)
{
	topk best;
	assert_int_equal(ims_topk_init(&best, K), 0);
	for (size_t i = 0; i < N; i++)
		if (i != row)
			ims_topk_push(&best, -score[i], (int64_t)i);
	ims_topk_sort(&best);
	for (int j = 0; j < K; j++) {
		near[j] = (uint32_t)best.item[j].id;
		near_score[j] = -best.item[j].distance;
	}
	ims_topk_free(&best);
}

static void clusters(void **state)
{
	(void)state;
	uint32_t near[N * K], q[K];
	float near_score[N * K], q_score[K], score[N];
	reciprocal *r;
	for (size_t i = 0; i < N; i++) {
		for (size_t j = 0; j < N; j++)
			score[j] = pair(NULL, i, j);
		nearest(i, score, near + i * K, near_score + i * K);
	}
	assert_int_equal(ims_analysis_reciprocal_new(&r, N, K, near, near_score, pair, NULL, NULL), 0);
	for (size_t outside = 0; outside < 2; outside++) { /* row 0 asks, or a copy of it from outside */
		for (size_t j = 0; j < N; j++)
			score[j] = pair(NULL, 0, j);
		nearest(outside ? SIZE_MAX : 0, score, q, q_score);
		assert_int_equal(ims_analysis_reciprocal_rank(r, outside ? SIZE_MAX : 0, q, q_score, score, NULL), 0);
		for (size_t j = 1; j < 10; j++)
			for (size_t other = 10; other < N; other++)
				assert_true(score[j] > score[other]);
	}
	ims_analysis_reciprocal_free(r);
	ims_analysis_reciprocal_free(NULL);
	for (uint64_t n = 1;; n++) { /* every allocation failing */
		ims_alloc_fail_after(n);
		int rc = ims_analysis_reciprocal_new(&r, N, K, near, near_score, pair, NULL, NULL);
		ims_alloc_fail_after(0);
		if (!rc)
			break;
		assert_int_equal(rc, IMGSEARCH_ENOMEM);
		assert_null(r);
	}
	ims_analysis_reciprocal_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(clusters) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

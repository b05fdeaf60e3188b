/* Measures of ranked answers against what can be worked out by hand. */
#include "analysis/metrics.h"
#include "test.h"

#include <math.h>

#define near(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static void perfect(void **state)
{
	(void)state;
	float score[6] = { 0.9f, 0.8f, 0.7f, 0.2f, 0.1f, 1 };
	uint8_t relation[6] = { 1, 1, 1, 0, 0, IMS_IGNORED };
	retrieval r;
	assert_int_equal(ims_analysis_retrieval(&r, score, relation, 6, NULL), 0);
	near(r.average_precision, 1);
	near(r.precision[1], 0.6);
	near(r.recall[0], 1 / 3.0);
	near(r.recall[1], 1);
	near(r.ndcg[1], 1);
	assert_true(r.first);
	assert_int_equal(r.relevant, 3);
}

/* Related ones at ranks 2 and 4. */
static void mixed(void **state)
{
	(void)state;
	float score[5] = { 0.9f, 0.8f, 0.7f, 0.6f, 0.5f };
	uint8_t relation[5] = { 0, 1, 0, 1, 0 };
	retrieval r;
	assert_int_equal(ims_analysis_retrieval(&r, score, relation, 5, NULL), 0);
	near(r.average_precision, (1 / 2.0 + 2 / 4.0) / 2);
	near(r.precision[0], 0);
	near(r.precision[1], 2 / 5.0);
	near(r.ndcg[0], 0);
	near(r.ndcg[1], (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3)));
	assert_false(r.first);
}

/* Equal scores share a place in average precision, and have places by their number elsewhere. */
static void ties(void **state)
{
	(void)state;
	float score[4] = { 0.5f, 0.5f, 0.5f, 0.5f };
	uint8_t relation[4] = { 0, 1, 0, 1 };
	retrieval r;
	assert_int_equal(ims_analysis_retrieval(&r, score, relation, 4, NULL), 0);
	near(r.average_precision, 0.5);
	near(r.precision[0], 0);
	near(r.ndcg[1], (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3)));
}

/* Against sorting everything, on random scores of few values. */
static void against_sorting(void **state)
{
	(void)state;
	enum { N = 300 };
	uint64_t random = 3;
	for (int round = 0; round < 200; round++) {
		float score[N];
		uint8_t relation[N];
		size_t relevant = 0;
		for (int i = 0; i < N; i++) {
			score[i] = (float)(ims_random(&random) % 50);
			relation[i] = ims_random(&random) % 7 == 0 ? IMS_RELEVANT
				: ims_random(&random) % 20 == 0        ? IMS_IGNORED
													   : IMS_IRRELEVANT;
			relevant += relation[i] == IMS_RELEVANT;
		}
		double ap = 0, found10 = 0;
		for (int i = 0; i < N;
			 i++) { /* its level: how many relevant and others score at least as much; its place */
			if (relation[i] != IMS_RELEVANT)
				continue;
			double same = 0, all = 0, place = 0;
			for (int j = 0; j < N; j++) {
				if (relation[j] == IMS_IGNORED)
					continue;
				same += relation[j] == IMS_RELEVANT && score[j] >= score[i];
				all += score[j] >= score[i];
				place += score[j] > score[i] || (score[j] == score[i] && j < i);
			}
			ap += same / all;
			found10 += place < 10;
		}
		retrieval r;
		assert_int_equal(ims_analysis_retrieval(&r, score, relation, N, NULL), 0);
		near(r.average_precision, ap / (double)relevant);
		near(r.precision[2], found10 / 10);
		near(r.recall[2], found10 / (double)relevant);
	}
}

static void nothing_related(void **state)
{
	(void)state;
	float score[2] = { 1, NAN };
	uint8_t relation[2] = { 0, 0 };
	for (size_t n = 0; n <= 2; n += 2) {
		retrieval r;
		memset(&r, 0xff, sizeof r);
		assert_int_equal(ims_analysis_retrieval(&r, score, relation, n, NULL), 0);
		assert_int_equal(r.relevant, 0);
		assert_false(r.first);
		assert_true(r.average_precision == 0);
		for (int cut = 0; cut < IMS_CUTS; cut++)
			assert_true(r.precision[cut] == 0 && r.recall[cut] == 0 && r.ndcg[cut] == 0);
	}
}

static void thresholds(void **state)
{
	(void)state;
	static agreement a = { .lo = -1, .hi = 1 }, b = { .lo = -1, .hi = 1 };
	float score[6] = { 0.9f, 0.8f, 0.3f, 0.1f, -0.5f, 0.7f };
	uint8_t relation[6] = { 1, 1, 0, 1, 0, 0 };
	double f1;
	ims_analysis_agreement_add(&a, score, relation, 3);
	ims_analysis_agreement_add(&b, score + 3, relation + 3, 3);
	ims_analysis_agreement_merge(&a, &b);
	near(ims_analysis_agreement_f1(&a, 0.75), 2 * 2 / (2.0 + 3));
	near(ims_analysis_agreement_f1(&a, -1), 2 * 3 / (6.0 + 3));
	double best = ims_analysis_agreement_best(&a, &f1);
	assert_true(best > 0.7 && best <= 0.8);
	near(f1, 0.8);
}

static void bootstrap(void **state)
{
	(void)state;
	enum { N = 400 };
	double value[N], ci[2];
	uint64_t random = 1;
	for (int i = 0; i < N; i++)
		value[i] = ims_random_unit(&random);
	ims_analysis_bootstrap(ci, value, N, 5);
	double half = 1.96 * sqrt(1 / 12.0 / N); /* what theory says of a uniform one */
	assert_true(
		ci[0] < 0.53 && ci[1] > 0.47 && ci[1] - ci[0] > 1.6 * half && ci[1] - ci[0] < 2.4 * half);
	ims_analysis_bootstrap(ci, value, 1, 5);
	near(ci[0], value[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(perfect),
		cmocka_unit_test(mixed),
		cmocka_unit_test(ties),
		cmocka_unit_test(against_sorting),
		cmocka_unit_test(nothing_related),
		cmocka_unit_test(thresholds),
		cmocka_unit_test(bootstrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

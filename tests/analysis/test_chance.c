/* The distribution of chance scores: against known distributions, and calibrated on folders that it was not fitted on. */
#include "analysis/analysis.h"
#include "test.h"

#include <math.h>

static double normal(uint64_t *random)
{
	return sqrt(-2 * log(1 - ims_random_unit(random))) * cos(6.283185307179586 * ims_random_unit(random));
}

static void known_tails(void **state)
{
	(void)state;
	enum { N = 200000 };
	float *score = ims_alloc(N, sizeof *score);
	uint64_t random = 1;
	chance c;
	for (int i = 0; i < N; i++)
		score[i] = (float)normal(&random);
	assert_int_equal(ims_analysis_chance_fit(&c, score, N, NULL), 0);
	for (double s = -3; s < 4.3; s += 0.1) {
		double p = 0.5 * erfc(s / sqrt(2)), ours = ims_analysis_chance_above(&c, s);
		assert_true(p > 0.001 ? fabs(ours / p - 1) < 0.15 : ours / p > 0.3 && ours / p < 3);
	}
	for (int i = 0; i < N; i++)
		score[i] = (float)-log(1 - ims_random_unit(&random)); /* an exponential has shape 0 */
	assert_int_equal(ims_analysis_chance_fit(&c, score, N, NULL), 0);
	assert_true(fabsf(c.shape) < 0.08f);
	assert_true(fabs(ims_analysis_chance_above(&c, 9.21) / 1e-4 - 1) < 0.4);
	ims_free(score);
}

static void odd_scores(void **state)
{
	(void)state;
	static float score[5000];
	chance c;
	assert_int_equal(ims_analysis_chance_fit(&c, score, 10, NULL), IMGSEARCH_ENOTFOUND);
	assert_int_equal(ims_analysis_chance_fit(&c, score, 5000, NULL), 0); /* all equal */
	assert_true(ims_analysis_chance_above(&c, 0.1) == 0);
	assert_true(ims_analysis_chance_above(&c, -0.1) == 1);
	for (int i = 0; i < 5000; i++)
		score[i] = i % 2 ? 1 : -1;
	assert_int_equal(ims_analysis_chance_fit(&c, score, 5000, NULL), 0);
	double last = 1;
	for (double s = -2; s < 2; s += 0.01) { /* falls, and stays a probability */
		double p = ims_analysis_chance_above(&c, s);
		assert_true(p >= 0 && p <= last);
		last = p;
	}
}

enum { FOLDERS = 120, EACH = 10, DIM = 48, ROWS = FOLDERS * EACH };

/* Pictures of a folder lie around its centre; axes have falling variance, as features' have. */
static void make_folders(float (*rows)[DIM], uint64_t *random)
{
	for (int f = 0; f < FOLDERS; f++) {
		double centre[DIM];
		for (int d = 0; d < DIM; d++)
			centre[d] = normal(random) / sqrt(1 + d);
		for (int i = 0; i < EACH; i++) {
			double length = 0;
			float *row = rows[f * EACH + i];
			for (int d = 0; d < DIM; d++) {
				row[d] = (float)(centre[d] + 0.8 * normal(random) / sqrt(1 + d));
				length += (double)row[d] * row[d];
			}
			for (int d = 0; d < DIM; d++)
				row[d] /= (float)sqrt(length);
		}
	}
}

static double score_of(const float *a, const float *b)
{
	double sum = 0;
	for (int d = 0; d < DIM; d++)
		sum += (double)a[d] * b[d];
	return sum;
}

/* Fitted on random pairs of one half of the folders; counted on all pairs of different folders of the other half. */
static void calibrated(void **state)
{
	(void)state;
	enum { HALF = ROWS / 2, PAIRS = 100000 };
	static float rows[ROWS][DIM];
	uint64_t random = 11;
	float *score = ims_alloc(PAIRS, sizeof *score);
	size_t n = 0;
	chance c;
	make_folders(rows, &random);
	while (n < PAIRS) {
		size_t a = ims_random(&random) % HALF, b = ims_random(&random) % HALF;
		if (a / EACH != b / EACH)
			score[n++] = (float)score_of(rows[a], rows[b]);
	}
	assert_int_equal(ims_analysis_chance_fit(&c, score, n, NULL), 0);
	for (double expected = 100; expected > 0.05; expected /= 10) { /* of HALF pictures for one query */
		double lo = -1, hi = 1;
		for (int i = 0; i < 50; i++) {
			double mid = (lo + hi) / 2;
			if (HALF * ims_analysis_chance_above(&c, mid) > expected)
				lo = mid;
			else
				hi = mid;
		}
		double seen = 0;
		for (size_t a = HALF; a < ROWS; a++)
			for (size_t b = HALF; b < ROWS; b++)
				seen += a / EACH != b / EACH && score_of(rows[a], rows[b]) >= lo;
		seen /= HALF;
		print_message("# expected %g, seen %.3f a query\n", expected, seen);
		assert_true(seen > expected / 2.5 && seen < expected * 2.5);
	}
	ims_free(score);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(known_tails), cmocka_unit_test(odd_scores), cmocka_unit_test(calibrated) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

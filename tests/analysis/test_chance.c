/*
 * Chance scores: the fit against known distributions, and calibration on pictures that it was not
 * fitted on.
 */
#include "analysis/chance.h"
#include "test.h"

#include <math.h>
#include <string.h>

static double normal(uint64_t *random)
{
	return sqrt(-2 * log(1 - ims_random_unit(random)))
		* cos(6.283185307179586 * ims_random_unit(random));
}

enum { COHORT = 400 };
static const chance_norm as_it_is = { 0, 1 };

static float scratch[COHORT];

/* A cohort of pictures that are all groups of their own. */
static int fit(chance *c, const float *score)
{
	static uint64_t group[COHORT];
	for (size_t i = 0; i < COHORT; i++)
		group[i] = i;
	return ims_analysis_chance_fit(c, score, group, COHORT, NULL, NULL);
}

static void known_tails(void **state)
{
	(void)state;
	float *score = ims_alloc(COHORT * COHORT, sizeof *score);
	uint64_t random = 1;
	chance c;
	for (int i = 0; i < COHORT * COHORT; i++) /* each row lies elsewhere and more or less wide */
		score[i] = (float)(normal(&random) * (1 + i / COHORT % 7) + i / COHORT % 5);
	assert_int_equal(fit(&c, score), 0);
	for (double s = -3; s < 4.3; s += 0.1) {
		double p = 0.5 * erfc(s / sqrt(2)), ours = ims_analysis_chance_above(&c, as_it_is, s);
		assert_true(p > 0.001
				? fabs(ours / p - 1) < 0.35
				: ours / p > 0.2 && ours / p < 5); /* rows are normalised by what 400 scores say */
	}
	for (int i = 0; i < COHORT * COHORT; i++)
		score[i] = (float)-log(1 - ims_random_unit(&random)); /* an exponential has shape 0 */
	assert_int_equal(fit(&c, score), 0);
	assert_true(fabsf(c.shape) < 0.08f);
	chance_norm norm = ims_analysis_chance_norm(&c, score, COHORT, scratch);
	assert_true(fabsf(norm.location - 0.693f) < 0.15f && fabsf(norm.spread - 1.148f) < 0.25f);
	assert_true(
		fabs(ims_analysis_chance_above(&c, (chance_norm){ 0.693f, 1.148f }, 9.21) / 1e-4 - 1)
		< 0.4);
	ims_free(score);
}

static void odd_scores(void **state)
{
	(void)state;
	static float score[COHORT * COHORT];
	static const uint64_t one_group[COHORT];
	chance c;
	assert_int_equal(ims_analysis_chance_fit(&c, score, one_group, COHORT, NULL, NULL),
		IMGSEARCH_ENOTFOUND);
	assert_int_equal(ims_analysis_chance_fit(&c, score, one_group, 0, NULL, NULL),
		IMGSEARCH_ENOTFOUND);
	assert_int_equal(fit(&c, score), 0); /* all equal */
	chance_norm norm = ims_analysis_chance_norm(&c, score, COHORT, scratch);
	assert_true(ims_analysis_chance_above(&c, norm, 0.1) == 0);
	assert_true(ims_analysis_chance_above(&c, norm, -0.1) == 1);
	for (int i = 0; i < COHORT * COHORT; i++)
		score[i] = i % 2 ? 1 : -1;
	assert_int_equal(fit(&c, score), 0);
	norm = ims_analysis_chance_norm(&c, score, COHORT, scratch);
	double last = 1;
	for (double s = -2; s < 2; s += 0.01) { /* falls, and stays a probability */
		double p = ims_analysis_chance_above(&c, norm, s);
		assert_true(p >= 0 && p <= last);
		last = p;
	}
}

/* Related pictures in the cohort, a tenth of it, leave the norm where it is without them. */
static void related_ones_do_no_harm(void **state)
{
	(void)state;
	float *score = ims_alloc(COHORT * COHORT, sizeof *score), mixed[COHORT];
	uint64_t random = 3;
	chance c;
	for (int i = 0; i < COHORT * COHORT; i++)
		score[i] = (float)normal(&random);
	memcpy(mixed, score, sizeof mixed);
	assert_int_equal(fit(&c, score), 0);
	for (int i = 0; i < COHORT / 10; i++)
		mixed[i] = 6 + (float)i / COHORT;
	chance_norm without = ims_analysis_chance_norm(&c, score, COHORT, scratch),
				with = ims_analysis_chance_norm(&c, mixed, COHORT, scratch);
	assert_true(fabsf(with.location - without.location) < 0.1f
		&& fabsf(with.spread / without.spread - 1) < 0.1f);
	ims_free(score);
}

enum { FOLDERS = 120, EACH = 10, DIM = 48, ROWS = FOLDERS * EACH };

/*
 * Pictures of a folder lie around its centre; axes have falling variance, as features' have. narrow
 * > 0 takes strength from all but the first axes: such pictures look like everything or like
 * nothing, and their scores lie wide.
 */
static void make_folders(float (*rows)[DIM], double narrow, uint64_t *random)
{
	for (int f = 0; f < FOLDERS; f++) {
		double centre[DIM];
		for (int d = 0; d < DIM; d++)
			centre[d] = normal(random) / sqrt(1 + d) / (d < 4 ? 1 : 1 + narrow);
		for (int i = 0; i < EACH; i++) {
			double length = 0;
			float *row = rows[f * EACH + i];
			for (int d = 0; d < DIM; d++) {
				row[d] = (float)(centre[d]
					+ 0.8 * normal(random) / sqrt(1 + d) / (d < 4 ? 1 : 1 + narrow));
				length += (double)row[d] * row[d];
			}
			for (int d = 0; d < DIM; d++)
				row[d] /= (float)sqrt(length);
		}
	}
}

static float score_of(const float *a, const float *b)
{
	double sum = 0;
	for (int d = 0; d < DIM; d++)
		sum += (double)a[d] * b[d];
	return (float)sum;
}

/*
 * How many of ROWS score within a promise, a query. normed 0: every query is taken as the average
 * one.
 */
static double seen(const chance *c, float (*rows)[DIM], float (*cohort)[DIM], float (*query)[DIM],
	bool same_set, double promise, const chance_norm *average)
{
	float score[COHORT];
	double n = 0;
	for (size_t q = 0; q < ROWS; q += 3) {
		for (size_t i = 0; i < COHORT; i++)
			score[i] = score_of(query[q], cohort[i]);
		chance_norm norm = average ? *average : ims_analysis_chance_norm(c, score, COHORT, scratch);
		for (size_t i = 0; i < ROWS; i++)
			n += (!same_set || i / EACH != q / EACH)
				&& ROWS * ims_analysis_chance_above(c, norm, (double)score_of(query[q], rows[i]))
					<= promise;
	}
	return n / (ROWS / 3);
}

/*
 * Fitted on a third of the rows; asked by the rows themselves (others of other folders are chance),
 * by new ones, and by new ones whose scores lie wider. The last is what one distribution for all
 * queries gets wrong.
 */
static void calibrated(void **state)
{
	(void)state;
	static float rows[ROWS][DIM], like[ROWS][DIM], wide[ROWS][DIM], cohort[COHORT][DIM],
		score[COHORT * COHORT];
	static uint64_t group[COHORT];
	uint64_t random = 11;
	chance c;
	make_folders(rows, 0, &random);
	make_folders(like, 0, &random);
	make_folders(wide, 2, &random);
	for (size_t i = 0; i < COHORT; i++) {
		memcpy(cohort[i], rows[i * 3], sizeof cohort[i]);
		group[i] = i * 3 / EACH;
	}
	for (size_t i = 0; i < COHORT * COHORT; i++)
		score[i] = score_of(cohort[i / COHORT], cohort[i % COHORT]);
	assert_int_equal(ims_analysis_chance_fit(&c, score, group, COHORT, NULL, NULL), 0);
	for (double promise = 100; promise > 0.5; promise /= 10) {
		double own = seen(&c, rows, cohort, rows, true, promise, NULL),
			   new = seen(&c, rows, cohort, like, false, promise, NULL);
		double wider = seen(&c, rows, cohort, wide, false, promise, NULL);
		print_message("# promised %g, seen %.2f by its own, %.2f by new ones, %.2f by wide ones\n",
			promise, own, new, wider);
		assert_true(own > promise / 2.5 && own < promise * 2.5);
		assert_true(new > promise / 2.5 && new < promise * 2.5);
		assert_true(wider > promise / 5 && wider < promise * 5);
	}
	chance_norm average = ims_analysis_chance_norm(&c, score, COHORT, scratch);
	double wider = seen(&c, rows, cohort, wide, false, 1, &average);
	print_message("# promised 1, seen %.2f by wide ones without normalisation\n", wider);
	assert_true(wider > 10);
}

enum { WORDS = 300 };

/*
 * Words lie apart from pictures, more or less so, and each is about a few axes. Their scores with
 * pictures are all low and close together, at another place for each word.
 */
static void make_words(float (*words)[DIM], size_t n, uint64_t *random)
{
	for (size_t w = 0; w < n; w++) {
		double length = 0, apart = 2 + ims_random_unit(random);
		for (int d = 0; d < DIM; d++) {
			double value = normal(random) / sqrt(1 + d) + (d % 2 ? apart : -apart) / 4;
			words[w][d] = (float)value;
			length += value * value;
		}
		for (int d = 0; d < DIM; d++)
			words[w][d] /= (float)sqrt(length);
	}
}

/* How many of ROWS score within a promise, a word. */
static double seen_by_words(const chance *c, float (*rows)[DIM], float (*cohort)[DIM],
	float (*words)[DIM], size_t n, double promise)
{
	float score[COHORT];
	double found = 0;
	for (size_t w = 0; w < n; w++) {
		for (size_t i = 0; i < COHORT; i++)
			score[i] = score_of(words[w], cohort[i]);
		chance_norm norm = ims_analysis_chance_norm(c, score, COHORT, scratch);
		for (size_t i = 0; i < ROWS; i++)
			found += ROWS * ims_analysis_chance_above(c, norm, (double)score_of(words[w], rows[i]))
				<= promise;
	}
	return found / (double)n;
}

/* Fitted on words and a third of the rows; asked by other words. */
static void words_are_calibrated(void **state)
{
	(void)state;
	enum { ASKED = 1000 };
	static float rows[ROWS][DIM], cohort[COHORT][DIM], words[WORDS][DIM], asked[ASKED][DIM],
		score[WORDS * COHORT];
	uint64_t random = 5;
	chance c, few;
	make_folders(rows, 0, &random);
	make_words(words, WORDS, &random);
	make_words(asked, ASKED, &random);
	for (size_t i = 0; i < COHORT; i++)
		memcpy(cohort[i], rows[i * 3], sizeof cohort[i]);
	for (size_t i = 0; i < WORDS * COHORT; i++)
		score[i] = score_of(words[i / COHORT], cohort[i % COHORT]);
	assert_int_equal(ims_analysis_chance_fit_texts(&c, score, WORDS, COHORT, NULL, NULL), 0);
	for (double promise = 10; promise > 0.05; promise /= 10) {
		double found = seen_by_words(&c, rows, cohort, asked, ASKED, promise);
		print_message("# promised %g, seen %.3f\n", promise, found);
		assert_true(found > promise / 2.5 && found < promise * 2.5);
	}
	assert_int_equal(ims_analysis_chance_fit_texts(&few, score, 4, COHORT, NULL, NULL),
		IMGSEARCH_ENOTFOUND);
}

static void spread_of_any_scores(void **state)
{
	(void)state;
	float score[COHORT];
	uint64_t random = 9;
	for (int i = 0; i < COHORT; i++)
		score[i] = (float)(3 + 0.25 * normal(&random));
	chance_norm norm = ims_analysis_norm(score, COHORT, scratch);
	assert_true(fabsf(norm.location - 3) < 0.05f && fabsf(norm.spread - 0.25f) < 0.05f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_tails),
		cmocka_unit_test(odd_scores),
		cmocka_unit_test(related_ones_do_no_harm),
		cmocka_unit_test(calibrated),
		cmocka_unit_test(words_are_calibrated),
		cmocka_unit_test(spread_of_any_scores),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

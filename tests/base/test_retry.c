/* base/retry: pauses between tries. Time is the test's own: every look at the clock takes some. */
#include "base/base.h"
#include "test.h"

static double now = 1000;

double ims_now(void)
{
	return now += 0.01;
}

static void pauses_double_up_to_two_seconds(void **state)
{
	static const double pause[] = { 0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 1.6 };
	(void)state;
	retry r = { 0 };
	for (size_t i = 0; i < sizeof pause / sizeof *pause; i++) {
		double start = now;
		assert_true(ims_retry_wait(&r, 100, NULL));
		assert_true(now - start >= pause[i] && now - start < pause[i] + 0.05);
	}
}

static void patience_ends(void **state)
{
	(void)state;
	retry r = { 0 };
	double start = now;
	while (ims_retry_wait(&r, 5, NULL))
		;
	assert_true(r.tries > 5 && now - start > 3 && now - start < 5);
	assert_true(ims_retry_wait(&(retry){ 0 }, 0, NULL)); /* once is always tried */
}

static void a_stopped_job_does_not_wait(void **state)
{
	(void)state;
	cancel_source source = { 0 };
	job j = { .stop = ims_stop_token(&source, NULL) };
	retry r = { 0 };
	assert_true(ims_retry_wait(&r, 100, &j));
	ims_cancel_raise(&source);
	assert_false(ims_retry_wait(&r, 100, &j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_double_up_to_two_seconds),
		cmocka_unit_test(patience_ends),
		cmocka_unit_test(a_stopped_job_does_not_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

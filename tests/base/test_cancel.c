/*
 * base/cancel: what stops a call. Time is the test's own: the clock stands still until it is moved.
 */
#include "base/cancel.h"

#include "base/job.h"
#include "test.h"

#include <signal.h>

static double now = 1000;

double ims_now(void)
{
	return now;
}

static void nothing_stops_a_call(void **state)
{
	(void)state;
	imgsearch_error err = { 0 };
	cancel_source source = { 0 };
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	stop_token none = ims_stop_token(NULL, NULL), t = ims_stop_token(&source, &call);
	now += 1e6;
	assert_int_equal(ims_stopped(NULL), 0);
	assert_int_equal(ims_stopped(&none), 0);
	assert_int_equal(ims_stopped(&t), 0);
	assert_int_equal(ims_stop_check(&t, &err), 0);
	assert_int_equal(err.code, 0);
}

/* A source stops the calls that run, whenever they began, and none that begins later. */
static void a_source_stops_what_runs(void **state)
{
	(void)state;
	imgsearch_error err = { 0 };
	cancel_source source = { 0 }, other = { 0 };
	stop_token first = ims_stop_token(&source, NULL), second = ims_stop_token(&source, NULL),
			   elsewhere = ims_stop_token(&other, NULL);
	ims_cancel_raise(&source);
	stop_token later = ims_stop_token(&source, NULL);
	assert_int_equal(ims_stopped(&first), IMGSEARCH_ECANCELED);
	assert_int_equal(ims_stop_check(&second, &err), IMGSEARCH_ECANCELED);
	assert_int_equal(err.code, IMGSEARCH_ECANCELED);
	assert_true(*err.message);
	assert_int_equal(ims_stopped(&later), 0);
	assert_int_equal(ims_stopped(&elsewhere), 0);
	ims_cancel_raise(&source);
	assert_int_equal(ims_stopped(&first), IMGSEARCH_ECANCELED); /* it stays */
	assert_int_equal(ims_stopped(&later), IMGSEARCH_ECANCELED);
}

/* A token stays set: also for calls that begin later. */
static void a_token_stays_set(void **state)
{
	(void)state;
	imgsearch_error err = { 0 };
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call), other = call;
	assert_int_equal(imgsearch_cancel_token_new(&call.cancel, &err), 0);
	assert_int_equal(imgsearch_cancel_token_new(&other.cancel, NULL), 0);
	stop_token before = ims_stop_token(NULL, &call), apart = ims_stop_token(NULL, &other);
	assert_int_equal(ims_stopped(&before), 0);
	imgsearch_cancel_token_set(call.cancel);
	stop_token after = ims_stop_token(NULL, &call);
	assert_int_equal(ims_stopped(&before), IMGSEARCH_ECANCELED);
	assert_int_equal(ims_stopped(&after), IMGSEARCH_ECANCELED);
	assert_int_equal(ims_stopped(&apart), 0);
	imgsearch_cancel_token_free(call.cancel);
	imgsearch_cancel_token_free(other.cancel);
	imgsearch_cancel_token_set(NULL);
	imgsearch_cancel_token_free(NULL);
	assert_int_equal(imgsearch_cancel_token_new(NULL, &err), IMGSEARCH_EINVAL);
	ims_alloc_fail_after(1);
	assert_int_equal(imgsearch_cancel_token_new(&call.cancel, &err), IMGSEARCH_ENOMEM);
	ims_alloc_fail_after(0);
	assert_null(call.cancel);
}

static imgsearch_cancel_token *of_signal;

static void on_signal(int number)
{
	(void)number;
	imgsearch_cancel_token_set(of_signal);
}

static void a_signal_handler_may_set_it(void **state)
{
	(void)state;
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	assert_int_equal(imgsearch_cancel_token_new(&of_signal, NULL), 0);
	call.cancel = of_signal;
	stop_token t = ims_stop_token(NULL, &call);
	signal(SIGUSR1, on_signal);
	assert_int_equal(ims_stopped(&t), 0);
	raise(SIGUSR1);
	assert_int_equal(ims_stopped(&t), IMGSEARCH_ECANCELED);
	signal(SIGUSR1, SIG_DFL);
	imgsearch_cancel_token_free(of_signal);
}

static void a_deadline_counts_from_the_beginning(void **state)
{
	(void)state;
	imgsearch_error err = { 0 };
	cancel_source source = { 0 };
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	call.deadline_ms = 1500;
	stop_token t = ims_stop_token(&source, &call);
	now += 1.4;
	stop_token later = ims_stop_token(&source, &call);
	assert_int_equal(ims_stopped(&t), 0);
	now += 0.2;
	assert_int_equal(ims_stopped(&t), IMGSEARCH_EDEADLINE);
	assert_int_equal(ims_stop_check(&t, &err), IMGSEARCH_EDEADLINE);
	assert_int_equal(err.code, IMGSEARCH_EDEADLINE);
	assert_int_equal(ims_stopped(&later), 0);
	ims_cancel_raise(&source);
	assert_int_equal(ims_stopped(&t), IMGSEARCH_ECANCELED); /* a cancel wins */
	call.deadline_ms = UINT64_MAX;
	t = ims_stop_token(NULL, &call);
	now += 1e9;
	assert_int_equal(ims_stopped(&t), 0);
	assert_true(ims_is_stop(IMGSEARCH_EDEADLINE) && ims_is_stop(IMGSEARCH_ECANCELED));
	assert_false(ims_is_stop(0) || ims_is_stop(IMGSEARCH_EBUSY));
}

static int calls;

static int refuse(void *user, const imgsearch_progress *p)
{
	assert_string_equal(p->stage, "stage");
	calls++;
	return *(int *)user;
}

/* Progress comes ten times a second at most; a number from it cancels the call. */
static void a_job_reports_and_stops(void **state)
{
	(void)state;
	imgsearch_error err = { 0 };
	int answer = 0;
	job j = { .call = { .user = &answer, .progress = refuse } };
	calls = 0;
	for (int i = 1; i <= 100; i++) {
		now += 0.01;
		assert_int_equal(ims_job_step(&j, "stage", (uint64_t)i, 0, &err), 0);
	}
	assert_in_range(calls, 9, 11);
	answer = 7;
	now += 1;
	assert_int_equal(ims_job_step(&j, "stage", 100, 0, &err), IMGSEARCH_ECANCELED);
	assert_int_equal(err.code, IMGSEARCH_ECANCELED);
	calls = 0;
	ims_job_step(&j, "stage", 100, 100, &err); /* the end is always told */
	assert_int_equal(calls, 1);
	assert_int_equal(ims_job_step(NULL, "stage", 1, 1, &err), 0);
	assert_int_equal(ims_job_check(NULL, &err), 0);
	assert_int_equal(ims_job_stopped(NULL), 0);
}

/* Batches of at most 8 that take a second a picture. */
static void batches_become_smaller(void **state)
{
	(void)state;
	static const struct {
		double left;
		size_t size;
	} cases[] = { { 100, 8 }, { 16, 8 }, { 12, 6 }, { 5, 2 }, { 0.1, 2 }, { -1, 2 } };
	imgsearch_call call = { .struct_size = sizeof call, .deadline_ms = 200000 };
	job j = { .stop = ims_stop_token(NULL, &call) }, none = { .stop = ims_stop_token(NULL, NULL) };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		now = j.stop.deadline - cases[i].left;
		assert_int_equal(ims_job_batch(&j, 8, 1), cases[i].size);
		assert_int_equal(ims_job_batch(&none, 8, 1), 8);
		assert_int_equal(ims_job_batch(NULL, 8, 1), 8);
	}
	now -= 100;
	assert_int_equal(ims_job_batch(&j, 8, 0), 2);
	assert_int_equal(ims_job_batch(&j, 1, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_stops_a_call),
		cmocka_unit_test(a_source_stops_what_runs),
		cmocka_unit_test(a_token_stays_set),
		cmocka_unit_test(a_signal_handler_may_set_it),
		cmocka_unit_test(a_deadline_counts_from_the_beginning),
		cmocka_unit_test(a_job_reports_and_stops),
		cmocka_unit_test(batches_become_smaller),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

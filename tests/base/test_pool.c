/*
 * base/pool: everything that is queued is done, every index of a loop once; a full queue blocks,
 * and several threads share a pool.
 */
#include "test.h"

#include <pthread.h>
#include <sched.h>

static void add_one(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void square(void *arg, size_t i, unsigned worker)
{
	assert_true(worker < 3);
	((size_t *)arg)[i] = i * i;
}

static void the_pool_does_all_its_work(void **state)
{
	(void)state;
	imgsearch_error err;
	pool *p;
	atomic_int sum = 0;
	assert_int_equal(ims_pool_new(&p, 3, 2, &err), 0);
	for (int i = 0; i < 500; i++)
		ims_pool_run(p, add_one, &sum);
	ims_pool_wait(p);
	assert_int_equal(atomic_load(&sum), 500);
	size_t squares[1000] = { 0 };
	ims_parallel(p, 1000, square, squares);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(squares[i], i * i);
	ims_parallel(NULL, 10, square, squares);
	ims_pool_free(p);
	ims_pool_free(NULL);
}

/* ----------------------------------------------------------------------- the queue is full ---- */

typedef struct gate {
	pool *pool;
	atomic_int arrived, open, done, queued;
} gate;

static void wait_for(atomic_int *flag)
{
	double deadline = ims_now() + 60;
	while (!atomic_load(flag)) {
		assert_true(ims_now() < deadline);
		sched_yield();
	}
}

static void stand_at_gate(void *arg)
{
	gate *g = arg;
	atomic_store(&g->arrived, 1);
	while (!atomic_load(&g->open))
		sched_yield();
	atomic_fetch_add(&g->done, 1);
}

static void *queue_one_more(void *arg)
{
	gate *g = arg;
	ims_pool_run(g->pool, stand_at_gate, g);
	atomic_store(&g->queued, 1);
	return NULL;
}

static void a_full_queue_blocks(void **state)
{
	(void)state;
	imgsearch_error err;
	gate g = { 0 };
	pthread_t other;
	assert_int_equal(ims_pool_new(&g.pool, 1, 1, &err), 0);
	ims_pool_run(g.pool, stand_at_gate, &g);
	wait_for(&g.arrived); /* the thread is busy */
	ims_pool_run(g.pool, stand_at_gate, &g);
	assert_int_equal(pthread_create(&other, NULL, queue_one_more, &g), 0);
	for (int i = 0; i < 1000; i++) {
		sched_yield();
		assert_int_equal(atomic_load(&g.queued), 0);
	}
	atomic_store(&g.open, 1);
	pthread_join(other, NULL);
	ims_pool_free(g.pool); /* waits for what is queued */
	assert_int_equal(atomic_load(&g.done), 3);
}

/* ----------------------------------------------------------------------------- two callers ---- */

enum { STEPS = 200 };

typedef struct caller {
	pool *pool;
	atomic_int begun, *other_begun;
	atomic_int times[STEPS];
} caller;

static void meet(void *arg, size_t i, unsigned worker)
{
	caller *c = arg;
	assert_true(worker < 2);
	atomic_store(&c->begun, 1);
	while (!atomic_load(c->other_begun)) /* both loops are under way at once */
		sched_yield();
	atomic_fetch_add(&c->times[i], 1);
}

static void *run_loop(void *arg)
{
	caller *c = arg;
	ims_parallel(c->pool, STEPS, meet, c);
	return NULL;
}

static void two_callers_share_a_pool(void **state)
{
	(void)state;
	imgsearch_error err;
	caller a = { 0 }, b = { 0 };
	pthread_t other;
	assert_int_equal(ims_pool_new(&a.pool, 2, 1, &err), 0);
	b.pool = a.pool;
	a.other_begun = &b.begun;
	b.other_begun = &a.begun;
	assert_int_equal(pthread_create(&other, NULL, run_loop, &b), 0);
	run_loop(&a);
	pthread_join(other, NULL);
	for (size_t i = 0; i < STEPS; i++) {
		assert_int_equal(atomic_load(&a.times[i]), 1);
		assert_int_equal(atomic_load(&b.times[i]), 1);
	}
	ims_pool_free(a.pool);
}

/* ----------------------------------------------------------------------- an error in a job ---- */

typedef struct attempt {
	atomic_int rc, done;
} attempt;

static void fail_once(void *arg, size_t i, unsigned worker)
{
	attempt *a = arg;
	(void)worker;
	if (i == 7)
		atomic_store(&a->rc, IMGSEARCH_EIO);
	atomic_fetch_add(&a->done, 1);
}

/* A pool knows no errors: a body leaves its status in arg, and the others run all the same. */
static void an_error_reaches_the_caller(void **state)
{
	(void)state;
	imgsearch_error err;
	pool *p;
	attempt a = { 0 };
	assert_int_equal(ims_pool_new(&p, 3, 2, &err), 0);
	ims_parallel(p, 100, fail_once, &a);
	assert_int_equal(atomic_load(&a.rc), IMGSEARCH_EIO);
	assert_int_equal(atomic_load(&a.done), 100);
	ims_alloc_fail_after(1);
	pool *none = p;
	assert_int_equal(ims_pool_new(&none, 3, 2, &err), IMGSEARCH_ENOMEM);
	assert_null(none);
	ims_pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pool_does_all_its_work),
		cmocka_unit_test(a_full_queue_blocks),
		cmocka_unit_test(two_callers_share_a_pool),
		cmocka_unit_test(an_error_reaches_the_caller),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

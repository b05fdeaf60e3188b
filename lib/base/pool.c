/* Threads behind a bounded queue, and a parallel loop over them. */
#include "base/pool.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/signals.h"

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

typedef struct task {
	void (*work)(void *arg);
	void *arg;
} task;

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t has_task, has_room, idle;
	task *queue; /* a ring */
	unsigned cap, head, count, busy, threads;
	bool closing;
	pthread_t thread[];
};

static void *worker(void *arg)
{
	pool *p = arg;
	fesetenv(FE_DFL_ENV); /* a thread inherits the traps and the rounding of its maker */
	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->count && !p->closing)
			pthread_cond_wait(&p->has_task, &p->lock);
		if (!p->count)
			break;
		task t = p->queue[p->head];
		p->head = (p->head + 1) % p->cap;
		p->count--;
		p->busy++;
		pthread_cond_signal(&p->has_room);
		pthread_mutex_unlock(&p->lock);
		t.work(t.arg);
		pthread_mutex_lock(&p->lock);
		if (!--p->busy && !p->count)
			pthread_cond_broadcast(&p->idle);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int ims_pool_new(pool **out, unsigned threads, unsigned queue, imgsearch_error *err)
{
	*out = NULL;
	pool *p = ims_zalloc(1, sizeof *p + threads * sizeof(pthread_t));
	if (!p)
		return ims_nomem(err);
	p->cap = queue ? queue : 1;
	p->queue = ims_alloc(p->cap, sizeof *p->queue);
	if (!p->queue) {
		ims_free(p);
		return ims_nomem(err);
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->has_task, NULL);
	pthread_cond_init(&p->has_room, NULL);
	pthread_cond_init(&p->idle, NULL);
	sigset_t mask;
	ims_signals_block(&mask);
	for (; p->threads < threads; p->threads++)
		if (pthread_create(&p->thread[p->threads], NULL, worker, p))
			break;
	ims_signals_restore(&mask);
	if (p->threads < threads) {
		ims_pool_free(p);
		return ims_fail(err, IMGSEARCH_ENOMEM, "cannot start %u threads", threads);
	}
	*out = p;
	return 0;
}

void ims_pool_free(pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->has_task);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->has_task);
	pthread_cond_destroy(&p->has_room);
	pthread_cond_destroy(&p->idle);
	ims_free(p->queue);
	ims_free(p);
}

unsigned ims_pool_threads(const pool *p)
{
	return p ? p->threads : 1;
}

void ims_pool_run(pool *p, void (*work)(void *arg), void *arg)
{
	pthread_mutex_lock(&p->lock);
	while (p->count == p->cap)
		pthread_cond_wait(&p->has_room, &p->lock);
	p->queue[(p->head + p->count++) % p->cap] = (task){ work, arg };
	pthread_cond_signal(&p->has_task);
	pthread_mutex_unlock(&p->lock);
}

void ims_pool_wait(pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (p->count || p->busy)
		pthread_cond_wait(&p->idle, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

/* -------------------------------------------------------------------------- parallel loops ---- */

typedef struct loop {
	void (*body)(void *arg, size_t i, unsigned worker);
	void *arg;
	size_t n;
	atomic_size_t next;
	atomic_uint workers;
	pthread_mutex_t lock;
	pthread_cond_t done;
	unsigned running;
} loop;

static void loop_run(loop *l)
{
	unsigned id = atomic_fetch_add(&l->workers, 1);
	for (size_t i; (i = atomic_fetch_add(&l->next, 1)) < l->n;)
		l->body(l->arg, i, id);
}

static void loop_task(void *arg)
{
	loop *l = arg;
	loop_run(l);
	pthread_mutex_lock(&l->lock);
	if (!--l->running)
		pthread_cond_signal(&l->done);
	pthread_mutex_unlock(&l->lock);
}

void ims_parallel(pool *p, size_t n, void (*body)(void *arg, size_t i, unsigned worker), void *arg)
{
	loop l = { .body = body, .arg = arg, .n = n };
	unsigned threads = ims_pool_threads(p), helpers = threads - 1;
	if (n < threads)
		helpers = n ? (unsigned)n - 1 : 0;
	l.running = helpers;
	pthread_mutex_init(&l.lock, NULL);
	pthread_cond_init(&l.done, NULL);
	for (unsigned i = 0; i < helpers; i++)
		ims_pool_run(p, loop_task, &l);
	loop_run(&l);
	pthread_mutex_lock(&l.lock);
	while (l.running)
		pthread_cond_wait(&l.done, &l.lock);
	pthread_mutex_unlock(&l.lock);
	pthread_mutex_destroy(&l.lock);
	pthread_cond_destroy(&l.done);
}

/* CPUs that the quota of the cgroup allows, rounded up; a large number where there is none. */
static unsigned cgroup_cpus(void)
{
	long long quota = 0, period = 0;
	FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
	if (!f)
		return 1 << 16;
	int n = fscanf(f, "%lld %lld", &quota, &period);
	fclose(f);
	return n == 2 && quota > 0 && period > 0 ? (unsigned)((quota + period - 1) / period) : 1 << 16;
}

unsigned ims_cpu_count(void)
{
	cpu_set_t set;
	bool known = sched_getaffinity(0, sizeof set, &set) == 0;
	unsigned n = known ? (unsigned)CPU_COUNT(&set) : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	unsigned quota = cgroup_cpus();
	n = n < quota ? n : quota;
	return n ? n : 1;
}

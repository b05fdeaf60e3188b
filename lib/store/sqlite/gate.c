/*
 * The gate of ":memory:". All its connections share one SQLite handle, which shows a transaction of
 * one thread to all others. So threads that read hold the gate open, and a transaction closes it:
 * it begins when no thread reads, and threads that want to read wait until it ends.
 *
 * Threads that waited for the end of a transaction read before the next one begins.
 *
 * A thread that holds the gate may read again at any time. While a transaction waits, other threads
 * may not begin to read for one second, so that readers which never pause cannot delay it for ever.
 * After that second they may, since a thread that reads may need the work of one that waits. They
 * may at once where a thread has acquired a store_hold, as one that loads a searcher on several
 * threads has.
 */
#include "store/sqlite/gate.h"

#include <errno.h>
#include <time.h>

enum { WRITER_SECONDS = 5, READER_SECONDS = 1 };

void ims_sqlite_gate_init(sqlite_store *st)
{
	pthread_condattr_t clock;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&st->gate, &clock);
	pthread_condattr_destroy(&clock);
}

void ims_sqlite_gate_destroy(sqlite_store *st)
{
	pthread_cond_destroy(&st->gate);
}

static struct timespec after(int seconds)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += seconds;
	return t;
}

/* Under the mutex, as the next two functions. */
static bool this_thread_holds(const sqlite_store *st)
{
	const store_hold *h = st->holds;
	while (h && !pthread_equal(h->thread, pthread_self()))
		h = h->next;
	return h;
}

/* Whether a thread holds the gate for more than one read, and other threads may read for it. */
static bool is_shared(const sqlite_store *st)
{
	const store_hold *h = st->holds;
	while (h && h->one_read)
		h = h->next;
	return h;
}

/* Waits for the end of a transaction. The next one waits for those who waited here. */
static void wait_in_queue(sqlite_store *st)
{
	st->gate_queue++;
	while (st->gate_closed)
		pthread_cond_wait(&st->gate, &st->mutex);
	st->gate_queue--;
}

static void wait_to_read(sqlite_store *st)
{
	struct timespec end = after(READER_SECONDS);
	bool patient = true;
	while (!st->gate_closed && st->gate_wanted && patient && !is_shared(st))
		patient = pthread_cond_timedwait(&st->gate, &st->mutex, &end) != ETIMEDOUT;
	if (st->gate_closed)
		wait_in_queue(st);
}

static void hold(sqlite_store *st, store_hold *h, bool one_read)
{
	h->held = st->memory && !ims_sqlite_own_transaction(st);
	if (!h->held)
		return;
	h->thread = pthread_self();
	h->one_read = one_read;
	pthread_mutex_lock(&st->mutex);
	if (!this_thread_holds(st))
		wait_to_read(st);
	h->next = st->holds;
	st->holds = h;
	if (!one_read)
		pthread_cond_broadcast(&st->gate);
	pthread_mutex_unlock(&st->mutex);
}

void ims_sqlite_hold_acquire(store *base, store_hold *h)
{
	sqlite_store *st = (sqlite_store *)base;
	hold(st, h, false);
}

void ims_sqlite_hold_acquire_read(sqlite_store *st, store_hold *h)
{
	hold(st, h, true);
}

void ims_sqlite_hold_release(store *base, store_hold *h)
{
	sqlite_store *st = (sqlite_store *)base;
	if (!h->held)
		return;
	pthread_mutex_lock(&st->mutex);
	store_hold **at = &st->holds;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	h->held = false;
	if (!st->holds)
		pthread_cond_broadcast(&st->gate);
	pthread_mutex_unlock(&st->mutex);
}

static int wait_to_close(sqlite_store *st, imgsearch_error *err)
{
	struct timespec end = after(WRITER_SECONDS);
	int late = 0;
	if (this_thread_holds(st))
		return ims_fail(err, IMGSEARCH_EBUSY,
			"index %s: this thread is reading it, and can write when that has ended",
			st->base.label);
	st->gate_wanted = true;
	while ((st->holds || st->gate_queue) && late != ETIMEDOUT)
		late = pthread_cond_timedwait(&st->gate, &st->mutex, &end);
	st->gate_wanted = false;
	st->gate_closed = !st->holds && !st->gate_queue;
	return st->gate_closed
		? 0
		: ims_fail(err, IMGSEARCH_EBUSY, "index %s: other threads keep reading it", st->base.label);
}

int ims_sqlite_gate_close(sqlite_store *st, imgsearch_error *err)
{
	if (!st->memory)
		return 0;
	pthread_mutex_lock(&st->mutex);
	int rc = wait_to_close(st, err);
	if (rc)
		pthread_cond_broadcast(&st->gate);
	pthread_mutex_unlock(&st->mutex);
	return rc;
}

void ims_sqlite_gate_open(sqlite_store *st)
{
	pthread_mutex_lock(&st->mutex);
	st->gate_closed = false;
	pthread_cond_broadcast(&st->gate);
	pthread_mutex_unlock(&st->mutex);
}

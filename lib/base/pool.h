/* Threads. This is the only code of the library that creates them. */
#ifndef IMS_BASE_POOL_H
#define IMS_BASE_POOL_H

#include "imgsearch.h"

#include <stddef.h>

/* Threads behind a bounded queue of tasks. Several threads may use one pool at once. */
typedef struct pool pool;

int ims_pool_new(pool **out, unsigned threads, unsigned queue, imgsearch_error *err); /* ENOMEM */
void ims_pool_free(pool *p);              /* waits for all queued tasks first; NULL is fine */
unsigned ims_pool_threads(const pool *p); /* 1 for NULL */

/* Queues work(arg). Blocks while the queue is full. */
void ims_pool_run(pool *p, void (*work)(void *arg), void *arg);
void ims_pool_wait(pool *p); /* until all queued tasks are done, those of other threads too */

/*
 * Calls body(arg, i, worker) for every i in 0..n-1 on the pool's threads and the calling one, at
 * most ims_pool_threads(p) at once; worker is below that number and belongs to one thread during
 * the call. Without a pool the calling thread does everything as worker 0. Several threads may call
 * it at once, but no body may.
 */
void ims_parallel(pool *p, size_t n, void (*body)(void *arg, size_t i, unsigned worker), void *arg);

/* CPUs that this process may use, by affinity and cgroup quota; at least 1. */
unsigned ims_cpu_count(void);

#endif

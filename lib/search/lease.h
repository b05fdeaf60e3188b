/*
 * A pool of idle objects: working memory of queries, too large to allocate for each of them. An
 * object is one query's from acquire to release, and idle otherwise. The pool makes no objects and
 * has no limit: it keeps as many as were ever in use at the same time. Any thread.
 */
#ifndef IMS_SEARCH_LEASE_H
#define IMS_SEARCH_LEASE_H

#include "base/base.h"

/* The first member of every object that a pool keeps. */
typedef struct lease {
	struct lease *next; /* the next idle object */
} lease;

typedef struct lease_pool {
	pthread_mutex_t lock;
	lease *idle;
} lease_pool;

void ims_lease_pool_init(lease_pool *p);

/* Frees the idle objects by free_object. No object is in use any more. */
void ims_lease_pool_free(lease_pool *p, void (*free_object)(void *object));

/* An idle object, as it was released. NULL: none is idle, and the caller makes one. */
void *ims_lease_acquire(lease_pool *p);

/* Gives back an acquired object, or a new one. NULL is fine. */
void ims_lease_release(lease_pool *p, void *object);

#endif

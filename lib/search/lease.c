/* The pool of idle objects: a list under a lock, the object released last comes first. */
#include "search/lease.h"

void ims_lease_pool_init(lease_pool *p)
{
	pthread_mutex_init(&p->lock, NULL);
	p->idle = NULL;
}

void ims_lease_pool_free(lease_pool *p, void (*free_object)(void *object))
{
	for (lease *l = p->idle, *next; l; l = next) {
		next = l->next;
		free_object(l);
	}
	pthread_mutex_destroy(&p->lock);
}

void *ims_lease_acquire(lease_pool *p)
{
	pthread_mutex_lock(&p->lock);
	lease *l = p->idle;
	if (l)
		p->idle = l->next;
	pthread_mutex_unlock(&p->lock);
	return l;
}

void ims_lease_release(lease_pool *p, void *object)
{
	lease *l = object;
	if (!l)
		return;
	pthread_mutex_lock(&p->lock);
	l->next = p->idle;
	p->idle = l;
	pthread_mutex_unlock(&p->lock);
}

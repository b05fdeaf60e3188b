/* Ends connections that take too long. */
#include "cli/serve/timeouts.h"

#include "cli/base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

typedef struct slot {
	struct MHD_Connection *connection; /* NULL: free */
	int fd;
	double since;                      /* when the wait began; 0: a request is being handled */
} slot;

struct timeouts {
	pthread_mutex_t lock;
	size_t n;
	slot slot[];
};

timeouts *timeouts_new(size_t connections)
{
	timeouts *t = calloc(1, sizeof *t + connections * sizeof *t->slot);
	if (!t)
		return NULL;
	t->n = connections;
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void timeouts_free(timeouts *t)
{
	if (t)
		pthread_mutex_destroy(&t->lock);
	free(t);
}

int connection_socket(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	return info ? info->connect_fd : -1;
}

/* The slot of a connection, else a free one, else NULL. Under the lock. */
static slot *find(timeouts *t, struct MHD_Connection *c)
{
	slot *unused = NULL;
	for (size_t i = 0; i < t->n; i++) {
		if (t->slot[i].connection == c)
			return &t->slot[i];
		if (!unused && !t->slot[i].connection)
			unused = &t->slot[i];
	}
	return unused;
}

static void set(timeouts *t, struct MHD_Connection *c, double since)
{
	pthread_mutex_lock(&t->lock);
	slot *s = find(t, c);
	if (s)
		*s = (slot){ c, connection_socket(c), since };
	pthread_mutex_unlock(&t->lock);
}

void timeouts_wait(timeouts *t, struct MHD_Connection *c)
{
	set(t, c, clock_seconds());
}

void timeouts_busy(timeouts *t, struct MHD_Connection *c)
{
	set(t, c, 0);
}

void timeouts_remove(timeouts *t, struct MHD_Connection *c)
{
	pthread_mutex_lock(&t->lock);
	slot *s = find(t, c);
	if (s && s->connection == c)
		*s = (slot){ NULL, -1, 0 };
	pthread_mutex_unlock(&t->lock);
}

void timeouts_check(timeouts *t, double seconds)
{
	double now = clock_seconds();
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->n; i++)
		if (t->slot[i].connection && t->slot[i].since > 0 && now - t->slot[i].since > seconds)
			shutdown(t->slot[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&t->lock);
}

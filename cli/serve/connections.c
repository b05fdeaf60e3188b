/* A table of the open connections, under one lock. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* POLLRDHUP */
#endif
#include "cli/serve/connections.h"

#include "cli/base/clock.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const double left_seconds = 2; /* a client that sends no more has left after these */

typedef enum step { STEP_FREE, STEP_IDLE, STEP_RECEIVING, STEP_BUSY, STEP_SENDING } step;

typedef struct slot {
	struct MHD_Connection *connection;
	step step;
	int fd;
	double since, limit;           /* of the step, seconds; limit 0: none */
	imgsearch_cancel_token *token; /* of STEP_BUSY */
	double left;                   /* since when its client sends no more; 0: it may */
	bool local;                    /* over the unix socket */
	bool foreign;                  /* from another machine, which is no proxy */
	bool refused, ended;
	struct in6_addr address; /* of another machine; IPv4 as ::ffff:a.b.c.d */
} slot;

struct connections {
	pthread_mutex_t lock;
	connections_limits limits;
	size_t n;
	slot slot[];
};

connections *connections_new(const connections_limits *limits)
{
	size_t n = 4 * limits->most;
	connections *t = calloc(1, sizeof *t + n * sizeof *t->slot);
	if (!t)
		return NULL;
	t->limits = *limits;
	t->n = n;
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void connections_free(connections *t)
{
	if (t)
		pthread_mutex_destroy(&t->lock);
	free(t);
}

int connection_socket(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c,
		MHD_CONNECTION_INFO_CONNECTION_FD);
	return info ? info->connect_fd : -1;
}

/* Under the lock. NULL: not in the table. */
static slot *find(connections *t, const struct MHD_Connection *c)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->slot[i].step && t->slot[i].connection == c)
			return &t->slot[i];
	return NULL;
}

static void set_step(connections *t, struct MHD_Connection *c, step next, double limit,
	imgsearch_cancel_token *token)
{
	pthread_mutex_lock(&t->lock);
	slot *s = find(t, c);
	if (s) {
		/* From the first byte to the last a request has one limit. */
		if (!(s->step == STEP_IDLE && next == STEP_RECEIVING))
			s->since = clock_seconds();
		s->step = next;
		s->limit = limit;
		s->token = token;
		s->left = 0;
	}
	pthread_mutex_unlock(&t->lock);
}

/* ------------------------------------------------------------------------------- newcomers ---- */

static bool parse_address(const char *text, struct in6_addr *out)
{
	struct in_addr v4;
	if (inet_pton(AF_INET6, text, out) == 1)
		return true;
	if (inet_pton(AF_INET, text, &v4) != 1)
		return false;
	memset(out, 0, sizeof *out);
	out->s6_addr[10] = out->s6_addr[11] = 0xff;
	memcpy(out->s6_addr + 12, &v4, sizeof v4);
	return true;
}

static bool is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

/* Where a connection comes from. */
static void set_peer(const connections *t, slot *s)
{
	struct sockaddr_storage a;
	socklen_t size = sizeof a;
	char text[INET6_ADDRSTRLEN];
	struct in6_addr proxy;
	if (getpeername(s->fd, (struct sockaddr *)&a, &size))
		return;
	s->local = a.ss_family == AF_UNIX;
	const void *raw = a.ss_family == AF_INET ? (const void *)&((struct sockaddr_in *)&a)->sin_addr
		: a.ss_family == AF_INET6            ? (const void *)&((struct sockaddr_in6 *)&a)->sin6_addr
											 : NULL;
	s->foreign = raw && inet_ntop(a.ss_family, raw, text, sizeof text)
		&& parse_address(text, &s->address) && !is_loopback(&s->address);
	for (size_t i = 0; s->foreign && i < t->limits.n_proxies; i++)
		if (parse_address(t->limits.proxies[i], &proxy)
			&& !memcmp(&proxy, &s->address, sizeof proxy))
			s->foreign = false;
}

/* Whether a connection counts beside another: it is not refused, nor about to end. */
static bool counts(const slot *s, const slot *beside)
{
	return s->step && !s->refused && !s->ended && s->local == beside->local;
}

static bool same_machine(const slot *a, const slot *b)
{
	size_t bytes = IN6_IS_ADDR_V4MAPPED(&a->address) ? 16 : 8;
	return a->foreign && b->foreign && !memcmp(&a->address, &b->address, bytes);
}

static size_t count(const connections *t, const slot *newcomer)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++)
		n += counts(&t->slot[i], newcomer);
	return n;
}

static size_t count_of_machine(const connections *t, const slot *newcomer)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++)
		n += counts(&t->slot[i], newcomer) && same_machine(&t->slot[i], newcomer);
	return n;
}

static void end(slot *s)
{
	const struct linger drop = { .l_onoff = 1 };
	if (s->step == STEP_SENDING) /* what the system has taken would be sent on and on */
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &drop, sizeof drop);
	s->ended = true;
	shutdown(s->fd, SHUT_RDWR);
}

/* False: none is idle. */
static bool end_oldest_idle(connections *t, const slot *newcomer)
{
	slot *oldest = NULL;
	for (size_t i = 0; i < t->n; i++) {
		slot *s = &t->slot[i];
		if (counts(s, newcomer) && s != newcomer && s->step == STEP_IDLE
			&& (!oldest || s->since < oldest->since))
			oldest = s;
	}
	if (oldest)
		end(oldest);
	return oldest;
}

void connections_open(connections *t, struct MHD_Connection *c)
{
	slot new = { .connection = c, .step = STEP_IDLE, .fd = connection_socket(c) };
	new.since = clock_seconds();
	new.limit = t->limits.request;
	set_peer(t, &new);
	pthread_mutex_lock(&t->lock);
	slot *s = t->slot;
	while (s < t->slot + t->n && s->step)
		s++;
	if (s < t->slot + t->n) {
		*s = new;
		if (count_of_machine(t, s) > t->limits.per_address)
			s->refused = true;
		else if (count(t, s) > t->limits.most)
			s->refused = !end_oldest_idle(t, s);
	}
	pthread_mutex_unlock(&t->lock);
}

/* Also true where the table is full. */
bool connections_refused(connections *t, struct MHD_Connection *c)
{
	pthread_mutex_lock(&t->lock);
	const slot *s = find(t, c);
	bool refused = !s || s->refused;
	pthread_mutex_unlock(&t->lock);
	return refused;
}

void connections_close(connections *t, struct MHD_Connection *c)
{
	pthread_mutex_lock(&t->lock);
	slot *s = find(t, c);
	if (s)
		*s = (slot){ 0 };
	pthread_mutex_unlock(&t->lock);
}

/* ----------------------------------------------------------------------------------- steps ---- */

void connections_idle(connections *t, struct MHD_Connection *c)
{
	set_step(t, c, STEP_IDLE, t->limits.request, NULL);
}

void connections_receiving(connections *t, struct MHD_Connection *c)
{
	set_step(t, c, STEP_RECEIVING, t->limits.request, NULL);
}

void connections_busy(connections *t, struct MHD_Connection *c, imgsearch_cancel_token *token)
{
	set_step(t, c, STEP_BUSY, 0, token);
}

void connections_sending(connections *t, struct MHD_Connection *c, double seconds)
{
	set_step(t, c, STEP_SENDING, seconds, NULL);
}

/*
 * One that closes its half of the connection looks like one that has gone: it gets what is answered
 * soon.
 */
static bool has_left(slot *s, double now)
{
	struct pollfd p = { .fd = s->fd, .events = POLLRDHUP };
	if (poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR))
		return true;
	if (!(p.revents & POLLRDHUP))
		return false;
	s->left = s->left > 0 ? s->left : now;
	return now - s->left >= left_seconds;
}

void connections_check(connections *t)
{
	double now = clock_seconds();
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->n; i++) {
		slot *s = &t->slot[i];
		if (s->step && s->limit > 0 && now - s->since > s->limit && !s->ended)
			end(s);
		if (s->step == STEP_BUSY && s->token && has_left(s, now))
			imgsearch_cancel_token_set(s->token);
	}
	pthread_mutex_unlock(&t->lock);
}

void connections_cancel(connections *t)
{
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->n; i++)
		if (t->slot[i].step == STEP_BUSY && t->slot[i].token)
			imgsearch_cancel_token_set(t->slot[i].token);
	pthread_mutex_unlock(&t->lock);
}

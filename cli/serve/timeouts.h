/*
 * Ends connections that take too long: the time from a connection's first moment, or its last
 * answer, to the next complete request is limited, so that a client cannot keep a connection by a
 * byte now and then. Any thread may call.
 */
#ifndef IMGSEARCH_CLI_TIMEOUTS_H
#define IMGSEARCH_CLI_TIMEOUTS_H

#include <microhttpd.h>
#include <stddef.h>

typedef struct timeouts timeouts;

timeouts *timeouts_new(size_t connections); /* most connections to watch; NULL: out of memory */
void timeouts_free(timeouts *t);            /* NULL is fine */

void timeouts_wait(timeouts *t, struct MHD_Connection *c); /* begins to wait for a request */
/* A request is being handled: no limit. */
void timeouts_busy(timeouts *t, struct MHD_Connection *c);
void timeouts_remove(timeouts *t, struct MHD_Connection *c); /* removes a closed connection */

/* Shuts down connections that have waited longer than this. */
void timeouts_check(timeouts *t, double seconds);

/* The socket of a connection; -1: none. */
int connection_socket(struct MHD_Connection *c);

#endif

/*
 * The open connections: what each is doing, and since when. The table ends those that take too
 * long, makes room for newcomers, and cancels the calls of clients that have left. Any thread may
 * call.
 *
 * A connection waits for a request (idle), receives one, has it handled (busy), and is sent the
 * answer. Each step but the handling has a limit, so that a client cannot keep a connection by a
 * byte now and then.
 */
#ifndef IMGSEARCH_CLI_CONNECTIONS_H
#define IMGSEARCH_CLI_CONNECTIONS_H

#include "imgsearch.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct connections connections;

typedef struct connections_limits {
	size_t most;        /* connections over TCP, and as many over the unix socket */
	size_t per_address; /* of them from one other machine, or one IPv6 network of 64 bits */
	double request;     /* seconds from a connection's first moment, or its last answer, to the
						   end of the next request */
	const char *const *proxies; /* addresses without a limit of their own; borrowed */
	size_t n_proxies;
} connections_limits;

/* The table has room for twice as many: those above the limits are answered, too. */
connections *connections_new(const connections_limits *limits); /* NULL: out of memory */
void connections_free(connections *t);                          /* NULL is fine */

/*
 * A connection begins. Where there are too many, the one that has been idle for longest is ended.
 * Where none is idle, or its address has too many, connections_refused is true of it from now on.
 */
void connections_open(connections *t, struct MHD_Connection *c);
bool connections_refused(connections *t, struct MHD_Connection *c);
void connections_close(connections *t, struct MHD_Connection *c);

void connections_idle(connections *t, struct MHD_Connection *c);
void connections_receiving(connections *t, struct MHD_Connection *c);
/*
 * Its request is handled; token is set when the client has left, or has sent no more for two
 * seconds. It is dropped by the next step.
 */
void connections_busy(connections *t, struct MHD_Connection *c, imgsearch_cancel_token *token);
/* The client may take so many seconds to read the answer; 0: as many as it likes. */
void connections_sending(connections *t, struct MHD_Connection *c, double seconds);

/* Ends what is over its limit, and cancels the calls of clients that have left. Call often. */
void connections_check(connections *t);
/* Cancels all calls. */
void connections_cancel(connections *t);

/* The socket of a connection; -1: none. */
int connection_socket(struct MHD_Connection *c);

#endif

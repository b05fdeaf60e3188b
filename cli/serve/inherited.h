/* Sockets that a service manager opened for the server: LISTEN_FDS of sd_listen_fds(3). */
#ifndef IMGSEARCH_CLI_INHERITED_H
#define IMGSEARCH_CLI_INHERITED_H

#include <stdbool.h>

typedef struct inherited {
	int tcp, local; /* -1: none */
} inherited;

/* Takes them, once in a process. False: another kind, or two of one; with a message. */
bool inherited_take(inherited *out);

#endif

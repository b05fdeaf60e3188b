/*
 * The running server of an index, for commands of the same user. It is found by its unix socket and
 * speaks HTTP. Failures return false or NULL, and the caller then works without the server. One
 * thread at a time.
 */
#ifndef IMGSEARCH_CLI_CLIENT_H
#define IMGSEARCH_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

enum { CLIENT_BODY_MAX = 64 << 20 }; /* bytes of a request or an answer */

typedef struct client client;

client *client_connect(const char *db); /* NULL: no server is running */
void client_disconnect(client *l);      /* NULL is fine */

/* --------------------------------------------------- for client_query.c and client_index.c ---- */

/*
 * One POST: target is "PATH HTTP/1.x", headers are "Name: value\r\n...". With HTTP/1.0 it is the
 * last one.
 */
bool client_post(client *l, const char *target, const char *headers, const void *body, size_t size);

/* The status of the answer, 0: none; *length: of its body, or -1. Reads no byte of the body. */
int client_read_head(client *l, long *length);

/*
 * The body with a NUL behind it; NULL: cut off, too large, or out of memory. The caller frees it.
 */
char *client_read_body(client *l, long length);

/* The socket of the connection, which the client still owns. */
int client_socket(const client *l);

#endif

/*
 * The running server of an index, as the commands of the same user see it: found by its unix socket, spoken to by HTTP.
 * Whatever does not work returns false and is then done without it.
 */
#ifndef IMGSEARCH_CLI_SERVER_CLIENT_H
#define IMGSEARCH_CLI_SERVER_CLIENT_H

#include "imgsearch.h"

#include <stdbool.h>

/*
 * Where the socket of an index is: beside it (DB.sock), or in the user's runtime folder where that cannot be written or
 * the path is too long for a socket. make: for a server, which makes the folder. malloc'd; NULL: no place.
 */
char *socket_path_of(const char *db, bool make);

int socket_connect(const char *db); /* a connection to that socket; -1: no server of this user answers */

typedef struct client client;

client *client_connect(const char *db); /* NULL: none is running */
void client_disconnect(client *l);      /* NULL is fine */

/* imgsearch_query by the server. *out is freed with client_hits_free. */
bool client_query(client *l, const imgsearch_input *in, size_t n, const imgsearch_query_options *o, imgsearch_hits **out);
void client_hits_free(imgsearch_hits *hits);

/* imgsearch_index_tree by the server; *rc is what it returned. */
bool client_index(client *l, const char *const *paths, size_t n, const imgsearch_index_options *o,
	int (*progress)(void *user, const imgsearch_progress *p), void *user, imgsearch_counts *counts, int *rc, imgsearch_error *err);

#endif

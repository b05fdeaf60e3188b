/* The unix socket of an index's server. Only a server of the same user is spoken to. */
#ifndef IMGSEARCH_CLI_SOCKET_PATH_H
#define IMGSEARCH_CLI_SOCKET_PATH_H

#include <stdbool.h>

/*
 * Where the socket of an index is: beside it (DB.sock), or in the user's runtime folder where that
 * cannot be written or the path is too long for a socket. make: for a server, which makes the
 * folder. malloc'd; NULL: no place.
 */
char *socket_path_of(const char *db, bool make);

/* A connection to that socket; -1: no server of this user answers. */
int socket_connect(const char *db);

#endif

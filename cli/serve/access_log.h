/*
 * A line for each request that ended:
 *	2026-12-01T05:26:00Z 127.0.0.1 GET 200 0.0123 /api/search
 * Time (UTC), client ("unix" over the unix socket), method, status (0: the connection ended without
 * an answer), seconds, path. What is asked is not in it: neither token nor words nor names of
 * folders. A file that was renamed or removed, as by logrotate, is made again within a second. Any
 * thread may call.
 */
#ifndef IMGSEARCH_CLI_ACCESS_LOG_H
#define IMGSEARCH_CLI_ACCESS_LOG_H

#include "cli/serve/exchange.h"

typedef struct access_log access_log;

/* Appends to the file at path, or "-" for standard error. NULL: failed, with a message. */
access_log *access_log_new(const char *path);
void access_log_free(access_log *l); /* NULL is fine */

/* NULL: does nothing. */
void access_log_write(access_log *l, const exchange *x, double seconds);

#endif

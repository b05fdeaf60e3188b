/*
 * A line for each request that ended:
 *	2026-12-01T05:26:00Z 127.0.0.1 GET 200 0.0123 /api/search
 * Time (UTC), client ("unix" over the unix socket), method, status (0: the connection ended
 * without an answer), seconds, and the path without what is asked: neither token nor words nor
 * names of folders. Any thread may call.
 */
#ifndef IMGSEARCH_CLI_ACCESS_LOG_H
#define IMGSEARCH_CLI_ACCESS_LOG_H

#include "cli/serve/exchange.h"

#include <stdio.h>

/* Appends to a file, or "-" for standard error. NULL: failed, with a message. */
FILE *access_log_open(const char *path);
void access_log_close(FILE *f); /* NULL is fine */

void access_log_write(FILE *f, const exchange *x, double seconds);

#endif

/* Paths to handlers. docs/http.md describes every one of them. */
#ifndef IMGSEARCH_CLI_ROUTES_H
#define IMGSEARCH_CLI_ROUTES_H

#include "cli/serve/exchange.h"

/*
 * Before the body is read: a route exists and takes the method. Else the refusal is queued, and
 * *result is its.
 */
bool route_accepts(exchange *x, enum MHD_Result *result);

/* Answers a request that route_accepts has let through. */
enum MHD_Result route(exchange *x);

#endif

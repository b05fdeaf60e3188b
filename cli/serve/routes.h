/* Maps paths to handlers. docs/http.md describes each. */
#ifndef IMGSEARCH_CLI_ROUTES_H
#define IMGSEARCH_CLI_ROUTES_H

#include "cli/serve/exchange.h"

/*
 * Checks, before the body is read, that a route exists and accepts the method. Otherwise the
 * refusal is queued, and *result is its result.
 */
bool route_accepts(exchange *x, enum MHD_Result *result);

/* Answers a request that route_accepts has accepted. */
enum MHD_Result route(exchange *x);

#endif

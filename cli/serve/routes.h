/* Maps paths to handlers. docs/http.md describes each. */
#ifndef IMGSEARCH_CLI_ROUTES_H
#define IMGSEARCH_CLI_ROUTES_H

#include "cli/serve/exchange.h"

/*
 * Checks, before the body is read, that a route exists and accepts the method. Otherwise the
 * refusal is queued, and *result is its result.
 */
bool route_accepts(exchange *x, enum MHD_Result *result);

/*
 * Routes have numbers below routes_count; those of no address and of the page are among them.
 * route_name is a metrics_name.
 */
size_t routes_count(void);
size_t route_unknown(void);
void route_name(size_t number, char *path, size_t size, const char **method);

/* Answers a request that route_accepts has accepted. */
enum MHD_Result route(exchange *x);

#endif

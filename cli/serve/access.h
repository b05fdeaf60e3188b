/* Access control. */
#ifndef IMGSEARCH_CLI_ACCESS_H
#define IMGSEARCH_CLI_ACCESS_H

#include "cli/serve/exchange.h"

/*
 * False: the request is refused, and *result is that of the refusal (or of the redirection that
 * sets the cookie).
 */
bool access_allowed(exchange *x, enum MHD_Result *result);

#endif

/* Handlers for information about the server and its index. */
#ifndef IMGSEARCH_CLI_ABOUT_H
#define IMGSEARCH_CLI_ABOUT_H

#include "cli/serve/exchange.h"

enum MHD_Result handle_health(exchange *x);
enum MHD_Result handle_metrics(exchange *x); /* for Prometheus */
enum MHD_Result handle_info(exchange *x);
enum MHD_Result handle_sample(exchange *x); /* a few pictures for an empty page */

#endif

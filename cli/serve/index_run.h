/* The handler of an index run that `imgsearch index` of the same user asks for. */
#ifndef IMGSEARCH_CLI_INDEX_RUN_H
#define IMGSEARCH_CLI_INDEX_RUN_H

#include "cli/serve/exchange.h"

/*
 * The answer is JSON Lines: progress while it lasts, then the counts or the error. A client that
 * goes away cancels.
 */
enum MHD_Result handle_index(exchange *x);

#endif

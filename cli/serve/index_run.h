/* The handler of index runs for `imgsearch index` of the same user. */
#ifndef IMGSEARCH_CLI_INDEX_RUN_H
#define IMGSEARCH_CLI_INDEX_RUN_H

#include "cli/serve/exchange.h"

/*
 * The answer is JSON Lines: progress, then the counts or the error. The run is cancelled if the
 * client disconnects.
 */
enum MHD_Result handle_index(exchange *x);

#endif

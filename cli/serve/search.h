/* The handler of searches. */
#ifndef IMGSEARCH_CLI_SEARCH_H
#define IMGSEARCH_CLI_SEARCH_H

#include "cli/serve/exchange.h"

/* The object of `query --json`; the header Imgsearch-Held has the names of cached uploads. */
enum MHD_Result handle_search(exchange *x);

#endif

/* Lists of pictures, page by page. */
#ifndef IMGSEARCH_CLI_LISTING_H
#define IMGSEARCH_CLI_LISTING_H

#include "cli/serve/exchange.h"

/* GET: a page of the pictures that the parameters ask for; POST: uploads (pictures.h). */
enum MHD_Result handle_pictures(exchange *x);

#endif

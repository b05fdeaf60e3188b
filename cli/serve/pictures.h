/* Handlers of single pictures. */
#ifndef IMGSEARCH_CLI_PICTURES_H
#define IMGSEARCH_CLI_PICTURES_H

#include "cli/serve/exchange.h"

/* GET: the item; DELETE: keeps it out of the index, or forgets it */
enum MHD_Result handle_picture(exchange *x);
enum MHD_Result handle_readmit(exchange *x); /* takes in again what is kept out */
enum MHD_Result handle_thumb(exchange *x);
enum MHD_Result handle_full(exchange *x);   /* the file itself */
enum MHD_Result handle_add(exchange *x);    /* uploads become pictures of the index */
enum MHD_Result handle_upload(exchange *x); /* a small picture of a cached upload */

#endif

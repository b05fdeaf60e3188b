/* Handlers for the whole collection: the map, the groups of near-duplicates. */
#ifndef IMGSEARCH_CLI_COLLECTION_H
#define IMGSEARCH_CLI_COLLECTION_H

#include "cli/serve/cached_view.h"

enum MHD_Result handle_map(exchange *x);
enum MHD_Result handle_groups(exchange *x);
enum MHD_Result handle_reject(exchange *x); /* marks two pictures as different */

/* The views server.map and server.groups. */
cached_view_make collection_map, collection_groups;

/* Marks both views as old after a change of the index. */
void collection_invalidate(server *s);

#endif

/* Handlers for the whole collection: the map, the groups of near-duplicates. */
#ifndef IMGSEARCH_CLI_COLLECTION_H
#define IMGSEARCH_CLI_COLLECTION_H

#include "cli/serve/cached_view.h"

enum MHD_Result handle_map(exchange *x);
enum MHD_Result handle_groups(exchange *x);
enum MHD_Result handle_reject(exchange *x); /* two pictures are different ones */

/* The views server.map and server.groups. */
cached_view_make collection_map, collection_groups;

/* The index was changed: both are computed again. */
void collection_invalidate(server *s);

#endif

/*
 * Buckets move from one shard into another, one in a transaction. The new shard commits first, then
 * the old one, then the others. A move that is cut off in between is completed by the next
 * transaction: of the maps, the newest is true, and what lies in two shards goes from the old one.
 *
 * A reader takes a picture that two shards have once. That it has one at all is seen by the setting
 * "moved": the version of the map, and a bit that is set in the old shard.
 */
#ifndef IMS_SHARDS_MOVE_H
#define IMS_SHARDS_MOVE_H

#include "store/shards/shards.h"

/* Removes from a shard what has arrived where st->map says that it belongs. */
int ims_shards_drop_moved(shard_store *st, size_t from, imgsearch_error *err);

#endif

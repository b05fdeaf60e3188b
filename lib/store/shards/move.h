/*
 * Buckets move from one shard into another, one in a transaction. The new shard commits first, then
 * the old one, then the others. A move that is cut off in between is completed by the next
 * transaction: of the maps, the newest is true, and what lies in two shards goes from the old one.
 *
 * A reader takes a picture that two shards have once. An answer that has the old shard behind a
 * move and the new one before it would lack the bucket. So each shard notes at which version of
 * the map the last bucket came from, or went to, each other one (store_moved): where a shard gave
 * one to another at a version that the other has not seen, the snapshots do not fit each other.
 */
#ifndef IMS_SHARDS_MOVE_H
#define IMS_SHARDS_MOVE_H

#include "store/shards/shards.h"

/* Removes from a shard what has arrived where st->map says that it belongs. */
int ims_shards_drop_moved(shard_store *st, size_t from, imgsearch_error *err);

#endif

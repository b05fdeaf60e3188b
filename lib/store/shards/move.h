/*
 * Buckets move from one shard into another, one in a transaction. The new shard commits first, then
 * the old one, then the others. A move that is cut off in between is completed by the next
 * transaction: of the maps, the newest is true, and what lies in two shards goes from the old one.
 *
 * A reader takes a picture that two shards have once. An answer that has the old shard behind a
 * move and the new one before it would lack the bucket. So each shard notes at which version of
 * the map the last bucket came from, or went to, each other one (store_moved): where a shard gave
 * one to another at a version that the other has not seen, the snapshots do not fit each other.
 *
 * A shard that was restored from a backup is older than the others. It has again what left it
 * since, and lacks what came. The next transaction removes in it what the others have, by id, path
 * or bytes, since theirs is newer; sends what is left to where it belongs; and notes that what the
 * others gave it has come, since it will never do. To be known by its ids, and to give none of them
 * twice, the largest id of each shard is also written down in two shards, with each transaction
 * that gives some (shards.h).
 */
#ifndef IMS_SHARDS_MOVE_H
#define IMS_SHARDS_MOVE_H

#include "store/shards/shards.h"

/* Items with all that belongs to them, from one shard into another one that has none of them. */
int ims_shards_move_items(store *from, store *to, const int64_t *ids, size_t n,
	imgsearch_error *err);

/* Removes from a shard what has arrived where st->map says that it belongs. */
int ims_shards_drop_moved(shard_store *st, size_t from, imgsearch_error *err);

/* Of a shard that was restored from a backup: the same, and all that the others know better. */
/* *removed: how many it removed. */
int ims_shards_settle(shard_store *st, size_t i, uint64_t *removed, imgsearch_error *err);
int ims_shards_give_roots(shard_store *st, size_t from, size_t to, imgsearch_error *err);

/*
 * Whether shard *old has given ids of which it knows nothing, so was restored. False also where the
 * role may not look.
 */
bool ims_shards_lost_ids(shard_store *st, size_t *old);

/* What other shards gave it has come to shard i. */
int ims_shards_note_arrived(shard_store *st, size_t i, imgsearch_error *err);

/* A root of a shard, with the id that it has in the others. */
int ims_shards_root_put(store *shard, int64_t id, const char *path, imgsearch_error *err);

#endif

/*
 * Merges the rows of all shards in order of a key. Each shard sends on a thread of its own, in
 * blocks; a row is its key and what it holds, as bytes. Of rows with the same key, which a bucket
 * has while it moves, the first is taken.
 */
#ifndef IMS_SHARDS_FEED_H
#define IMS_SHARDS_FEED_H

#include "store/shards/shards.h"

typedef struct feed_sender feed_sender;

/* Sends one row. Not 0: it is not wanted, and the sender returns that. */
int ims_feed_send(feed_sender *to, const buf *key, const buf *row);

/* A key that sorts as the number does, which is not negative; and the number of one. */
void ims_feed_key(buf *key, int64_t number);
int64_t ims_feed_number(const uint8_t *key);

typedef struct feed {
	/* sends all rows of a shard in order of their keys; shares nothing with those of others */
	int (*send)(void *arg, store *shard, feed_sender *to, imgsearch_error *err);
	/* takes a row; another result than 0 ends the feed, and is returned */
	int (*take)(void *arg, const uint8_t *key, reader *row, imgsearch_error *err);
	void *arg;
} feed;

/* One state of all is read. A shard that is lost meanwhile is an error, also of partial answers. */
int ims_feed_run(store *st, const feed *f, imgsearch_error *err);

#endif

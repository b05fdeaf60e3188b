/*
 * An index of shards: it lies on several servers, and is opened by all their addresses. Content is
 * spread over 1024 buckets by its bytes, and each bucket lies in one shard. Ids are those of the
 * whole index: every shard gives ids of a range of its own.
 */
#ifndef IMS_STORE_SHARD_H
#define IMS_STORE_SHARD_H

#include "store/store.h"

typedef struct store_shard {
	const char *name; /* the address as people may see it; borrowed from the store */
	bool missing;     /* it cannot be reached; what follows is 0 */
	uint32_t buckets;
	store_counts counts;
	uint64_t bytes;
} store_shard;

/* Owned, ims_free. *n is 0: it is no index of shards. */
int ims_store_shards(store *st, store_shard **out, size_t *n, imgsearch_error *err);

/* The names of shards that cannot be reached, one a line, owned; NULL: all are there. ENOMEM. */
int ims_store_missing(store *st, char **names, imgsearch_error *err);

/* What follows "is not in index NAME": "" where all of it was looked at. */
const char *ims_store_as_far(store *st);

/*
 * Between write_begin and write_end, outside of a transaction, as the next. The index of an
 * address, which is made, or is empty, becomes one more shard, without buckets. A store on a
 * server becomes the first shard so. The handle knows nothing of it; open the index again, by all
 * addresses. EEXIST: it holds something; EUNSUPPORTED: the store lies in a file.
 */
int ims_store_shard_add(store *st, const char *address, imgsearch_error *err);

/*
 * Moves buckets, one in a transaction, while others read and write. By number from 0: from one
 * shard into another; SHARD_ANY: from the one that has most, into the one that has least.
 * `buckets`: at most so many; 0: all of `from`, or until all, or `to`, have as many as the others;
 * with `to` alone so many whatever each has. What was moved stays moved where the call ends early.
 * Progress stage "move", in buckets. EINVAL: there is no such shard; EBUSY: another program builds,
 * moves or re-indexes; ECANCELED.
 */
#define SHARD_ANY SIZE_MAX
int ims_store_shard_move(store *st, size_t from, size_t to, uint32_t buckets, job *j,
	uint32_t *moved, imgsearch_error *err);

#endif

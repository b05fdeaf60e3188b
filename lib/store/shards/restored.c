/*
 * Whether a shard was restored from a backup: for those who read, and may not make the shards
 * agree. A map that is older than one move is of such a shard. The maps of one moment are of one
 * transaction in each shard, so while buckets move they are looked at again.
 */
#include "store/shards/move.h"

#include <errno.h>

typedef struct ages {
	uint64_t version[SHARDS_MOST]; /* 0: not there */
} ages;

static int read_age(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	ages *a = arg;
	shard_map map;
	bool has;
	int rc = ims_shard_map_read(shard, &map, &has, err);
	a->version[i] = rc ? 0 : map.version;
	return rc;
}

/* *old: a shard that is too old; st->n: none. */
static int find_old(shard_store *st, size_t *old, imgsearch_error *err)
{
	ages a = { 0 };
	uint64_t newest = 0;
	store_snapshot snapshot;
	*old = st->n;
	ims_shards_snapshot_begin(&st->base, &snapshot);
	int rc = ims_shards_fit(&st->base, err);
	if (!rc)
		rc = ims_shards_at_once(&st->base, read_age, &a, err);
	ims_shards_snapshot_end(&snapshot);
	for (size_t i = 0; i < st->n; i++)
		newest = a.version[i] > newest ? a.version[i] : newest;
	for (size_t i = 0; i < st->n; i++)
		if (a.version[i] && a.version[i] + 1 < newest)
			*old = i;
	return rc;
}

int ims_shards_require_whole(store *base, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	double began = ims_now();
	size_t old;
	int rc;
	do
		rc = find_old(st, &old, err);
	while (!rc && old < st->n && ims_now() - began <= ims_shards_patience);
	return rc || old == st->n ? rc : ims_shards_refuse_old(st, old, err);
}

int ims_shards_check_ages(store *base, store_problem_each *each, void *user, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	imgsearch_error why = { 0 };
	size_t old;
	int rc = ims_shards_require_whole(base, &why);
	if (!rc && ims_shards_lost_ids(st, &old))
		rc = ims_shards_refuse_old(st, old, &why);
	if (rc == IMGSEARCH_EDB && why.detail == ESTALE)
		return each(user, why.message);
	if (rc && err)
		*err = why;
	return rc;
}

/* The map of buckets: the setting "shards" of each shard. */
#include "store/shards/move.h"

#include <string.h>

static const char setting[] = "shards";

int ims_shard_map_read(store *shard, shard_map *out, bool *has, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = shard->engine->settings.get(shard, setting, &b, err);
	reader r = { .data = b.data, .len = b.len };
	*out = (shard_map){ 0 };
	*has = !rc && b.len;
	if (*has) {
		out->index = ims_read_u64(&r);
		out->version = ims_read_u64(&r);
		out->n = ims_read_u32(&r);
		out->number = ims_read_u32(&r);
		const uint8_t *of = ims_read_bytes(&r, SHARD_BUCKETS);
		bool valid = of && r.pos == r.len && out->n <= SHARDS_MOST && out->number < out->n;
		for (size_t i = 0; valid && i < SHARD_BUCKETS; i++)
			valid = (out->of[i] = of[i]) < out->n;
		if (!valid)
			rc = ims_fail(err, IMGSEARCH_EDB, "index %s: its map of shards is damaged",
				shard->label);
	}
	ims_buf_free(&b);
	return rc;
}

int ims_shard_map_write(store *shard, const shard_map *map, imgsearch_error *err)
{
	buf b = { 0 };
	ims_buf_u64(&b, map->index);
	ims_buf_u64(&b, map->version);
	ims_buf_u32(&b, map->n);
	ims_buf_u32(&b, map->number);
	ims_buf_put(&b, map->of, SHARD_BUCKETS);
	int rc = b.failed ? ims_nomem(err)
					  : shard->engine->settings.set(shard, setting, b.data, b.len, err);
	ims_buf_free(&b);
	return rc;
}

uint32_t ims_shards_bucket(const hash256 *hash)
{
	return (uint32_t)hash->byte[0] << 2 | hash->byte[1] >> 6; /* a range of an index over hashes */
}

/* As ims_id_bucket of the schema. */
static uint32_t bucket_of_id(int64_t id)
{
	return (uint32_t)((id ^ id >> 10 ^ id >> 20 ^ id >> 30) & (SHARD_BUCKETS - 1));
}

size_t ims_shards_place(const shard_map *map, const hash256 *hash, const char *path)
{
	return map->of[ims_hash_is_zero(hash) ? ims_checksum(path, strlen(path), 0) % SHARD_BUCKETS
										  : ims_shards_bucket(hash)];
}

size_t ims_shards_place_id(const shard_map *map, int64_t id)
{
	return map->of[bucket_of_id(id)];
}

/* ----------------------------------------------------------------------------- renewal ---- */

int ims_shards_refuse_more(const shard_store *st, size_t n, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_EINVAL,
		"index %s has %zu shards by now, and this program has opened %zu: all of them are opened"
		" together",
		st->base.label, n, st->n);
}

typedef struct renewal {
	shard_map of[SHARDS_MOST];
	uint64_t newest;
	size_t at; /* a shard that has it */
	bool differ;
} renewal;

static int read_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	renewal *r = arg;
	bool has;
	int rc = ims_shard_map_read(shard, &r->of[i], &has, err);
	if (!rc && !has)
		rc = ims_fail(err, IMGSEARCH_EDB, "index %s: its map of shards is gone", shard->label);
	if (rc)
		return rc;
	r->differ |= i > 0 && r->of[i].version != r->of[0].version;
	if (r->of[i].version > r->newest) {
		r->newest = r->of[i].version;
		r->at = i;
	}
	return 0;
}

/*
 * A move was cut off between its commits, if the maps differ. What has arrived is removed where it
 * was.
 */
int ims_shards_map_renew(shard_store *st, imgsearch_error *err)
{
	renewal r = { 0 };
	int rc = ims_shards_each(&st->base, read_one, &r, err);
	st->map = r.of[r.at];
	if (!rc && st->map.n != st->n)
		rc = ims_shards_refuse_more(st, st->map.n, err);
	for (size_t i = 0; !rc && r.differ && i < st->n; i++) {
		if (r.of[i].version == r.newest)
			continue;
		shard_map newest = st->map;
		newest.number = (uint32_t)i;
		rc = ims_shards_drop_moved(st, i, err);
		if (!rc)
			rc = ims_shard_map_write(st->shard[i], &newest, err);
	}
	return rc;
}

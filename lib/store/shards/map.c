/* The map of buckets: the setting "shards" of each shard. */
#include "store/shards/move.h"

#include <stdio.h>
#include <string.h>

static const char setting[] = "shards";
static const char ids_setting[] = "shard_ids"; /* a u64 for each shard: its largest id, and 1 */

static int parse_map(const store *shard, const buf *b, shard_map *out, imgsearch_error *err)
{
	reader r = { .data = b->data, .len = b->len };
	out->index = ims_read_u64(&r);
	out->version = ims_read_u64(&r);
	out->n = ims_read_u32(&r);
	out->number = ims_read_u32(&r);
	const uint8_t *of = ims_read_bytes(&r, SHARD_BUCKETS);
	bool valid = of && r.pos == r.len && out->n <= SHARDS_MOST && out->number < out->n;
	for (size_t i = 0; valid && i < SHARD_BUCKETS; i++)
		valid = (out->of[i] = of[i]) < out->n;
	return valid
		? 0
		: ims_fail(err, IMGSEARCH_EDB, "index %s: its map of shards is damaged", shard->label);
}

int ims_shard_map_read(store *shard, shard_map *out, bool *has, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = shard->engine->settings.get(shard, setting, &b, err);
	*out = (shard_map){ 0 };
	*has = !rc && b.len;
	if (*has)
		rc = parse_map(shard, &b, out, err);
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

typedef struct renewal {
	shard_map of[SHARDS_MOST];
	int64_t largest[SHARDS_MOST], noted[SHARDS_MOST]; /* ids of each, as it says, as others do */
	uint64_t newest;
	size_t at; /* a shard that has it */
} renewal;

static void take_ids(renewal *r, const buf *b)
{
	reader read = { .data = b->data, .len = b->len };
	for (size_t i = 0; i < SHARDS_MOST && read.pos < read.len; i++) {
		int64_t noted = (int64_t)ims_read_u64(&read) - 1;
		r->noted[i] = noted > r->noted[i] ? noted : r->noted[i];
	}
}

static int read_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	static const char *const names[] = { setting, ids_setting };
	renewal *r = arg;
	buf b[2] = { 0 };
	int rc = shard->engine->shard.read(shard, names, b, &r->largest[i], err);
	if (!rc && !b[0].len)
		rc = ims_fail(err, IMGSEARCH_EDB, "index %s: its map of shards is gone", shard->label);
	if (!rc)
		rc = parse_map(shard, &b[0], &r->of[i], err);
	if (!rc)
		take_ids(r, &b[1]);
	ims_buf_free(&b[0]);
	ims_buf_free(&b[1]);
	if (!rc && r->of[i].version > r->newest) {
		r->newest = r->of[i].version;
		r->at = i;
	}
	return rc;
}

/*
 * A shard that has given ids of which it knows nothing, or whose map is older than one move, was
 * restored from a backup.
 */
static bool was_restored(const renewal *r, size_t i)
{
	return r->noted[i] > r->largest[i] || r->of[i].version + 1 < r->newest;
}

bool ims_shards_lost_ids(shard_store *st, size_t *old)
{
	renewal r = { 0 };
	memset(r.noted, -1, sizeof r.noted);
	memset(r.largest, -1, sizeof r.largest);
	*old = st->n;
	if (ims_shards_each(&st->base, read_one, &r, NULL))
		return false;
	for (size_t i = 0; i < st->n; i++)
		if (ims_shards_has(st, i) && r.noted[i] > r.largest[i])
			*old = i;
	return *old < st->n;
}

/* Where memory is short nothing is told. */
static void note_repair(shard_store *st, size_t i, uint64_t removed, int64_t lost)
{
	char up_to[60] = "", *before = st->repaired;
	if (lost > 0)
		snprintf(up_to, sizeof up_to, " (up to %lld new pictures)", (long long)lost);
	st->repaired = ims_format("%s%sshard %zu (%s) was older than the others, as if it were restored"
							  " from a backup: %llu pictures that the others have were removed from"
							  " it, and what came into it since is missing%s until the folders are"
							  " indexed again",
		before ? before : "", before ? "; " : "", i + 1, st->name[i], (unsigned long long)removed,
		up_to);
	ims_free(before);
}

static int renew_one(shard_store *st, const renewal *r, size_t i, imgsearch_error *err)
{
	shard_map newest = st->map;
	bool restored = was_restored(r, i);
	uint64_t removed;
	size_t from = 0; /* a shard that knows what the index is now */
	while (from < st->n && (was_restored(r, from) || r->of[from].version != r->newest))
		from++;
	int rc = 0;
	if (r->noted[i] > r->largest[i])
		rc = st->shard[i]->engine->shard.use_id(st->shard[i], r->noted[i], err);
	if (!rc && restored && from < st->n)
		rc = ims_shards_give_roots(st, from, i, err);
	if (!rc)
		rc = restored ? ims_shards_settle(st, i, &removed, err) : ims_shards_drop_moved(st, i, err);
	if (!rc && restored)
		note_repair(st, i, removed, r->noted[i] - r->largest[i]);
	if (!rc)
		rc = ims_shards_note_arrived(st, i, err);
	newest.number = (uint32_t)i;
	return rc ? rc : ims_shard_map_write(st->shard[i], &newest, err);
}

int ims_shards_map_renew(shard_store *st, imgsearch_error *err)
{
	renewal r = { 0 };
	memset(r.noted, -1, sizeof r.noted);
	int rc = ims_shards_each(&st->base, read_one, &r, err);
	st->map = r.of[r.at];
	if (!rc && st->map.n != st->n)
		rc = ims_shards_refuse_more(st, st->map.n, err);
	st->note_largest = false;
	for (size_t i = 0; i < st->n; i++) {
		st->largest[i] = r.largest[i] > r.noted[i] ? r.largest[i] : r.noted[i];
		st->note_largest |= r.largest[i] > r.noted[i];
	}
	for (size_t i = 0; !rc && i < st->n; i++)
		if (was_restored(&r, i) || r.of[i].version != r.newest)
			rc = renew_one(st, &r, i, err);
	return rc;
}

/* Two, so that each shard's is in another one. */
int ims_shards_write_ids(shard_store *st, imgsearch_error *err)
{
	buf b = { 0 };
	for (size_t i = 0; i < st->n; i++)
		ims_buf_u64(&b, (uint64_t)(st->largest[i] + 1));
	int rc = b.failed ? ims_nomem(err) : 0;
	for (size_t i = 0; !rc && st->note_largest && i < 2 && i < st->n; i++)
		rc = st->shard[i]->engine->settings.set(st->shard[i], ids_setting, b.data, b.len, err);
	ims_buf_free(&b);
	return rc;
}

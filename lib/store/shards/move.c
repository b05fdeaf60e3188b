#include "store/shards/move.h"

#include "store/shard.h"

#include <string.h>

/* ------------------------------------------------------------------------------ one bucket ---- */

static int copy_table(store *from, store *to, store_table table, const int64_t *ids, size_t n,
	imgsearch_error *err)
{
	copied_rows c = { .shape = &ims_store_tables[table] };
	int rc = from->engine->shard.rows(from, table, ids, n, ims_shards_add_row, &c, err);
	if (!rc && c.rows.n)
		rc = to->engine->transfer.put(to, table, &c.rows, err);
	ims_buf_free(&c.rows.data);
	return rc;
}

/* In the order of references. */
int ims_shards_move_items(store *from, store *to, const int64_t *ids, size_t n,
	imgsearch_error *err)
{
	static const store_table tables[] = { TABLE_PICTURE, TABLE_VECTOR, TABLE_NEXT, TABLE_KEPT,
		TABLE_REGION, TABLE_REGION_NEXT, TABLE_CELL, TABLE_FACT, TABLE_SIGNATURE, TABLE_FILE };
	int rc = 0;
	for (size_t t = 0; !rc && t < sizeof tables / sizeof *tables; t++)
		rc = copy_table(from, to, tables[t], ids, n, err);
	if (!rc)
		rc = to->engine->shard.arrived(to, ids, n, err);
	return rc ? rc : from->engine->shard.leave(from, ids, n, err);
}

static const char moved_setting[] = "moved";

static int read_moves(const shard_store *st, size_t i, store_moved *out, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = st->shard[i]->engine->settings.get(st->shard[i], moved_setting, &b, err);
	ims_store_moved_read(out, b.data, b.len);
	ims_buf_free(&b);
	return rc;
}

static int write_moves(const shard_store *st, size_t i, const store_moved *moved,
	imgsearch_error *err)
{
	store *shard = st->shard[i];
	buf b = { 0 };
	for (size_t k = 0; k < st->n; k++) {
		ims_buf_u64(&b, moved->from[k]);
		ims_buf_u64(&b, moved->to[k]);
	}
	int rc = b.failed ? ims_nomem(err)
					  : shard->engine->settings.set(shard, moved_setting, b.data, b.len, err);
	ims_buf_free(&b);
	return rc;
}

/* Notes in a shard that a bucket came from another one, or went there. */
static int note_move(shard_store *st, size_t i, size_t other, bool came, imgsearch_error *err)
{
	store_moved moved;
	int rc = read_moves(st, i, &moved, err);
	*(came ? &moved.from[other] : &moved.to[other]) = st->map.version;
	return rc ? rc : write_moves(st, i, &moved, err);
}

int ims_shards_note_arrived(shard_store *st, size_t i, imgsearch_error *err)
{
	store_moved own, other;
	int rc = read_moves(st, i, &own, err);
	for (size_t k = 0; !rc && k < st->n; k++) {
		rc = read_moves(st, k, &other, err);
		own.from[k] = other.to[i] > own.from[k] ? other.to[i] : own.from[k];
	}
	return rc ? rc : write_moves(st, i, &own, err);
}

static int write_maps(shard_store *st, size_t from, size_t to, imgsearch_error *err)
{
	int rc = note_move(st, to, from, true, err);
	if (!rc)
		rc = note_move(st, from, to, false, err);
	for (size_t i = 0; !rc && i < st->n; i++) {
		st->map.number = (uint32_t)i;
		rc = ims_shard_map_write(st->shard[i], &st->map, err);
	}
	return rc;
}

/* The new shard, then the old one, then the others. */
static int commit(shard_store *st, size_t from, size_t to, imgsearch_error *err)
{
	int rc = ims_shards_commit_one(st, to, err);
	if (!rc)
		rc = ims_shards_commit_one(st, from, err);
	for (size_t i = st->n; !rc && i-- > 0;)
		if (i != from && i != to)
			rc = ims_shards_commit_one(st, i, err);
	if (rc)
		ims_shards_tx_rollback(&st->base);
	else
		ims_shards_committed(st);
	atomic_store(&st->in_tx, false);
	return rc;
}

static int move_bucket(shard_store *st, uint32_t bucket, size_t from, size_t to,
	imgsearch_error *err)
{
	store *old = st->shard[from];
	int64_t *ids = NULL;
	size_t n;
	int rc = ims_shards_tx_begin(&st->base, err);
	if (rc)
		return rc;
	if (st->map.of[bucket] != from) { /* somebody else has moved it */
		ims_shards_tx_rollback(&st->base);
		return 0;
	}
	rc = old->engine->shard.items(old, bucket, &ids, &n, err);
	if (!rc && n)
		rc = ims_shards_move_items(old, st->shard[to], ids, n, err);
	ims_free(ids);
	st->map.of[bucket] = (uint8_t)to;
	st->map.version++;
	if (!rc)
		rc = write_maps(st, from, to, err);
	if (!rc)
		return commit(st, from, to, err);
	ims_shards_tx_rollback(&st->base);
	return rc;
}

/* Removes from a shard what is in another one, where the map says it belongs. */
static int drop_bucket(shard_store *st, size_t from, uint32_t bucket, imgsearch_error *err)
{
	store *old = st->shard[from], *arrived = st->shard[st->map.of[bucket]];
	int64_t *ids = NULL;
	size_t n = 0, both = 0;
	int rc = old->engine->shard.items(old, bucket, &ids, &n, err);
	uint8_t *presence = rc ? NULL : ims_alloc(n, 1);
	if (!rc && !presence)
		rc = ims_nomem(err);
	if (!rc && n)
		rc = arrived->engine->pictures.presences(arrived, ids, n, presence, err);
	for (size_t k = 0; !rc && k < n; k++)
		if (presence[k] != STORE_ABSENT)
			ids[both++] = ids[k];
	if (!rc && both)
		rc = old->engine->shard.leave(old, ids, both, err);
	ims_free(presence);
	ims_free(ids);
	return rc;
}

int ims_shards_drop_moved(shard_store *st, size_t from, imgsearch_error *err)
{
	int rc = 0;
	for (uint32_t b = 0; !rc && b < SHARD_BUCKETS; b++)
		rc = st->map.of[b] == from ? 0 : drop_bucket(st, from, b, err);
	return rc;
}

/* ----------------------------------------------------------------------- which buckets ---- */

static void count_buckets(const shard_map *map, uint32_t n[SHARDS_MOST])
{
	memset(n, 0, SHARDS_MOST * sizeof *n);
	for (size_t b = 0; b < SHARD_BUCKETS; b++)
		n[map->of[b]]++;
}

/* The next move. `levels`: only while the old shard has more than the new one. False: none. */
static bool choose(const shard_store *st, size_t from, size_t to, bool levels, uint32_t *bucket,
	size_t *old, size_t *new)
{
	uint32_t n[SHARDS_MOST];
	size_t most = SHARD_ANY, least = SHARD_ANY;
	count_buckets(&st->map, n);
	for (size_t i = 0; i < st->n; i++) {
		if (i != to && (most == SHARD_ANY || n[i] > n[most]))
			most = i;
		if (i != from && (least == SHARD_ANY || n[i] < n[least]))
			least = i;
	}
	*old = from == SHARD_ANY ? most : from;
	*new = to == SHARD_ANY ? least : to;
	if (*old == SHARD_ANY || *new == SHARD_ANY || *old == *new || !n[*old]
		|| (levels && n[*old] <= n[*new] + 1))
		return false;
	for (*bucket = 0; st->map.of[*bucket] != *old;)
		++*bucket;
	return true;
}

static bool does_level(size_t from, size_t to, uint32_t buckets)
{
	return from == SHARD_ANY && (to == SHARD_ANY || !buckets);
}

static uint32_t count_moves(const shard_store *st, size_t from, size_t to, uint32_t most)
{
	shard_store plan = { .n = st->n, .map = st->map };
	uint32_t bucket, n = 0;
	size_t old, new;
	bool levels = does_level(from, to, most);
	for (; (!most || n < most) && choose(&plan, from, to, levels, &bucket, &old, &new); n++)
		plan.map.of[bucket] = (uint8_t) new;
	return n;
}

/* The map as it is now. */
static int read_map(shard_store *st, imgsearch_error *err)
{
	int rc = ims_shards_tx_begin(&st->base, err);
	return rc ? rc : ims_shards_tx_commit(&st->base, err);
}

int ims_store_shard_move(store *base, size_t from, size_t to, uint32_t buckets, job *j,
	uint32_t *moved, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	uint32_t bucket;
	size_t old, new;
	*moved = 0;
	if (base->engine != &ims_shards_engine)
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s has no shards", base->label);
	if ((from != SHARD_ANY && from >= st->n) || (to != SHARD_ANY && to >= st->n))
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s has the shards 1 to %zu", base->label,
			st->n);
	if (from != SHARD_ANY && from == to)
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: shard %zu is to move into itself",
			base->label, from + 1);
	int rc = ims_shards_lease_begin(base, STORE_BUILDS, err);
	if (!rc)
		rc = read_map(st, err);
	uint32_t total = rc ? 0 : count_moves(st, from, to, buckets);
	bool levels = does_level(from, to, buckets);
	while (!rc && *moved < total && choose(st, from, to, levels, &bucket, &old, &new)) {
		rc = move_bucket(st, bucket, old, new, err);
		*moved += !rc;
		if (!rc)
			rc = ims_job_step(j, "move", *moved, total, err);
	}
	ims_shards_lease_end(base);
	return rc;
}

/* Features of parts of pictures, which lie in the shard of their picture. */
#include "store/shards/feed.h"

#include <string.h>

static int clear_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	(void)arg, (void)i;
	return shard->engine->rows.regions_clear(shard, err);
}

int ims_shards_regions_clear(store *st, imgsearch_error *err)
{
	return ims_shards_every((shard_store *)st, clear_one, NULL, err);
}

/* ------------------------------------------------------------------------------ scanning ---- */

typedef struct scan {
	store_regions_each *each;
	void *user;
	size_t n;
} scan;

typedef struct regions_sender {
	feed_sender *to;
	buf key, row;
} regions_sender;

static int send_picture(void *user, size_t i, int64_t id, const void *data, size_t size)
{
	regions_sender *s = user;
	(void)i;
	s->key.len = s->row.len = 0;
	ims_feed_key(&s->key, id);
	ims_buf_u32(&s->row, (uint32_t)size);
	ims_buf_put(&s->row, data, size);
	return ims_feed_send(s->to, &s->key, &s->row);
}

static int send_regions(void *arg, store *shard, feed_sender *to, imgsearch_error *err)
{
	regions_sender s = { .to = to };
	(void)arg;
	int rc = shard->engine->rows.regions_scan(shard, send_picture, &s, err);
	ims_buf_free(&s.key);
	ims_buf_free(&s.row);
	return rc;
}

static int take_picture(void *arg, const uint8_t *key, reader *row, imgsearch_error *err)
{
	scan *s = arg;
	uint32_t size = ims_read_u32(row);
	const void *data = ims_read_bytes(row, size);
	return data ? s->each(s->user, s->n++, ims_feed_number(key), data, size)
				: ims_fail(err, IMGSEARCH_EDB, "a row of a shard is cut off");
}

int ims_shards_regions_scan(store *st, store_regions_each *each, void *user, imgsearch_error *err)
{
	scan s = { .each = each, .user = user };
	return ims_feed_run(st, &(feed){ send_regions, take_picture, &s }, err);
}

/* --------------------------------------------------------------------------------- by id ---- */

/* found: of each shard, for each picture its number in `part`, its id, and its data. */
typedef struct fetching {
	const int64_t *ids;
	size_t n;
	int *known; /* (n): the shard that has it; -1: any */
	shard_part part[SHARDS_MOST];
	buf found[SHARDS_MOST];
} fetching;

static int keep_picture(void *user, size_t i, int64_t id, const void *data, size_t size)
{
	buf *b = user;
	ims_buf_u64(b, i);
	ims_buf_u64(b, (uint64_t)id);
	ims_buf_u32(b, (uint32_t)size);
	ims_buf_put(b, data, size);
	return b->failed ? IMGSEARCH_ENOMEM : 0;
}

static int fetch_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	fetching *f = arg;
	shard_part *p = &f->part[i];
	int rc = ims_shards_part(p, f->ids, f->n, f->known, i, err);
	if (rc || !p->n)
		return rc;
	rc = shard->engine->rows.regions_fetch(shard, p->ids, p->n, keep_picture, &f->found[i], err);
	return f->found[i].failed ? ims_nomem(err) : rc;
}

/* Reports what a shard has found, but for what another one had, too: of a bucket that moves. */
static int report(fetching *f, size_t i, uint8_t *told, store_regions_each *each, void *user)
{
	reader r = { .data = f->found[i].data, .len = f->found[i].len };
	int rc = 0;
	while (!rc && r.pos < r.len) {
		size_t at = f->part[i].at[ims_read_u64(&r)];
		int64_t id = (int64_t)ims_read_u64(&r);
		uint32_t size = ims_read_u32(&r);
		const void *data = ims_read_bytes(&r, size);
		if (!told[at])
			rc = each(user, at, id, data, size);
		told[at] = 1;
	}
	return rc;
}

int ims_shards_regions_fetch(store *base, const int64_t *ids, size_t n, store_regions_each *each,
	void *user, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	fetching f = { .ids = ids, .n = n, .known = ims_alloc(n, sizeof *f.known) };
	uint8_t *told = ims_zalloc(n, 1);
	int rc = f.known && told ? 0 : ims_nomem(err);
	if (!rc && n) {
		bool all = ims_shards_recall(st, ids, n, f.known);
		rc = (all ? ims_shards_each : ims_shards_at_once)(base, fetch_one, &f, err);
	}
	for (size_t i = 0; i < st->n; i++) {
		if (!rc)
			rc = report(&f, i, told, each, user);
		ims_shards_part_free(&f.part[i]);
		ims_buf_free(&f.found[i]);
	}
	ims_free(told);
	ims_free(f.known);
	return rc;
}

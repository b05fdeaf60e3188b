#include "store/shards/feed.h"

#include <errno.h>
#include <string.h>

enum { BLOCK = 1 << 16, UNWANTED = 1 };

/* Two blocks: the sender fills one while the other one is taken. */
struct feed_sender {
	const feed *f;
	store *shard;
	size_t number; /* of the shard */
	store_snapshot *snapshot;
	bool whole; /* all rows are one block, which this thread makes before it takes it */
	buf filling;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* guarded by lock */
	buf sent;
	bool full, ended, stopped;
	int rc;
	imgsearch_error err;
	/* the taker's */
	buf taking;
	reader rest;
	const uint8_t *key; /* of the next row; NULL: none */
	size_t key_size;
	reader row;
};

/* ----------------------------------------------------------------------------- sending ---- */

/* Waits until the block before was taken. */
static int hand_over(feed_sender *to, bool ends)
{
	pthread_mutex_lock(&to->lock);
	while (to->full && !to->stopped)
		pthread_cond_wait(&to->changed, &to->lock);
	bool stopped = to->stopped;
	if (!stopped) {
		buf empty = to->sent;
		empty.len = 0;
		to->sent = to->filling;
		to->filling = empty;
		to->full = true;
	}
	to->ended = ends;
	pthread_cond_broadcast(&to->changed);
	pthread_mutex_unlock(&to->lock);
	return stopped ? UNWANTED : 0;
}

int ims_feed_send(feed_sender *to, const buf *key, const buf *row)
{
	buf *b = &to->filling;
	ims_buf_u32(b, (uint32_t)key->len);
	ims_buf_put(b, key->data, key->len);
	ims_buf_u32(b, (uint32_t)row->len);
	ims_buf_put(b, row->data, row->len);
	if (b->failed || key->failed || row->failed)
		return IMGSEARCH_ENOMEM;
	return to->whole || b->len < BLOCK ? 0 : hand_over(to, false);
}

static void send_all(void *arg)
{
	feed_sender *to = arg;
	imgsearch_error err = { 0 };
	const store_leases_table *leases = &to->shard->engine->leases;
	store_snapshot *was = leases->snapshot_adopt(to->snapshot);
	int rc = to->f->send(to->f->arg, to->shard, to, &err);
	leases->snapshot_adopt(was);
	if (rc == IMGSEARCH_ENOMEM)
		ims_nomem(&err);
	to->rc = rc == UNWANTED ? 0 : rc;
	to->err = err;
	hand_over(to, true);
}

/* ------------------------------------------------------------------------------ taking ---- */

/* Waits for the next block. False: there is none. */
static bool take_block(feed_sender *from)
{
	pthread_mutex_lock(&from->lock);
	while (!from->full && !from->ended)
		pthread_cond_wait(&from->changed, &from->lock);
	bool some = from->full;
	if (some) {
		buf empty = from->taking;
		empty.len = 0;
		from->taking = from->sent;
		from->sent = empty;
		from->full = false;
		from->rest = (reader){ .data = from->taking.data, .len = from->taking.len };
		pthread_cond_broadcast(&from->changed);
	}
	pthread_mutex_unlock(&from->lock);
	return some;
}

static void next_row(feed_sender *from)
{
	from->key = NULL;
	while (from->rest.pos == from->rest.len)
		if (!take_block(from))
			return;
	reader *r = &from->rest;
	from->key_size = ims_read_u32(r);
	from->key = ims_read_bytes(r, from->key_size);
	size_t size = ims_read_u32(r);
	from->row = (reader){ .data = ims_read_bytes(r, size), .len = size };
}

static int compare(const feed_sender *a, const feed_sender *b)
{
	size_t n = a->key_size < b->key_size ? a->key_size : b->key_size;
	int c = memcmp(a->key, b->key, n);
	return c ? c : (a->key_size > b->key_size) - (a->key_size < b->key_size);
}

static int merge(feed_sender *from, size_t n, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < n; i++)
		next_row(&from[i]);
	while (!rc) {
		feed_sender *first = NULL;
		for (size_t i = 0; i < n; i++)
			if (from[i].key && (!first || compare(&from[i], first) < 0))
				first = &from[i];
		if (!first)
			break;
		rc = first->f->take(first->f->arg, first->key, &first->row, err);
		for (size_t i = 0; i < n; i++) /* first itself is the last that moves on */
			if (&from[i] != first && from[i].key && !compare(&from[i], first))
				next_row(&from[i]);
		next_row(first);
	}
	return rc;
}

/* -------------------------------------------------------------------------------- both ---- */

static void stop(feed_sender *from)
{
	pthread_mutex_lock(&from->lock);
	from->stopped = true;
	pthread_cond_broadcast(&from->changed);
	pthread_mutex_unlock(&from->lock);
}

static void sender_free(feed_sender *s)
{
	ims_buf_free(&s->filling);
	ims_buf_free(&s->sent);
	ims_buf_free(&s->taking);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
}

/* A shard that goes away meanwhile is left out from then on, where that is asked for. */
static int sender_result(shard_store *st, const feed_sender *s, imgsearch_error *err)
{
	if (!s->rc || ims_shards_do_without(st, s->number, s->rc, &s->err))
		return 0;
	if (err)
		*err = s->err;
	return s->rc;
}

static int run(store *base, const feed *f, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	feed_sender *sender = ims_zalloc(st->n, sizeof *sender);
	pool *threads = NULL;
	size_t n = 0;
	int rc = sender ? ims_pool_new(&threads, (unsigned)st->n, (unsigned)st->n, err)
					: ims_nomem(err);
	for (size_t i = 0; !rc && i < st->n; i++) {
		if (!ims_shards_has(st, i))
			continue;
		feed_sender *s = &sender[n++];
		s->f = f;
		s->shard = st->shard[i];
		s->number = i;
		s->snapshot = ims_shards_snapshot(st, i);
		s->whole = ims_shards_in_own_transaction(st);
		pthread_mutex_init(&s->lock, NULL);
		pthread_cond_init(&s->changed, NULL);
		if (s->whole)
			send_all(s);
		else
			ims_pool_run(threads, send_all, s);
	}
	if (!rc)
		rc = merge(sender, n, err);
	for (size_t i = 0; i < n; i++)
		stop(&sender[i]);
	ims_pool_free(threads);
	for (size_t i = 0; i < n; i++) {
		if (!rc)
			rc = sender_result(st, &sender[i], err);
		sender_free(&sender[i]);
	}
	ims_free(sender);
	return rc;
}

int ims_feed_run(store *st, const feed *f, imgsearch_error *err)
{
	shard_store *shards = (shard_store *)st;
	if (ims_shards_in_own_transaction(shards) || ims_shards_snapshot(shards, 0)) {
		int rc = ims_shards_fit(st, err);
		return rc ? rc : run(st, f, err);
	}
	store_snapshot snapshot;
	ims_shards_snapshot_begin(st, &snapshot);
	int rc = ims_shards_fit(st, err);
	if (!rc)
		rc = run(st, f, err);
	ims_shards_snapshot_end(&snapshot);
	return rc;
}

void ims_feed_key(buf *key, int64_t number)
{
	uint8_t byte[8];
	for (int i = 0; i < 8; i++)
		byte[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
	ims_buf_put(key, byte, sizeof byte);
}

int64_t ims_feed_number(const uint8_t *key)
{
	uint64_t number = 0;
	for (int i = 0; i < 8; i++)
		number = number << 8 | key[i];
	return (int64_t)number;
}

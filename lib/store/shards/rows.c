/* Vectors of all shards: read in order of id, and found by each shard at once. */
#include "store/shards/feed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------- scanning ---- */

enum { BLOCK_BYTES = 1 << 20 };

typedef struct scan {
	bool next;
	uint32_t dim;
	store_vectors_each *each;
	void *user;
	int64_t *ids; /* a block that is gathered */
	float *rows;
	size_t n, most;
} scan;

typedef struct row_sender {
	feed_sender *to;
	uint32_t dim;
	buf key, row;
} row_sender;

static int send_rows(void *user, const int64_t *ids, const float *rows, size_t n)
{
	row_sender *s = user;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		s->key.len = s->row.len = 0;
		ims_feed_key(&s->key, ids[i]);
		ims_buf_put(&s->row, rows + i * s->dim, s->dim * sizeof *rows);
		rc = ims_feed_send(s->to, &s->key, &s->row);
	}
	return rc;
}

static int send_vectors(void *arg, store *shard, feed_sender *to, imgsearch_error *err)
{
	const scan *s = arg;
	row_sender r = { .to = to, .dim = s->dim };
	int rc = shard->engine->rows.scan(shard, s->next, s->dim, send_rows, &r, err);
	ims_buf_free(&r.key);
	ims_buf_free(&r.row);
	return rc;
}

static int flush(scan *s)
{
	size_t n = s->n;
	s->n = 0;
	return n ? s->each(s->user, s->ids, s->rows, n) : 0;
}

static int take_vector(void *arg, const uint8_t *key, reader *row, imgsearch_error *err)
{
	scan *s = arg;
	const void *data = ims_read_bytes(row, s->dim * sizeof(float));
	if (!data)
		return ims_fail(err, IMGSEARCH_EDB, "a row of a shard is cut off");
	s->ids[s->n] = ims_feed_number(key);
	memcpy(s->rows + s->n * s->dim, data, s->dim * sizeof(float));
	return ++s->n == s->most ? flush(s) : 0;
}

int ims_shards_vectors_scan(store *st, bool next, uint32_t dim, store_vectors_each *each,
	void *user, imgsearch_error *err)
{
	scan s = { .next = next, .dim = dim, .each = each, .user = user };
	feed f = { send_vectors, take_vector, &s };
	s.most = BLOCK_BYTES / ((dim + 1) * sizeof(float)) + 1;
	s.ids = ims_alloc(s.most, sizeof *s.ids);
	s.rows = ims_alloc(s.most, dim * sizeof *s.rows);
	int rc = s.ids && s.rows ? ims_feed_run(st, &f, err) : ims_nomem(err);
	if (!rc)
		rc = flush(&s);
	ims_free(s.ids);
	ims_free(s.rows);
	return rc;
}

int ims_shards_vectors_scan_parts(store *st, uint32_t dim, pool *pool, store_vectors_each *each,
	void *const *users, size_t parts, bool *done, imgsearch_error *err)
{
	(void)st, (void)dim, (void)pool, (void)each, (void)users, (void)parts, (void)err;
	*done = false;
	return 0;
}

/* ---------------------------------------------------------------------------------- by id ---- */

typedef struct fetching {
	const int64_t *ids;
	size_t n;
	uint32_t dim;
	int *known;                   /* (n): the shard that has it; -1: any */
	shard_part part[SHARDS_MOST]; /* what each is asked for */
	float *rows[SHARDS_MOST];     /* (part.n, dim) */
	uint8_t *found[SHARDS_MOST];
} fetching;

static int fetch_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	fetching *f = arg;
	shard_part *p = &f->part[i];
	int rc = ims_shards_part(p, f->ids, f->n, f->known, i, err);
	if (rc || !p->n)
		return rc;
	f->rows[i] = ims_alloc(p->n, f->dim * sizeof(float));
	f->found[i] = ims_zalloc(p->n, 1);
	return f->rows[i] && f->found[i]
		? shard->engine->rows.fetch(shard, p->ids, p->n, f->dim, f->rows[i], f->found[i], err)
		: ims_nomem(err);
}

int ims_shards_vectors_fetch(store *base, const int64_t *ids, size_t n, uint32_t dim, float *out,
	uint8_t *found, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	fetching f = { .ids = ids, .n = n, .dim = dim, .known = ims_alloc(n, sizeof *f.known) };
	if (!f.known || !n) {
		ims_free(f.known);
		return n ? ims_nomem(err) : 0;
	}
	/* what a search has found was read with it, so nobody is waited for */
	bool all = ims_shards_recall(st, ids, n, f.known);
	int rc = (all ? ims_shards_each : ims_shards_at_once)(base, fetch_one, &f, err);
	memset(found, 0, n);
	for (size_t i = 0; i < st->n; i++) {
		for (size_t k = 0; !rc && f.found[i] && k < f.part[i].n; k++) {
			size_t at = f.part[i].at[k];
			if (!f.found[i][k] || found[at])
				continue;
			found[at] = 1;
			memcpy(out + at * dim, f.rows[i] + k * dim, dim * sizeof *out);
		}
		ims_shards_part_free(&f.part[i]);
		ims_free(f.rows[i]);
		ims_free(f.found[i]);
	}
	ims_free(f.known);
	return rc;
}

/* --------------------------------------------------------------------------------- near ---- */

typedef struct near_call {
	const store_near_request *q;
	store_near *found[SHARDS_MOST];
	size_t n[SHARDS_MOST];
} near_call;

static int near_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	near_call *c = arg;
	return shard->engine->rows.near(shard, c->q, &c->found[i], &c->n[i], err);
}

static int in_order(const void *a, const void *b)
{
	const store_near *x = a, *y = b;
	if (x->query != y->query) /* SIZE_MAX comes first */
		return x->query + 1 < y->query + 1 ? -1 : 1;
	if (x->bound != y->bound)
		return x->bound < y->bound ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* The k first rows of each query, each id once. */
static size_t choose(store_near *all, size_t n, size_t k)
{
	size_t kept = 0, of_query = 0;
	for (size_t i = 0; i < n; i++) {
		bool same = kept && all[kept - 1].query == all[i].query, twice = false;
		of_query = same ? of_query : 0;
		for (size_t j = kept; same && !twice && j > kept - of_query; j--)
			twice = all[j - 1].id == all[i].id;
		if (twice || (same && (all[i].query == STORE_SCANNED || of_query == k)))
			continue;
		all[kept++] = all[i];
		of_query++;
	}
	return kept;
}

int ims_shards_near(store *base, const store_near_request *q, store_near **out, size_t *n,
	imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	near_call c = { .q = q };
	size_t all = 0;
	*out = NULL;
	*n = 0;
	int rc = ims_shards_at_once(base, near_one, &c, err);
	for (size_t i = 0; i < st->n; i++) {
		all += c.n[i];
		if (!rc)
			ims_shards_remember(st, i, c.found[i], c.n[i]);
	}
	store_near *row = rc ? NULL : ims_alloc(all, sizeof *row);
	if (!rc && !row)
		rc = ims_nomem(err);
	for (size_t i = 0, at = 0; i < st->n; i++) {
		if (!rc && c.n[i])
			memcpy(row + at, c.found[i], c.n[i] * sizeof *row);
		at += c.n[i];
		ims_free(c.found[i]);
	}
	if (rc) {
		ims_free(row);
		return rc;
	}
	qsort(row, all, sizeof *row, in_order);
	*n = choose(row, all, q->k);
	*out = row;
	return 0;
}

typedef struct build_call {
	const store_space *space;
	bool index;
	uint32_t degree, beam;
	job *j;
} build_call;

/* One after the other: each uses all processors of its server, and its progress is told. */
static int build_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const build_call *b = arg;
	(void)i;
	return shard->engine->rows.near_build(shard, b->space, b->index, b->degree, b->beam, b->j, err);
}

int ims_shards_near_build(store *st, const store_space *space, bool index, uint32_t degree,
	uint32_t beam, job *j, imgsearch_error *err)
{
	build_call b = { space, index, degree, beam, j };
	return ims_shards_each(st, build_one, &b, err);
}

typedef struct expect_call {
	const int64_t *ids;
	size_t n;
} expect_call;

static int expect_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const expect_call *e = arg;
	(void)i;
	return shard->engine->rows.expect(shard, e->ids, e->n, err);
}

int ims_shards_expect(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	expect_call e = { ids, n };
	return ims_shards_at_once(st, expect_one, &e, err);
}

/* ----------------------------------------------------------------------------- writing ---- */

static int put_to(store *base, size_t to, const int *of, const int64_t *ids, const float *rows,
	size_t n, uint32_t dim, imgsearch_error *err)
{
	const shard_store *st = (const shard_store *)base;
	store *shard = st->shard[to];
	int64_t *some = ims_alloc(n, sizeof *some);
	float *row = ims_alloc(n, dim * sizeof *row);
	size_t m = 0;
	for (size_t k = 0; some && row && k < n; k++)
		if (of[k] == (int)to) {
			some[m] = ids[k];
			memcpy(row + m++ * dim, rows + k * dim, dim * sizeof *row);
		}
	int rc = !some || !row ? ims_nomem(err)
		: m                ? shard->engine->rows.put(shard, some, row, m, dim, err)
						   : 0;
	ims_free(some);
	ims_free(row);
	return rc;
}

int ims_shards_vectors_put(store *base, const int64_t *ids, const float *rows, size_t n,
	uint32_t dim, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int *of = ims_alloc(n, sizeof *of);
	int rc = of ? ims_shards_locate(base, ids, n, of, NULL, err) : ims_nomem(err);
	for (size_t k = 0; !rc && k < n; k++)
		of[k] = of[k] < 0 ? (int)ims_shards_place_id(&st->map, ids[k]) : of[k];
	for (size_t i = 0; !rc && i < st->n; i++)
		rc = put_to(base, i, of, ids, rows, n, dim, err);
	if (!rc)
		rc = ims_shards_use_ids(st, ids, n, err);
	ims_free(of);
	return rc;
}

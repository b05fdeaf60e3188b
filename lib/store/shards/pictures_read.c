/* Reads pictures of all shards. */
#include "store/shards/feed.h"

#include <string.h>

/* ------------------------------------------------------------------------- one by one ---- */

typedef enum key_kind { BY_ID, BY_PLACE, BY_HASH } key_kind;

typedef struct getting {
	key_kind kind;
	const void *keys;
	size_t n;
	store_picture *out[SHARDS_MOST]; /* (n) each */
} getting;

static int get_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	getting *g = arg;
	const store_pictures_table *p = &shard->engine->pictures;
	g->out[i] = ims_zalloc(g->n, sizeof *g->out[i]);
	return !g->out[i]        ? ims_nomem(err)
		: g->kind == BY_ID   ? p->get(shard, g->keys, g->n, g->out[i], err)
		: g->kind == BY_HASH ? p->by_hash(shard, g->keys, g->n, g->out[i], err)
							 : p->find(shard, g->keys, g->n, g->out[i], err);
}

/* An indexed one before one that was deleted; while a bucket moves, it may be in two shards. */
static bool is_better(const store_picture *a, const store_picture *b)
{
	return a->path && (!b->path || (a->state == IMGSEARCH_STATE_INDEXED && b->state != a->state));
}

static int get(store *base, key_kind kind, const void *keys, size_t n, store_picture *out,
	imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	getting g = { .kind = kind, .keys = keys, .n = n };
	if (!n)
		return 0;
	int rc = ims_shards_at_once(base, get_one, &g, err);
	memset(out, 0, n * sizeof *out);
	for (size_t i = 0; i < st->n; i++) {
		for (size_t k = 0; !rc && g.out[i] && k < n; k++)
			if (is_better(&g.out[i][k], &out[k])) {
				store_picture was = out[k];
				out[k] = g.out[i][k];
				g.out[i][k] = was;
			}
		if (g.out[i])
			ims_store_pictures_clear(g.out[i], n);
		ims_free(g.out[i]);
	}
	return rc;
}

int ims_shards_get(store *st, const int64_t *ids, size_t n, store_picture *out,
	imgsearch_error *err)
{
	return get(st, BY_ID, ids, n, out, err);
}

int ims_shards_find(store *st, const store_place *at, size_t n, store_picture *out,
	imgsearch_error *err)
{
	return get(st, BY_PLACE, at, n, out, err);
}

int ims_shards_by_hash(store *st, const hash256 *hashes, size_t n, store_picture *out,
	imgsearch_error *err)
{
	return get(st, BY_HASH, hashes, n, out, err);
}

typedef struct presence_call {
	const int64_t *ids;
	size_t n;
	uint8_t *of[SHARDS_MOST];
} presence_call;

static int read_presences(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	presence_call *p = arg;
	p->of[i] = ims_zalloc(p->n + 1, 1);
	return p->of[i] ? shard->engine->pictures.presences(shard, p->ids, p->n, p->of[i], err)
					: ims_nomem(err);
}

int ims_shards_locate(store *base, const int64_t *ids, size_t n, int *of, uint8_t *presence,
	imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	presence_call p = { .ids = ids, .n = n };
	int rc = n ? ims_shards_at_once(base, read_presences, &p, err) : 0;
	for (size_t k = 0; k < n; k++) {
		of[k] = -1;
		if (presence)
			presence[k] = STORE_ABSENT;
	}
	for (size_t i = 0; i < st->n; i++) {
		for (size_t k = 0; !rc && p.of[i] && k < n; k++)
			if (p.of[i][k] != STORE_ABSENT && of[k] < 0) {
				of[k] = (int)i;
				if (presence)
					presence[k] = p.of[i][k];
			}
		ims_free(p.of[i]);
	}
	return rc;
}

int ims_shards_presences(store *st, const int64_t *ids, size_t n, uint8_t *presence,
	imgsearch_error *err)
{
	int *of = ims_alloc(n, sizeof *of);
	int rc = of ? ims_shards_locate(st, ids, n, of, presence, err) : ims_nomem(err);
	ims_free(of);
	return rc;
}

int ims_shards_has_size(store *st, uint64_t size, bool *has, imgsearch_error *err)
{
	(void)st, (void)size, (void)err;
	*has = true;
	return 0;
}

/* ----------------------------------------------------------------- what belongs to ids ---- */

/*
 * Each shard reports those of the ids that it has. So they come shard by shard, those of one id
 * together. Of an id that two shards have, while its bucket moves, the first one's count.
 */
typedef struct looking {
	const int64_t *ids;
	size_t n;
	int *of; /* (n): the shard that reported ids[i]; -1: none yet */
	size_t shard;
	shard_part part; /* what that one is asked for */
	store_lookup_each *lookup;
	store_path_each *path;
	store_facts_each *facts;
	void *user;
} looking;

static bool is_first(looking *l, size_t i)
{
	if (l->of[i] < 0)
		l->of[i] = (int)l->shard;
	return l->of[i] == (int)l->shard;
}

static int pass_lookup(void *user, size_t k, const store_picture *p, const char *root_path,
	const store_cell *cell)
{
	looking *l = user;
	size_t i = l->part.at[k];
	return is_first(l, i) ? l->lookup(l->user, i, p, root_path, cell) : 0;
}

static int pass_path(void *user, size_t k, const store_picture *p, const char *root_path)
{
	looking *l = user;
	size_t i = l->part.at[k];
	return is_first(l, i) ? l->path(l->user, i, p, root_path) : 0;
}

static int pass_facts(void *user, size_t k, const char *const *fact)
{
	looking *l = user;
	size_t i = l->part.at[k];
	return is_first(l, i) ? l->facts(l->user, i, fact) : 0;
}

static int look(store *base, looking *l, shard_call *f, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int *known = ims_alloc(l->n, sizeof *known);
	l->of = ims_alloc(l->n, sizeof *l->of);
	int rc = known && l->of ? 0 : ims_nomem(err);
	for (size_t k = 0; !rc && k < l->n; k++)
		l->of[k] = -1;
	if (!rc)
		ims_shards_recall(st, l->ids, l->n, known);
	for (size_t i = 0; !rc && i < st->n; i++) {
		if (!ims_shards_has(st, i))
			continue;
		l->shard = i;
		rc = ims_shards_part(&l->part, l->ids, l->n, known, i, err);
		if (!rc && l->part.n)
			rc = ims_shards_one(st, i, f, l, err);
		ims_shards_part_free(&l->part);
	}
	ims_free(known);
	ims_free(l->of);
	return rc;
}

static int lookup_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	looking *l = arg;
	(void)i;
	return shard->engine->pictures.lookup(shard, l->part.ids, l->part.n, pass_lookup, l, err);
}

static int paths_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	looking *l = arg;
	(void)i;
	return shard->engine->pictures.paths_of(shard, l->part.ids, l->part.n, pass_path, l, err);
}

static int other_paths_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	looking *l = arg;
	(void)i;
	return shard->engine->pictures.other_paths(shard, l->part.ids, l->part.n, pass_path, l, err);
}

static int facts_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	looking *l = arg;
	(void)i;
	return shard->engine->pictures.facts(shard, l->part.ids, l->part.n, pass_facts, l, err);
}

int ims_shards_lookup(store *st, const int64_t *ids, size_t n, store_lookup_each *each, void *user,
	imgsearch_error *err)
{
	looking l = { .ids = ids, .n = n, .lookup = each, .user = user };
	return look(st, &l, lookup_one, err);
}

int ims_shards_paths_of(store *st, const int64_t *ids, size_t n, store_path_of *each, void *user,
	imgsearch_error *err)
{
	looking l = { .ids = ids, .n = n, .path = each, .user = user };
	return look(st, &l, paths_one, err);
}

int ims_shards_other_paths(store *st, const int64_t *ids, size_t n, store_path_each *each,
	void *user, imgsearch_error *err)
{
	looking l = { .ids = ids, .n = n, .path = each, .user = user };
	return look(st, &l, other_paths_one, err);
}

int ims_shards_facts(store *st, const int64_t *ids, size_t n, store_facts_each *each, void *user,
	imgsearch_error *err)
{
	looking l = { .ids = ids, .n = n, .facts = each, .user = user };
	return look(st, &l, facts_one, err);
}

typedef struct columns_call {
	int64_t id;
	int known; /* the shard that has it; -1: any */
	store_cell **out;
	size_t *n;
} columns_call;

static int columns_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	columns_call *c = arg;
	return *c->n || (c->known >= 0 && c->known != (int)i)
		? 0
		: shard->engine->pictures.columns(shard, c->id, c->out, c->n, err);
}

int ims_shards_columns(store *st, int64_t id, store_cell **out, size_t *n, imgsearch_error *err)
{
	columns_call c = { .id = id, .out = out, .n = n };
	*out = NULL;
	*n = 0;
	ims_shards_recall((shard_store *)st, &id, 1, &c.known);
	return ims_shards_each(st, columns_one, &c, err);
}

/* -------------------------------------------------------------------- in order of path ---- */

static void put_text(buf *b, const char *text)
{
	size_t n = text ? strlen(text) + 1 : 0; /* 0: NULL */
	ims_buf_u32(b, (uint32_t)n);
	ims_buf_put(b, text, n);
}

static const char *get_text(reader *r)
{
	size_t n = ims_read_u32(r);
	return n ? ims_read_bytes(r, n) : NULL;
}

static void put_time(buf *b, timestamp t)
{
	ims_buf_put(b, &t, sizeof t);
}

static timestamp get_time(reader *r)
{
	timestamp t = { 0 };
	const void *from = ims_read_bytes(r, sizeof t);
	if (from)
		memcpy(&t, from, sizeof t);
	return t;
}

static void put_picture(buf *b, const store_picture *p, const char *root_path)
{
	ims_buf_u64(b, (uint64_t)p->id);
	ims_buf_u64(b, (uint64_t)p->root);
	put_text(b, p->path);
	put_text(b, root_path);
	ims_buf_u64(b, p->size);
	put_time(b, p->mtime);
	put_time(b, p->ctime);
	ims_buf_u32(b, p->state);
	put_text(b, p->reason);
	ims_buf_u32(b, p->width);
	ims_buf_u32(b, p->height);
	ims_buf_put(b, &p->hash, sizeof p->hash);
	ims_buf_u64(b, (uint64_t)p->same_as);
	ims_buf_u64(b, (uint64_t)p->same_file);
	ims_buf_u8(b, p->has_id);
	ims_buf_u8(b, p->has_ctime);
	ims_buf_u32(b, p->pixels);
	ims_buf_u32(b, p->facts_version);
	ims_buf_u64(b, p->sidecars);
}

/* Borrowed from r. */
static void get_picture(reader *r, store_picture *p, const char **root_path)
{
	*p = (store_picture){ 0 };
	p->id = (int64_t)ims_read_u64(r);
	p->root = (int64_t)ims_read_u64(r);
	p->path = get_text(r);
	*root_path = get_text(r);
	p->root_path = *root_path;
	p->size = ims_read_u64(r);
	p->mtime = get_time(r);
	p->ctime = get_time(r);
	p->state = ims_read_u32(r);
	p->reason = get_text(r);
	p->width = ims_read_u32(r);
	p->height = ims_read_u32(r);
	const void *hash = ims_read_bytes(r, sizeof p->hash);
	if (hash)
		memcpy(&p->hash, hash, sizeof p->hash);
	p->same_as = (int64_t)ims_read_u64(r);
	p->same_file = (int64_t)ims_read_u64(r);
	p->has_id = ims_read_u8(r);
	p->has_ctime = ims_read_u8(r);
	p->pixels = ims_read_u32(r);
	p->facts_version = ims_read_u32(r);
	p->sidecars = ims_read_u64(r);
}

typedef struct listing {
	uint32_t state;
	bool single;
	store_picture_each *each;
	void *user;
} listing;

typedef struct row_sender {
	feed_sender *to;
	buf key, row;
} row_sender;

/* In the order of the engine: that of root and path, one after the other. No text holds a NUL. */
static int send_picture(void *user, const store_picture *p, const char *root_path)
{
	row_sender *s = user;
	s->key.len = s->row.len = 0;
	ims_buf_put(&s->key, root_path, strlen(root_path));
	ims_buf_u8(&s->key, '/');
	ims_buf_u8(&s->key, 0);
	ims_buf_put(&s->key, p->path, strlen(p->path));
	put_picture(&s->row, p, root_path);
	return ims_feed_send(s->to, &s->key, &s->row);
}

static int send_pictures(void *arg, store *shard, feed_sender *to, imgsearch_error *err)
{
	const listing *l = arg;
	const store_pictures_table *p = &shard->engine->pictures;
	row_sender s = { .to = to };
	int rc = l->single ? p->each_single(shard, send_picture, &s, err)
					   : p->each(shard, l->state, send_picture, &s, err);
	ims_buf_free(&s.key);
	ims_buf_free(&s.row);
	return rc;
}

static int take_picture(void *arg, const uint8_t *key, reader *row, imgsearch_error *err)
{
	const listing *l = arg;
	(void)key;
	const char *root_path;
	store_picture p;
	get_picture(row, &p, &root_path);
	if (row->failed)
		return ims_fail(err, IMGSEARCH_EDB, "a row of a shard is cut off");
	return l->each(l->user, &p, root_path);
}

static int list(store *st, listing *l, imgsearch_error *err)
{
	feed f = { send_pictures, take_picture, l };
	return ims_feed_run(st, &f, err);
}

int ims_shards_each_picture(store *st, uint32_t state, store_picture_each *each, void *user,
	imgsearch_error *err)
{
	return list(st, &(listing){ .state = state, .each = each, .user = user }, err);
}

int ims_shards_each_single(store *st, store_picture_each *each, void *user, imgsearch_error *err)
{
	return list(st, &(listing){ .single = true, .each = each, .user = user }, err);
}

/* ------------------------------------------------------------------------- shard by shard ---- */

typedef struct each_call {
	store_picture_each *twin;
	store_described_each *described;
	store_signature_each *signature;
	void *user;
} each_call;

static int twins_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const each_call *e = arg;
	(void)i;
	return shard->engine->pictures.each_twin(shard, e->twin, e->user, err);
}

static int described_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const each_call *e = arg;
	(void)i;
	return shard->engine->pictures.each_described(shard, e->described, e->user, err);
}

static int signatures_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const each_call *e = arg;
	(void)i;
	return shard->engine->pictures.signatures(shard, e->signature, e->user, err);
}

int ims_shards_each_twin(store *st, store_picture_each *each, void *user, imgsearch_error *err)
{
	return ims_shards_each(st, twins_one, &(each_call){ .twin = each, .user = user }, err);
}

int ims_shards_each_described(store *st, store_described_each *each, void *user,
	imgsearch_error *err)
{
	return ims_shards_each(st, described_one, &(each_call){ .described = each, .user = user }, err);
}

int ims_shards_signatures(store *st, store_signature_each *each, void *user, imgsearch_error *err)
{
	return ims_shards_each(st, signatures_one, &(each_call){ .signature = each, .user = user },
		err);
}

typedef struct signature_call {
	int64_t picture;
	const hash256 *hash;
	buf *out;
	bool found;
} signature_call;

static int signature_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	signature_call *c = arg;
	(void)i;
	if (c->found)
		return 0;
	int rc = shard->engine->pictures.signature_get(shard, c->picture, c->hash, c->out, err);
	c->found = !rc;
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

int ims_shards_signature_get(store *st, int64_t picture, const hash256 *hash, buf *out,
	imgsearch_error *err)
{
	signature_call c = { picture, hash, out, false };
	int rc = ims_shards_each(st, signature_one, &c, err);
	return rc || c.found ? rc : IMGSEARCH_ENOTFOUND;
}

typedef struct file_call {
	int64_t picture;
	const hash256 *wanted;
	buf *out;
	hash256 *hash;
	bool found;
} file_call;

static int file_get_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	file_call *c = arg;
	(void)i;
	if (c->found)
		return 0;
	int rc = shard->engine->pictures.file_get(shard, c->picture, c->out, c->hash, err);
	c->found = !rc;
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

int ims_shards_file_get(store *st, int64_t picture, buf *out, hash256 *hash, imgsearch_error *err)
{
	file_call c = { .picture = picture, .out = out, .hash = hash };
	int rc = ims_shards_each(st, file_get_one, &c, err);
	return rc || c.found ? rc : IMGSEARCH_ENOTFOUND;
}

static int file_find_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	file_call *c = arg;
	(void)i;
	return c->picture ? 0 : shard->engine->pictures.file_find(shard, c->wanted, &c->picture, err);
}

int ims_shards_file_find(store *st, const hash256 *hash, int64_t *picture, imgsearch_error *err)
{
	file_call c = { .wanted = hash };
	int rc = ims_shards_each(st, file_find_one, &c, err);
	*picture = rc ? 0 : c.picture;
	return rc;
}

/* ----------------------------------------------------------------------------------- ids ---- */

typedef struct ids_call {
	const char *folder; /* NULL: a list of the store */
	store_id_list list;
	int64_t *ids;
	size_t n;
} ids_call;

static int ids_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	ids_call *c = arg;
	int64_t *more = NULL;
	size_t n = 0;
	(void)i;
	int rc = c->folder ? shard->engine->pictures.ids_under(shard, c->folder, &more, &n, err)
					   : shard->engine->rows.ids(shard, c->list, &more, &n, err);
	int64_t *all = rc ? NULL : ims_realloc(c->ids, c->n + n + 1, sizeof *all);
	if (!rc && !all)
		rc = ims_nomem(err);
	if (!rc) {
		c->ids = all;
		if (n)
			memcpy(all + c->n, more, n * sizeof *all);
		c->n += n;
	}
	ims_free(more);
	return rc;
}

static int read_ids(store *st, ids_call *c, int64_t **ids, size_t *n, imgsearch_error *err)
{
	*ids = NULL;
	*n = 0;
	int rc = ims_shards_each(st, ids_one, c, err);
	if (rc) {
		ims_free(c->ids);
		return rc;
	}
	*ids = c->ids;
	*n = c->n ? ims_ids_sort(c->ids, c->n) : 0;
	return 0;
}

int ims_shards_ids_under(store *st, const char *folder, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	return read_ids(st, &(ids_call){ .folder = folder }, ids, n, err);
}

int ims_shards_ids(store *st, store_id_list list, int64_t **ids, size_t *n, imgsearch_error *err)
{
	return read_ids(st, &(ids_call){ .list = list }, ids, n, err);
}

/* ------------------------------------------------------------------- sums and the rest ---- */

typedef int count_function(store *shard, uint64_t *n, imgsearch_error *err);
typedef struct sum_call {
	count_function *of;
	uint64_t n;
} sum_call;

static int sum_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	sum_call *c = arg;
	uint64_t n = 0;
	(void)i;
	int rc = c->of(shard, &n, err);
	c->n += n;
	return rc;
}

static int sum(store *st, count_function *of, uint64_t *n, imgsearch_error *err)
{
	sum_call c = { .of = of };
	int rc = ims_shards_each(st, sum_one, &c, err);
	*n = c.n;
	return rc;
}

int ims_shards_file_bytes(store *st, uint64_t *bytes, imgsearch_error *err)
{
	return sum(st, ims_store_file_bytes, bytes, err);
}

int ims_shards_unconverted(store *st, uint64_t *n, imgsearch_error *err)
{
	return sum(st, ims_store_unconverted, n, err);
}

int ims_shards_dated(store *st, uint64_t *n, imgsearch_error *err)
{
	return sum(st, ims_store_dated, n, err);
}

int ims_shards_each_rejected(store *base, store_rejected_each *each, void *user,
	imgsearch_error *err)
{
	store *first = ims_shards_first((shard_store *)base);
	return first->engine->pictures.each_rejected(first, each, user, err);
}

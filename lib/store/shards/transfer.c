/*
 * The tables of all shards as one: a copy of an index of shards into another place, and of another
 * index into shards. There ids stay, and each row goes where the bytes of its picture belong.
 */
#include "store/shards/shards.h"

#include <string.h>

int ims_shards_add_row(void *user, const store_value *row, imgsearch_error *err)
{
	copied_rows *c = user;
	ims_store_rows_add(&c->rows, row, c->shape->columns);
	return c->rows.data.failed ? ims_nomem(err) : 0;
}

/* The tables that are the same in all shards. */
static bool is_common(store_table table)
{
	switch (table) {
	case TABLE_SETTING:
	case TABLE_MODEL:
	case TABLE_ROOT:
	case TABLE_LIST:
	case TABLE_REJECTED:
	case TABLE_SEARCHER:
	case TABLE_CHUNK:
		return true;
	default:
		return false;
	}
}

typedef struct part {
	copied_rows rows;
	reader rest;
	store_value row[TABLE_COLUMNS_MOST];
	size_t left;
	bool has; /* row is the next one */
} part;

static void advance(part *p)
{
	p->has = p->left && ims_store_rows_next(&p->rest, p->row, p->rows.shape->columns);
	p->left -= p->has;
}

/* Keys of these tables are numbers. */
static int compare(const part *a, const part *b)
{
	int c = 0;
	for (size_t i = 0; !c && a->rows.shape->keys[i]; i++)
		c = (a->row[i].number > b->row[i].number) - (a->row[i].number < b->row[i].number);
	return c;
}

/* The rows in order, each key once; the tallies of one key are added up. */
static int merge(part *p, size_t n, store_table table, int64_t most, store_table_each *each,
	void *user, imgsearch_error *err)
{
	int rc = 0;
	for (int64_t k = 0; !rc && k < most; k++) {
		part *first = NULL;
		for (size_t i = 0; i < n; i++)
			if (p[i].has && (!first || compare(&p[i], first) < 0))
				first = &p[i];
		if (!first)
			break;
		part row = *first;
		for (size_t i = 0; i < n; i++) {
			if (!p[i].has || compare(&p[i], &row))
				continue;
			if (table == TABLE_TALLY && &p[i] != first)
				row.row[1].number += p[i].row[1].number;
			advance(&p[i]);
		}
		rc = each(user, row.row, err);
	}
	return rc;
}

typedef struct reading {
	store_table table;
	const store_value *after;
	int64_t most;
	part *part;
} reading;

static int read_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	reading *r = arg;
	part *p = &r->part[i];
	p->rows.shape = &ims_store_tables[r->table];
	int rc = shard->engine->transfer.each(shard, r->table, r->after, r->most, ims_shards_add_row,
		&p->rows, err);
	p->rest = (reader){ .data = p->rows.rows.data.data, .len = p->rows.rows.data.len };
	p->left = p->rows.rows.n;
	advance(p);
	return rc;
}

static int read_page(shard_store *st, store_table table, const store_value *after, int64_t most,
	store_table_each *each, void *user, imgsearch_error *err)
{
	part *p = ims_zalloc(st->n, sizeof *p);
	reading r = { table, after, most, p };
	int rc = p ? ims_shards_each(&st->base, read_one, &r, err) : ims_nomem(err);
	if (!rc)
		rc = merge(p, st->n, table, most, each, user, err);
	for (size_t i = 0; p && i < st->n; i++)
		ims_buf_free(&p[i].rows.rows.data);
	ims_free(p);
	return rc;
}

typedef struct paging {
	const store_shape *shape;
	store_table_each *each;
	void *user;
	store_value last[TABLE_KEYS_MOST];
	int64_t n;
} paging;

static int pass_row(void *user, const store_value *row, imgsearch_error *err)
{
	paging *p = user;
	p->n++;
	for (size_t i = 0; p->shape->keys[i]; i++)
		p->last[i] = row[i];
	return p->each(p->user, row, err);
}

/* In pages, so that memory is bounded. The log of changes is not that of one index: it is empty. */
int ims_shards_table_each(store *base, store_table table, const store_value *after, int64_t most,
	store_table_each *each, void *user, imgsearch_error *err)
{
	enum { PAGE = 1000 };
	shard_store *st = (shard_store *)base;
	store *first = ims_shards_first(st);
	if (is_common(table))
		return first->engine->transfer.each(first, table, after, most, each, user, err);
	if (table == TABLE_CHANGE)
		return 0;
	paging p = { .shape = &ims_store_tables[table], .each = each, .user = user };
	memcpy(p.last, after, strlen(p.shape->keys) * sizeof *after);
	int rc;
	int64_t done = 0, page;
	do {
		page = most - done < PAGE ? most - done : PAGE;
		p.n = 0;
		rc = read_page(st, table, p.last, page, pass_row, &p, err);
		done += p.n;
	} while (!rc && p.n == page && done < most);
	return rc;
}

/* ------------------------------------------------------------------------ into shards ---- */

static int begin_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	(void)arg, (void)i;
	return shard->engine->transfer.begin(shard, err);
}

int ims_shards_transfer_begin(store *st, imgsearch_error *err)
{
	return ims_shards_each(st, begin_one, NULL, err);
}

void ims_shards_transfer_end(store *base)
{
	const shard_store *st = (const shard_store *)base;
	for (size_t i = 0; i < st->n; i++)
		st->shard[i]->engine->transfer.end(st->shard[i]);
}

static int clear_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	(void)arg, (void)i;
	return shard->engine->transfer.clear(shard, err);
}

int ims_shards_transfer_clear(store *st, imgsearch_error *err)
{
	return ims_shards_each(st, clear_one, NULL, err);
}

typedef struct spreading {
	store_table table;
	const store_rows *rows;
	int64_t *ids; /* (rows.n) */
	int *of;      /* (rows.n): their shards */
} spreading;

/* Where the bytes of a picture belong, which no shard has yet. */
static int place_picture(const shard_map *map, const store_value *row, int *of,
	imgsearch_error *err)
{
	enum { PATH = 2, HASH = 10 };
	hash256 hash = { 0 };
	char *path = ims_strndup(row[PATH].data, row[PATH].size);
	if (!path)
		return ims_nomem(err);
	if (row[HASH].kind == VALUE_BYTES && row[HASH].size == sizeof hash)
		memcpy(&hash, row[HASH].data, sizeof hash);
	*of = (int)ims_shards_place(map, &hash, path);
	ims_free(path);
	return 0;
}

static int place_rows(shard_store *st, spreading *s, imgsearch_error *err)
{
	reader r = { .data = s->rows->data.data, .len = s->rows->data.len };
	store_value row[TABLE_COLUMNS_MOST];
	size_t columns = ims_store_tables[s->table].columns, n = s->rows->n;
	int rc = 0;
	for (size_t k = 0; !rc && k < n && ims_store_rows_next(&r, row, columns); k++) {
		s->ids[k] = row[0].number;
		if (s->table == TABLE_PICTURE)
			rc = place_picture(&st->map, row, &s->of[k], err);
	}
	if (!rc && s->table != TABLE_PICTURE)
		rc = ims_shards_locate(&st->base, s->ids, n, s->of, NULL, err);
	for (size_t k = 0; !rc && k < n; k++)
		if (s->of[k] < 0) /* a vector without a picture */
			s->of[k] = (int)ims_shards_place_id(&st->map, s->ids[k]);
	bool gives = s->table >= TABLE_PICTURE && s->table <= TABLE_KEPT;
	return rc || !gives ? rc : ims_shards_use_ids(st, s->ids, n, err);
}

static int put_some(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const spreading *s = arg;
	store_rows some = { 0 };
	reader r = { .data = s->rows->data.data, .len = s->rows->data.len };
	store_value row[TABLE_COLUMNS_MOST];
	size_t columns = ims_store_tables[s->table].columns;
	for (size_t k = 0; k < s->rows->n && ims_store_rows_next(&r, row, columns); k++)
		if (s->of[k] == (int)i)
			ims_store_rows_add(&some, row, columns);
	int rc = some.data.failed ? ims_nomem(err)
		: some.n              ? shard->engine->transfer.put(shard, s->table, &some, err)
							  : 0;
	ims_buf_free(&some.data);
	return rc;
}

static int put_all(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	const spreading *s = arg;
	(void)i;
	return shard->engine->transfer.put(shard, s->table, s->rows, err);
}

/*
 * What is the same in all shards goes into all. So does the log of changes: a state of a searcher
 * that is older than the vectors finds in each what changed since. Each shard counts anew.
 */
int ims_shards_transfer_put(store *base, store_table table, const store_rows *rows,
	imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	spreading s = { .table = table, .rows = rows };
	if (table == TABLE_TALLY)
		return 0;
	if (is_common(table) || table == TABLE_CHANGE)
		return ims_shards_each(base, put_all, &s, err);
	s.ids = ims_alloc(rows->n, sizeof *s.ids);
	s.of = ims_alloc(rows->n, sizeof *s.of);
	int rc = s.ids && s.of ? place_rows(st, &s, err) : ims_nomem(err);
	if (!rc)
		rc = ims_shards_each(base, put_some, &s, err);
	ims_free(s.ids);
	ims_free(s.of);
	return rc;
}

/* Each goes on with the ids of its own range. */
int ims_shards_transfer_finish(store *base, int64_t max_id, int64_t change, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int rc = 0;
	if (max_id >> SHARD_RANGE == 0)
		rc = ims_shards_use_ids(st, &max_id, 1, err);
	for (size_t i = 0; !rc && i < st->n; i++) {
		store *shard = st->shard[i];
		int64_t largest;
		rc = shard->engine->changes.max_id(shard, &largest, err);
		if (!rc)
			rc = shard->engine->transfer.finish(shard, largest, change, err);
		if (!rc)
			rc = shard->engine->shard.count(shard, err);
	}
	return rc;
}

/* Each transaction of a copy writes the setting into all shards. */
int ims_shards_transfer_cut_off(store *base, bool *cut, imgsearch_error *err)
{
	static const char setting[] = "copy";
	const shard_store *st = (const shard_store *)base;
	buf first = { 0 };
	int rc = st->shard[0]->engine->settings.get(st->shard[0], setting, &first, err);
	*cut = false;
	for (size_t i = 1; !rc && i < st->n; i++) {
		buf other = { 0 };
		rc = st->shard[i]->engine->settings.get(st->shard[i], setting, &other, err);
		*cut |= other.len != first.len || (first.len && memcmp(first.data, other.data, first.len));
		ims_buf_free(&other);
	}
	ims_buf_free(&first);
	return rc;
}

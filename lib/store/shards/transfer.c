/* The tables of all shards as one: a copy of an index of shards into any other place. */
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

#include "store/postgres/items.h"

#include "store/postgres/pictures.h"

#include <stdlib.h>
#include <string.h>

/* Where an id lies in the result. */
typedef struct item_place {
	int64_t id;
	int row;
} item_place;

struct pg_items {
	pg_items *next;
	size_t n;
	item_place *place; /* (n), sorted by id */
	pg_result *item, *cell, *path;
};

/* `of` is an expression: the ids. */
#define ITEM(of) "SELECT * FROM ims_items(" of ")"
#define CELL(of) "SELECT * FROM ims_item_cells(" of ")"
#define PATH(of) "SELECT * FROM ims_item_paths(" of ")"
#define FOUND "current_setting('imgsearch.found')::bigint[]"

void ims_pg_items_ask(pg_statement s[PG_ITEM_STATEMENTS], pg_params p[PG_ITEM_STATEMENTS],
	const int64_t *ids, size_t n)
{
	static const char *const sql[] = { ITEM("$1"), CELL("$1"), PATH("$1") };
	for (int i = 0; i < PG_ITEM_STATEMENTS; i++) {
		p[i] = (pg_params){ 0 };
		ims_pg_int8_array(&p[i], ids, n);
		s[i] = (pg_statement){ .sql = sql[i], .stays = true, .p = &p[i] };
	}
}

void ims_pg_items_ask_found(pg_statement s[PG_ITEM_STATEMENTS])
{
	static const char *const sql[] = { ITEM(FOUND), CELL(FOUND), PATH(FOUND) };
	for (int i = 0; i < PG_ITEM_STATEMENTS; i++)
		s[i] = (pg_statement){ .sql = sql[i], .stays = true };
}

static int by_id(const void *a, const void *b)
{
	int64_t x = ((const item_place *)a)->id, y = ((const item_place *)b)->id;
	return x < y ? -1 : x > y;
}

/* The results become the snapshot's; they are cleared on failure. */
static int take_items(pg_snapshot *snapshot, pg_statement s[PG_ITEM_STATEMENTS],
	imgsearch_error *err)
{
	pg_items *items = ims_zalloc(1, sizeof *items);
	size_t n = (size_t)ims_pg_count(s[0].out);
	item_place *place = ims_alloc(n, sizeof *place);
	if (!items || !place) {
		ims_free(items);
		ims_free(place);
		for (int i = 0; i < PG_ITEM_STATEMENTS; i++)
			ims_pg_clear(s[i].out);
		return ims_nomem(err);
	}
	*items = (pg_items){ snapshot->items, n, place, s[0].out, s[1].out, s[2].out };
	for (size_t i = 0; i < n; i++)
		place[i] = (item_place){ ims_pg_number(items->item, (int)i, 0), (int)i };
	qsort(place, n, sizeof *place, by_id);
	snapshot->items = items;
	return 0;
}

void ims_pg_items_free(pg_items *items)
{
	while (items) {
		pg_items *next = items->next;
		ims_pg_clear(items->item);
		ims_pg_clear(items->cell);
		ims_pg_clear(items->path);
		ims_free(items->place);
		ims_free(items);
		items = next;
	}
}

size_t ims_pg_items_count(const pg_snapshot *snapshot)
{
	size_t n = 0;
	for (const pg_items *i = snapshot->items; i; i = i->next)
		n += i->n;
	return n;
}

pg_item ims_pg_item(const pg_snapshot *snapshot, int64_t id)
{
	item_place wanted = { .id = id };
	for (const pg_items *i = snapshot->items; i; i = i->next) {
		const item_place *p = bsearch(&wanted, i->place, i->n, sizeof wanted, by_id);
		if (p)
			return (pg_item){ i->item, p->row, i, id };
	}
	return (pg_item){ .r = NULL };
}

int ims_pg_items_run(pg_store *st, pg_snapshot *snapshot, pg_statement *s, size_t n, bool changes,
	imgsearch_error *err)
{
	enum { MOST = 4 };
	pg_statement all[MOST + PG_ITEM_STATEMENTS + 1];
	size_t count = n + PG_ITEM_STATEMENTS;
	bool asks = snapshot->assumed;
	pg_link *l;
	int rc = ims_pg_acquire(st, &l, err);
	if (rc)
		return rc;
	memcpy(all, s, count * sizeof *all);
	if (asks)
		all[count] = ims_pg_state_ask();
	rc = ims_pg_batch(l, all, count + asks, err);
	ims_pg_release(st, l);
	memcpy(s, all, count * sizeof *s);
	if (rc)
		return rc;
	if (asks)
		rc = ims_pg_state_compare(st, snapshot, all[count].out, changes, err);
	ims_pg_clear(asks ? all[count].out : NULL);
	int taken = take_items(snapshot, s + n, rc ? NULL : err);
	for (size_t i = 0; (rc || taken) && i < n; i++) {
		ims_pg_clear(s[i].out);
		s[i].out = NULL;
	}
	return rc ? rc : taken;
}

static int read_items(pg_snapshot *snapshot, pg_store *st, const int64_t *ids, size_t n,
	imgsearch_error *err)
{
	pg_statement s[PG_ITEM_STATEMENTS];
	pg_params p[PG_ITEM_STATEMENTS];
	ims_pg_items_ask(s, p, ids, n);
	return ims_pg_items_run(st, snapshot, s, 0, true, err);
}

int ims_pg_items_have(store *base, const int64_t *ids, size_t n, bool read, pg_snapshot **out,
	imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	pg_snapshot *snapshot = ims_pg_snapshot_get(st);
	int64_t lacking[PG_ITEMS];
	size_t lack = 0;
	*out = NULL;
	if (!snapshot || n > PG_ITEMS)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!ims_pg_item(snapshot, ids[i]).r)
			lacking[lack++] = ids[i];
	if (lack && !read)
		return 0;
	int rc = lack ? read_items(snapshot, st, lacking, lack, err) : 0;
	*out = rc ? NULL : snapshot;
	return rc;
}

/* Rows of a result that is sorted by its first column. */
static size_t find_rows(const pg_result *r, int64_t id, int *first)
{
	int n = ims_pg_count(r), low = 0, high = n;
	while (low < high) {
		int middle = low + (high - low) / 2;
		if (ims_pg_number(r, middle, 0) < id)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	while (low < n && ims_pg_number(r, low, 0) == id)
		low++;
	return (size_t)(low - *first);
}

size_t ims_pg_item_cells(const pg_item *item, const pg_result **r, int *first)
{
	*r = item->items->cell;
	return find_rows(*r, item->id, first);
}

size_t ims_pg_item_paths(const pg_item *item, const pg_result **r, int *first)
{
	*r = item->items->path;
	return find_rows(*r, item->id, first);
}

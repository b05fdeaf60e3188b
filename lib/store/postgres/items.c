#include "store/postgres/items.h"

#include "store/postgres/pictures.h"
#include "store/postgres/statement.h"

#include <stdlib.h>
#include <string.h>

/* Where an id lies in the result of items. */
typedef struct item_place {
	int64_t id;
	int row; /* -1: they were not read here */
} item_place;

struct pg_items {
	pg_items *next;
	size_t n;
	item_place *place;         /* (n), sorted by id */
	pg_result *part[PG_PARTS]; /* NULL: not read here; all but items sorted by id */
};

/* ------------------------------------------------------------------------------ reading ---- */

/* By ids that are a parameter, and by those that were found. */
#define OF(function) \
	{ \
		"SELECT * FROM " function "($1)", \
			"SELECT * FROM " function "(current_setting('imgsearch.found')::bigint[])" \
	}
static const char *const part_sql[PG_PARTS][2] = {
	[PG_OF_ITEM] = OF("ims_items"),
	[PG_OF_CELLS] = OF("ims_item_cells"),
	[PG_OF_FACTS] = OF("ims_item_facts"),
	[PG_OF_PATHS] = OF("ims_item_paths"),
};

/* The statements of an ask, and its parts in their order; how many. */
static size_t make_statements(const pg_items_ask *ask, pg_statement s[PG_PARTS],
	pg_params p[PG_PARTS], pg_part part[PG_PARTS])
{
	size_t n = 0;
	for (int i = 0; i < PG_PARTS; i++) {
		if (!(ask->parts >> i & 1))
			continue;
		p[n] = (pg_params){ 0 };
		if (ask->ids)
			ims_pg_int8_array(&p[n], ask->ids, ask->n);
		s[n] = (pg_statement){
			.sql = part_sql[i][!ask->ids],
			.stays = true,
			.p = ask->ids ? &p[n] : NULL,
		};
		part[n++] = (pg_part)i;
	}
	return n;
}

static int by_id(const void *a, const void *b)
{
	int64_t x = ((const item_place *)a)->id, y = ((const item_place *)b)->id;
	return x < y ? -1 : x > y;
}

/* Where the ids of a list lie: those of its items, or else of the ask. */
static int place_items(pg_items *items, const pg_items_ask *ask, imgsearch_error *err)
{
	const pg_result *r = items->part[PG_OF_ITEM];
	size_t n = r ? (size_t)ims_pg_count(r) : ask->n;
	items->place = ims_alloc(n, sizeof *items->place);
	if (!items->place)
		return ims_nomem(err);
	for (size_t i = 0; i < n; i++)
		if (!r)
			items->place[items->n++] = (item_place){ ask->ids[i], -1 };
		else if (!ims_pg_is_null(r, (int)i, 0)) /* of an index that is gone */
			items->place[items->n++] = (item_place){ ims_pg_number(r, (int)i, 0), (int)i };
	qsort(items->place, items->n, sizeof *items->place, by_id);
	return 0;
}

static void free_one(pg_items *items)
{
	for (int i = 0; i < PG_PARTS; i++)
		ims_pg_clear(items->part[i]);
	ims_free(items->place);
	ims_free(items);
}

void ims_pg_items_free(pg_items *items)
{
	while (items) {
		pg_items *next = items->next;
		free_one(items);
		items = next;
	}
}

static int run(pg_store *st, pg_statement *s, size_t n, imgsearch_error *err)
{
	pg_link *l;
	int rc = ims_pg_acquire(st, &l, err);
	if (rc) {
		for (size_t i = 0; i < n; i++)
			ims_pg_params_done(s[i].p);
		return rc;
	}
	rc = ims_pg_batch(l, s, n, err);
	ims_pg_release(st, l);
	return rc;
}

/*
 * The results of n statements become those of items of the snapshot; they are cleared on failure.
 * given: the items themselves, or NULL; on failure it is left alone.
 */
static int take_items(pg_snapshot *snapshot, const pg_items_ask *ask, pg_result *given,
	const pg_statement *s, const pg_part *part, size_t n, imgsearch_error *err)
{
	pg_items *items = ims_zalloc(1, sizeof *items);
	for (size_t i = 0; i < n; i++)
		if (items)
			items->part[part[i]] = s[i].out;
		else
			ims_pg_clear(s[i].out);
	if (!items)
		return ims_nomem(err);
	if (given)
		items->part[PG_OF_ITEM] = given;
	int rc = place_items(items, ask, err);
	if (rc) {
		if (given)
			items->part[PG_OF_ITEM] = NULL;
		free_one(items);
		return rc;
	}
	items->next = snapshot->items;
	snapshot->items = items;
	return 0;
}

static void clear_all(pg_statement *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ims_pg_clear(s[i].out);
		s[i].out = NULL;
	}
}

int ims_pg_items_run(pg_store *st, pg_snapshot *snapshot, pg_statement *s, size_t n,
	const pg_items_ask *ask, imgsearch_error *err)
{
	enum { MOST = 4 };
	pg_statement all[MOST + PG_PARTS + 2];
	pg_params p[PG_PARTS];
	pg_part part[PG_PARTS];
	bool asks = snapshot->assumed, last = ask->last && ims_pg_snapshot_may_end(st);
	size_t parts = make_statements(ask, all + n, p, part), count = n + parts;
	for (size_t i = 0; i < n; i++)
		all[i] = s[i];
	if (asks)
		all[count++] = ims_pg_state_ask();
	if (last)
		all[count++] = (pg_statement){ .sql = "COMMIT", .stays = true };
	int rc = run(st, all, count, err);
	for (size_t i = 0; i < n; i++)
		s[i].out = all[i].out;
	if (rc)
		return rc;
	if (ask->last)
		ims_pg_snapshot_found(st, snapshot, last);
	if (asks)
		rc = ims_pg_state_compare(st, snapshot, all[n + parts].out, ask->changes, err);
	clear_all(all + n + parts, count - n - parts);
	if (rc)
		clear_all(all + n, parts);
	else
		rc = take_items(snapshot, ask, ask->given ? s[0].out : NULL, all + n, part, parts, err);
	if (rc)
		clear_all(s, n);
	return rc;
}

/* ------------------------------------------------------------------------- what was read ---- */

size_t ims_pg_items_count(const pg_snapshot *snapshot)
{
	size_t n = 0;
	for (const pg_items *i = snapshot->items; i; i = i->next)
		n += i->n;
	return n;
}

unsigned ims_pg_items_parts(const pg_store *st)
{
	return ~atomic_load(&st->not_shown) & PG_ALL_PARTS;
}

void ims_pg_items_learn(pg_store *st, const pg_snapshot *snapshot)
{
	if (snapshot->items)
		atomic_store(&st->not_shown, PG_ALL_PARTS & ~(snapshot->shown | PG_ITEM_ALONE));
}

/* Rows of a result that is sorted by its first column. */
static pg_item find_rows(const pg_result *r, int64_t id)
{
	int n = ims_pg_count(r), low = 0, high = n, end;
	while (low < high) {
		int middle = low + (high - low) / 2;
		if (ims_pg_number(r, middle, 0) < id)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < n && ims_pg_number(r, end, 0) == id;)
		end++;
	return (pg_item){ r, low, end - low };
}

pg_item ims_pg_item(const pg_snapshot *snapshot, int64_t id, pg_part part)
{
	item_place wanted = { .id = id };
	for (const pg_items *i = snapshot->items; i; i = i->next) {
		const item_place *p = i->part[part] ? bsearch(&wanted, i->place, i->n, sizeof wanted, by_id)
											: NULL;
		if (p)
			return part == PG_OF_ITEM ? (pg_item){ i->part[part], p->row, 1 }
									  : find_rows(i->part[part], id);
	}
	return (pg_item){ .r = NULL };
}

int ims_pg_item_picture(const pg_item *item, store_picture *out, imgsearch_error *err)
{
	enum { ID = PG_ITEM_PICTURE, ROOT, PATH, STATE, ROOT_PATH, WIDTH, HEIGHT };
	size_t size;
	*out = (store_picture){
		.id = ims_pg_number(item->r, item->row, ID),
		.root = ims_pg_number(item->r, item->row, ROOT),
		.path = ims_pg_value(item->r, item->row, PATH, &size),
		.state = (uint32_t)ims_pg_number(item->r, item->row, STATE),
		.root_path = ims_pg_value(item->r, item->row, ROOT_PATH, &size),
		.width = (uint32_t)ims_pg_number(item->r, item->row, WIDTH),
		.height = (uint32_t)ims_pg_number(item->r, item->row, HEIGHT),
	};
	return ims_pg_picture_check(out, err);
}

/* What to read where a part of some items lacks. Whoever shows one of the parts shows others. */
static unsigned parts_for(const pg_store *st, pg_part part, bool without_items)
{
	unsigned others = part == PG_OF_ITEM ? ims_pg_items_parts(st) : PG_ALL_PARTS;
	return without_items ? others & ~PG_ITEM_ALONE : others;
}

int ims_pg_items_have(store *base, const int64_t *ids, size_t n, pg_part part, bool read,
	pg_snapshot **out, imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	pg_snapshot *snapshot = ims_pg_snapshot_get(st);
	int64_t lacking[PG_ITEMS];
	pg_items_ask ask = { .ids = lacking, .changes = true };
	bool have_items = true;
	*out = NULL;
	if (!snapshot || n > PG_ITEMS)
		return 0;
	snapshot->shown |= 1u << part;
	for (size_t i = 0; i < n; i++) {
		bool has = ims_pg_item(snapshot, ids[i], PG_OF_ITEM).r;
		have_items &= has;
		if (!has || !ims_pg_item(snapshot, ids[i], part).r)
			lacking[ask.n++] = ids[i];
	}
	if (ask.n && !read)
		return 0;
	ask.parts = parts_for(st, part, have_items);
	int rc = ask.n ? ims_pg_items_run(st, snapshot, NULL, 0, &ask, err) : 0;
	*out = rc ? NULL : snapshot;
	return rc;
}

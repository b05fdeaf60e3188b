/* Reads pictures: by id, place or content, all in order of path, and those below a folder. */
#include "store/postgres/items.h"
#include "store/postgres/pictures.h"
#include "store/postgres/postgres.h"

#include <string.h>

int ims_pg_picture_check(const store_picture *p, imgsearch_error *err)
{
	if (p->state < IMGSEARCH_STATE_INDEXED || p->state > IMGSEARCH_STATE_LINK)
		return ims_fail(err, IMGSEARCH_EDB, "the index is damaged: picture %lld is in state %u",
			(long long)p->id, p->state);
	return 0;
}

int ims_pg_picture(const pg_result *r, int row, int from, store_picture *out, imgsearch_error *err)
{
	size_t size;
	*out = (store_picture){
		.id = ims_pg_number(r, row, from + 0),
		.root = ims_pg_number(r, row, from + 1),
		.path = ims_pg_value(r, row, from + 2, &size),
		.size = (uint64_t)ims_pg_number(r, row, from + 3),
		.mtime = { ims_pg_number(r, row, from + 4), ims_pg_number(r, row, from + 5) },
		.state = (uint32_t)ims_pg_number(r, row, from + 6),
		.reason = ims_pg_is_null(r, row, from + 7) ? NULL : ims_pg_value(r, row, from + 7, &size),
		.width = (uint32_t)ims_pg_number(r, row, from + 8),
		.height = (uint32_t)ims_pg_number(r, row, from + 9),
		.same_as = ims_pg_number(r, row, from + 11),
		.ctime = { ims_pg_number(r, row, from + 12), ims_pg_number(r, row, from + 13) },
		.has_ctime = !ims_pg_is_null(r, row, from + 12),
		.same_file = ims_pg_number(r, row, from + 14),
		.pixels = (uint32_t)ims_pg_number(r, row, from + 15),
		.root_path = ims_pg_value(r, row, from + 16, &size),
	};
	const char *hash = ims_pg_value(r, row, from + 10, &size);
	if (size == sizeof out->hash)
		memcpy(&out->hash, hash, size);
	return ims_pg_picture_check(out, err);
}

/* ------------------------------------------------------------------------ by their keys ---- */

/* Copies the strings of a picture, which may be empty: then it is left so. */
static int own(store_picture *p, imgsearch_error *err)
{
	const char *reason = p->reason;
	p->path = ims_strdup(p->path);
	p->root_path = ims_strdup(p->root_path);
	p->reason = reason ? ims_strdup(reason) : NULL;
	return p->path && p->root_path && (p->reason || !reason) ? 0 : ims_nomem(err);
}

/* The first column behind those of a picture is the number of its key. */
static int take_pictures(const pg_result *r, size_t n, store_picture *out, imgsearch_error *err)
{
	int rc = 0;
	if (n)
		memset(out, 0, n * sizeof *out);
	for (int row = 0; !rc && row < ims_pg_count(r); row++) {
		store_picture *to = &out[ims_pg_number(r, row, PG_PICTURE_COUNT) - 1], p;
		rc = ims_pg_picture(r, row, 0, &p, err);
		if (rc)
			break;
		*to = p;
		rc = own(to, err);
	}
	if (rc)
		ims_store_pictures_clear(out, n);
	return rc;
}

static int look_up(store *st, const char *sql, pg_params *p, size_t n, store_picture *out,
	imgsearch_error *err)
{
	pg_result *r;
	if (n)
		memset(out, 0, n * sizeof *out);
	int rc = ims_pg_read(st, &r, err, sql, p);
	if (!rc)
		rc = take_pictures(r, n, out, err);
	ims_pg_clear(r);
	return rc;
}

#define FROM_KEYS(keys, on) \
	"SELECT " PG_PICTURE ", k.number FROM " keys " JOIN picture p ON " on \
	" JOIN root r ON r.id = p.root"

/* Runs statements with items, and leaves it to a later read to compare the state. */
static int run_before_state(pg_store *st, pg_snapshot *snapshot, pg_statement *s, size_t n,
	const pg_items_ask *ask, imgsearch_error *err)
{
	bool assumed = snapshot->assumed;
	snapshot->assumed = false;
	int rc = ims_pg_items_run(st, snapshot, s, n, ask, err);
	snapshot->assumed = assumed;
	return rc;
}

#define BY_ID FROM_KEYS("unnest($1) WITH ORDINALITY AS k (id, number)", "p.id = k.id")

/* In a snapshot, whoever asks for a picture asks for its vector next. */
static int get_with_items(pg_store *st, pg_snapshot *snapshot, const int64_t *ids, size_t n,
	store_picture *out, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_statement s = { .sql = BY_ID, .stays = true, .p = &p };
	const pg_items_ask ask = { .parts = ims_pg_items_parts(st), .ids = ids, .n = n };
	ims_pg_int8_array(&p, ids, n);
	int rc = run_before_state(st, snapshot, &s, 1, &ask, err);
	if (!rc)
		rc = take_pictures(s.out, n, out, err);
	ims_pg_clear(s.out);
	return rc;
}

int ims_pg_get(store *st, const int64_t *ids, size_t n, store_picture *out, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_snapshot *snapshot = ims_pg_snapshot_get((pg_store *)st);
	if (snapshot && n <= PG_ITEMS)
		return get_with_items((pg_store *)st, snapshot, ids, n, out, err);
	ims_pg_int8_array(&p, ids, n);
	return look_up(st, BY_ID, &p, n, out, err);
}

int ims_pg_find(store *st, const store_place *at, size_t n, store_picture *out,
	imgsearch_error *err)
{
	pg_params p = { 0 };
	ims_pg_array_begin(&p, PG_INT8_ARRAY, PG_INT8, n);
	for (size_t i = 0; i < n; i++)
		ims_pg_put_int8(&p.data, at[i].root);
	ims_pg_array_end(&p);
	ims_pg_array_begin(&p, PG_BYTEA_ARRAY, PG_BYTEA, n);
	for (size_t i = 0; i < n; i++)
		ims_pg_put_bytes(&p.data, at[i].path, strlen(at[i].path));
	ims_pg_array_end(&p);
	return look_up(st,
		FROM_KEYS("ROWS FROM (unnest($1), unnest($2)) WITH ORDINALITY AS k (root, path, number)",
			"p.root = k.root AND p.path = k.path"),
		&p, n, out, err);
}

#define BY_HASH \
	" FROM unnest($1) WITH ORDINALITY AS k (hash, number) JOIN picture p ON p.hash = k.hash AND" \
	" p.state IN (1, 8) JOIN root r ON r.id = p.root ORDER BY k.number, p.state," \
	" p.same_as IS NOT NULL, p.id"

static void put_hashes(pg_params *p, const hash256 *hashes, size_t n)
{
	*p = (pg_params){ 0 };
	ims_pg_array_begin(p, PG_BYTEA_ARRAY, PG_BYTEA, n);
	for (size_t i = 0; i < n; i++)
		ims_pg_put_bytes(&p->data, hashes[i].byte, sizeof hashes[i].byte);
	ims_pg_array_end(p);
}

static int by_hash_with_items(pg_store *st, pg_snapshot *snapshot, const hash256 *hashes, size_t n,
	const char *sql, store_picture *out, imgsearch_error *err)
{
	pg_params p[2];
	pg_statement s[2] = {
		{ .sql = sql, .p = &p[0] },
		{ .sql =
				"SELECT set_config('imgsearch.found', ARRAY(SELECT p.id FROM picture p WHERE p.hash"
				" = ANY ($1) AND p.state = 1)::text, true)",
			.p = &p[1] },
	};
	const pg_items_ask ask = { .parts = ims_pg_items_parts(st) };
	put_hashes(&p[0], hashes, n);
	put_hashes(&p[1], hashes, n);
	int rc = run_before_state(st, snapshot, s, 2, &ask, err);
	if (!rc)
		rc = take_pictures(s[0].out, n, out, err);
	ims_pg_clear(s[0].out);
	ims_pg_clear(s[1].out);
	return rc;
}

int ims_pg_by_hash(store *st, const hash256 *hashes, size_t n, store_picture *out,
	imgsearch_error *err)
{
	static const char sql[] = "SELECT DISTINCT ON (k.number) " PG_PICTURE ", k.number" BY_HASH;
	pg_snapshot *snapshot = ims_pg_snapshot_get((pg_store *)st);
	pg_params p;
	if (n)
		memset(out, 0, n * sizeof *out);
	if (snapshot && n <= PG_ITEMS)
		return by_hash_with_items((pg_store *)st, snapshot, hashes, n, sql, out, err);
	put_hashes(&p, hashes, n);
	return look_up(st, sql, &p, n, out, err);
}

int ims_pg_presences(store *st, const int64_t *ids, size_t n, uint8_t *presence,
	imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	ims_pg_int8_array(&p, ids, n);
	int rc = ims_pg_read(st, &r, err, "SELECT unnest(ims_presences($1))", &p);
	for (size_t i = 0; !rc && i < n; i++)
		presence[i] = (uint8_t)ims_pg_number(r, (int)i, 0);
	ims_pg_clear(r);
	return rc;
}

/* One number of a query. */
static int read_number(store *st, int64_t *out, imgsearch_error *err, const char *sql, pg_params *p)
{
	pg_result *r;
	*out = 0;
	int rc = ims_pg_read(st, &r, err, sql, p);
	if (!rc && ims_pg_count(r))
		*out = ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	return rc;
}

/* To hash a file takes less time than a round trip. */
int ims_pg_has_size(store *st, uint64_t size, bool *has, imgsearch_error *err)
{
	(void)st, (void)size, (void)err;
	*has = true;
	return 0;
}

int ims_pg_unconverted(store *st, uint64_t *n, imgsearch_error *err)
{
	int64_t count;
	int rc = read_number(st, &count, err, "SELECT count(*) FROM picture WHERE pixels & 256 <> 0",
		NULL);
	*n = (uint64_t)count;
	return rc;
}

/* The fact "date" is the first one. */
int ims_pg_dated(store *st, uint64_t *n, imgsearch_error *err)
{
	int64_t count;
	int rc = read_number(st, &count, err,
		"SELECT (SELECT count(*) FROM fact f JOIN picture p ON p.id = f.picture WHERE f.value[1] IS"
		" NOT NULL AND p.state = 1) + (SELECT count(DISTINCT l.picture) FROM cell l JOIN picture p"
		" ON p.id = l.picture WHERE lower(encode(l.name, 'escape')) = 'date' AND encode(l.value,"
		" 'escape') ~ '^[0-9]{4}' AND p.state = 1 AND NOT EXISTS (SELECT FROM fact f WHERE "
		"f.picture"
		" = l.picture AND f.value[1] IS NOT NULL))",
		NULL);
	*n = (uint64_t)count;
	return rc;
}

/* --------------------------------------------------------------------- all, in an order ---- */

typedef struct picture_reader {
	store_picture_each *each;
	void *user;
	bool has_facts; /* version and sidecars follow */
} picture_reader;

static int read_picture(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	const picture_reader *reader = user;
	store_picture p;
	int rc = ims_pg_picture(r, row, 0, &p, err);
	if (rc)
		return rc;
	p.facts_version = (uint32_t)ims_pg_number(r, row, PG_PICTURE_COUNT);
	p.sidecars = (uint64_t)ims_pg_number(r, row, PG_PICTURE_COUNT + 1);
	return reader->each(reader->user, &p, p.root_path);
}

#define WITH_FACTS \
	"SELECT " PG_PICTURE ", f.version, f.sidecars FROM picture p JOIN root r ON r.id = p.root" \
	" LEFT JOIN fact f ON f.picture = p.id "

int ims_pg_each_picture(store *st, uint32_t state, store_picture_each *each, void *user,
	imgsearch_error *err)
{
	picture_reader reader = { .each = each, .user = user };
	pg_params p = { 0 };
	ims_pg_int(&p, state);
	return ims_pg_read_each(st,
		WITH_FACTS "WHERE $1 = 0 OR p.state = $1 ORDER BY r.path || '/'::bytea, p.path", &p,
		read_picture, &reader, err);
}

int ims_pg_each_single(store *st, store_picture_each *each, void *user, imgsearch_error *err)
{
	picture_reader reader = { .each = each, .user = user };
	return ims_pg_read_each(st, WITH_FACTS "WHERE p.root = 0 ORDER BY p.path", NULL, read_picture,
		&reader, err);
}

int ims_pg_each_twin(store *st, store_picture_each *each, void *user, imgsearch_error *err)
{
	picture_reader reader = { .each = each, .user = user };
	return ims_pg_read_each(st,
		"WITH other (id, twin) AS (SELECT id, same_as FROM picture WHERE same_as IS NOT NULL AND"
		" state IN (2, 9)), place (id, twin) AS (SELECT * FROM other UNION ALL SELECT DISTINCT"
		" twin, twin FROM other) SELECT " PG_PICTURE
		", f.version, f.sidecars FROM place o JOIN picture p ON p.id = o.id JOIN root r ON r.id ="
		" p.root LEFT JOIN fact f ON f.picture = p.id ORDER BY o.twin, p.state <> 1, r.path ||"
		" '/'::bytea, p.path",
		NULL, read_picture, &reader, err);
}

/* ----------------------------------------------------------------------- what they have ---- */

typedef struct lookup {
	store_lookup_each *each;
	store_path_each *path;
	store_facts_each *facts;
	store_described_each *described;
	store_signature_each *signature;
	store_rejected_each *rejected;
	void *user;
} lookup;

static int read_with_cell(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	enum { NUMBER = PG_PICTURE_COUNT, NAME, VALUE, TITLE };
	const lookup *l = user;
	store_picture p;
	size_t size;
	store_cell cell = {
		(char *)ims_pg_value(r, row, NAME, &size),
		(char *)ims_pg_value(r, row, VALUE, &size),
		ims_pg_number(r, row, TITLE) != 0,
	};
	int rc = ims_pg_picture(r, row, 0, &p, err);
	return rc ? rc
			  : l->each(l->user, (size_t)ims_pg_number(r, row, NUMBER) - 1, &p, p.root_path,
				  ims_pg_is_null(r, row, NAME) ? NULL : &cell);
}

/* The facts of columns from `from` on. */
static void read_facts(const pg_result *r, int row, int from, const char *out[FACTS])
{
	size_t size;
	for (int i = 0; i < FACTS; i++)
		out[i] = ims_pg_is_null(r, row, from + i) ? NULL : ims_pg_value(r, row, from + i, &size);
}

/* Where a picture is, and its cells. */
static int report_with_cells(const pg_item *item, const pg_item *cells, size_t i, const lookup *l,
	imgsearch_error *err)
{
	store_picture p;
	size_t size;
	int rc = ims_pg_item_picture(item, &p, err);
	if (!rc && !cells->n)
		rc = l->each(l->user, i, &p, p.root_path, NULL);
	for (int row = cells->row; !rc && row < cells->row + cells->n; row++) {
		store_cell cell = {
			(char *)ims_pg_value(cells->r, row, PG_CELL_NAME, &size),
			(char *)ims_pg_value(cells->r, row, PG_CELL_VALUE, &size),
			ims_pg_number(cells->r, row, PG_CELL_TITLE) != 0,
		};
		rc = l->each(l->user, i, &p, p.root_path, &cell);
	}
	return rc;
}

static int report_path(const pg_item *item, const pg_item *same, size_t i, const lookup *l,
	imgsearch_error *err)
{
	store_picture p;
	(void)same;
	int rc = ims_pg_item_picture(item, &p, err);
	return rc ? rc : l->path(l->user, i, &p, p.root_path);
}

static int report_other_paths(const pg_item *item, const pg_item *paths, size_t i, const lookup *l,
	imgsearch_error *err)
{
	int rc = 0;
	(void)item;
	for (int row = paths->row; !rc && row < paths->row + paths->n; row++) {
		store_picture p;
		rc = ims_pg_picture(paths->r, row, PG_PATH_PICTURE, &p, err);
		if (!rc)
			rc = l->path(l->user, i, &p, p.root_path);
	}
	return rc;
}

static int report_facts(const pg_item *item, const pg_item *facts, size_t i, const lookup *l,
	imgsearch_error *err)
{
	const char *fact[FACTS];
	(void)item, (void)err;
	if (!facts->n)
		return 0;
	read_facts(facts->r, facts->row, PG_FACT, fact);
	return l->facts(l->user, i, fact);
}

/* Reports a part of the items of this thread's snapshot. *done: all were read. */
typedef int item_report(const pg_item *item, const pg_item *rows, size_t i, const lookup *l,
	imgsearch_error *err);
static int report_items(store *st, const int64_t *ids, size_t n, pg_part part, item_report *report,
	const lookup *l, bool *done, imgsearch_error *err)
{
	pg_snapshot *snapshot = ims_pg_snapshot_get((pg_store *)st);
	/* the answer of a query whose searcher needed no rows; many are no answer's */
	bool read = snapshot && ims_pg_items_count(snapshot) <= PG_ITEMS;
	int rc = ims_pg_items_have(st, ids, n, part, read, &snapshot, err);
	*done = !rc && snapshot;
	for (size_t i = 0; *done && !rc && i < n; i++) {
		pg_item item = ims_pg_item(snapshot, ids[i], PG_OF_ITEM);
		pg_item rows = ims_pg_item(snapshot, ids[i], part);
		if (!ims_pg_is_null(item.r, item.row, PG_ITEM_PICTURE))
			rc = report(&item, &rows, i, l, err);
	}
	return rc;
}

int ims_pg_pictures_lookup(store *st, const int64_t *ids, size_t n, store_lookup_each *each,
	void *user, imgsearch_error *err)
{
	lookup l = { .each = each, .user = user };
	pg_params p = { 0 };
	bool done;
	int rc = report_items(st, ids, n, PG_OF_CELLS, report_with_cells, &l, &done, err);
	if (rc || done)
		return rc;
	ims_pg_int8_array(&p, ids, n);
	return ims_pg_read_each(st,
		"SELECT " PG_PICTURE
		", k.number, c.name, c.value, c.title FROM unnest($1) WITH ORDINALITY AS k (id, number)"
		" JOIN picture p ON p.id = k.id JOIN root r ON r.id = p.root LEFT JOIN cell c ON c.picture"
		" = p.id ORDER BY k.number, c.number",
		&p, read_with_cell, &l, err);
}

static int read_place(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	const lookup *l = user;
	store_picture p;
	int rc = ims_pg_picture(r, row, 0, &p, err);
	size_t i = (size_t)ims_pg_number(r, row, PG_PICTURE_COUNT) - 1;
	return rc ? rc : l->path(l->user, i, &p, p.root_path);
}

int ims_pg_paths_of(store *st, const int64_t *ids, size_t n, store_path_of *each, void *user,
	imgsearch_error *err)
{
	lookup l = { .path = each, .user = user };
	pg_params p = { 0 };
	bool done;
	int rc = report_items(st, ids, n, PG_OF_ITEM, report_path, &l, &done, err);
	if (rc || done)
		return rc;
	ims_pg_int8_array(&p, ids, n);
	return ims_pg_read_each(st,
		FROM_KEYS("unnest($1) WITH ORDINALITY AS k (id, number)",
			"p.id = k.id") " ORDER BY k.number",
		&p, read_place, &l, err);
}

int ims_pg_paths_lookup(store *st, const int64_t *ids, size_t n, store_path_each *each, void *user,
	imgsearch_error *err)
{
	lookup l = { .path = each, .user = user };
	pg_params p = { 0 };
	bool done;
	int rc = report_items(st, ids, n, PG_OF_PATHS, report_other_paths, &l, &done, err);
	if (rc || done)
		return rc;
	ims_pg_int8_array(&p, ids, n);
	return ims_pg_read_each(st,
		FROM_KEYS("unnest($1) WITH ORDINALITY AS k (id, number)",
			"p.same_as = k.id") " WHERE p.state IN (2, 9) ORDER BY k.number, r.path || '/'::bytea, "
								"p.path",
		&p, read_place, &l, err);
}

static int read_looked_up_facts(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	const lookup *l = user;
	const char *fact[FACTS];
	(void)err;
	read_facts(r, row, 1, fact);
	return l->facts(l->user, (size_t)ims_pg_number(r, row, 0) - 1, fact);
}

int ims_pg_facts_lookup(store *st, const int64_t *ids, size_t n, store_facts_each *each, void *user,
	imgsearch_error *err)
{
	lookup l = { .facts = each, .user = user };
	pg_params p = { 0 };
	bool done;
	int rc = report_items(st, ids, n, PG_OF_FACTS, report_facts, &l, &done, err);
	if (rc || done)
		return rc;
	ims_pg_int8_array(&p, ids, n);
	return ims_pg_read_each(st,
		"SELECT k.number, " PG_FACTS " FROM unnest($1) WITH ORDINALITY AS k (id, number) JOIN"
		" fact f ON f.picture = k.id ORDER BY k.number",
		&p, read_looked_up_facts, &l, err);
}

static int read_described(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	const lookup *l = user;
	size_t size;
	store_described d = {
		.id = ims_pg_number(r, row, 0),
		.width = (uint32_t)ims_pg_number(r, row, 1),
		.height = (uint32_t)ims_pg_number(r, row, 2),
		.name = ims_pg_is_null(r, row, 3) ? NULL : ims_pg_value(r, row, 3, &size),
		.value = ims_pg_is_null(r, row, 4) ? NULL : ims_pg_value(r, row, 4, &size),
	};
	(void)err;
	read_facts(r, row, 5, d.fact);
	return l->described(l->user, &d);
}

int ims_pg_each_described(store *st, store_described_each *each, void *user, imgsearch_error *err)
{
	lookup l = { .described = each, .user = user };
	return ims_pg_read_each(st,
		"SELECT p.id, p.width, p.height, c.name, c.value, " PG_FACTS
		" FROM picture p LEFT JOIN fact f ON f.picture = p.id LEFT JOIN cell c ON c.picture = p.id"
		" WHERE p.state = 1 ORDER BY p.id, c.number",
		NULL, read_described, &l, err);
}

int ims_pg_columns_get(store *st, int64_t id, store_cell **out, size_t *n, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	bool failed = false;
	*out = NULL;
	*n = 0;
	ims_pg_int(&p, id);
	int rc = ims_pg_read(st, &r, err,
		"SELECT name, value, title FROM cell WHERE picture = $1 ORDER BY number", &p);
	size_t count = rc ? 0 : (size_t)ims_pg_count(r);
	if (!rc && count && !(*out = ims_zalloc(count, sizeof **out)))
		rc = ims_nomem(err);
	for (size_t i = 0; !rc && i < count; i++)
		(*out)[(*n)++] = (store_cell){
			ims_pg_copy(r, (int)i, 0, &failed),
			ims_pg_copy(r, (int)i, 1, &failed),
			ims_pg_number(r, (int)i, 2) != 0,
		};
	ims_pg_clear(r);
	if (failed) {
		ims_store_columns_free(*out, *n);
		*out = NULL;
		*n = 0;
		rc = ims_nomem(err);
	}
	return rc;
}

/* ------------------------------------------------------------------------ below folders ---- */

/* A path without a root is absolute; that of a root in the folder counts as a whole. */
int ims_pg_ids_under(store *st, const char *folder, int64_t **ids, size_t *n, imgsearch_error *err)
{
	pg_params p = { 0 };
	size_t length = strlen(folder);
	while (length && folder[length - 1] == '/')
		length--;
	ims_pg_blob(&p, folder, length);
	return ims_pg_read_ids(st, ids, n, err,
		"SELECT DISTINCT CASE p.state WHEN 1 THEN p.id ELSE p.same_as END FROM picture p JOIN root"
		" r ON r.id = p.root, LATERAL (SELECT CASE WHEN r.id = 0 THEN p.path ELSE r.path ||"
		" '/'::bytea || p.path END AS path) w WHERE p.state IN (1, 2, 9) AND substr(w.path, 1,"
		" length($1) + 1) = $1 || '/'::bytea ORDER BY 1",
		&p);
}

/* --------------------------------------------------------------- signatures, rejections ---- */

static int read_signature(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	const lookup *l = user;
	size_t size;
	(void)err;
	const char *data = ims_pg_value(r, row, 1, &size);
	return l->signature(l->user, ims_pg_number(r, row, 0), data, size);
}

int ims_pg_signatures(store *st, store_signature_each *each, void *user, imgsearch_error *err)
{
	lookup l = { .signature = each, .user = user };
	return ims_pg_read_each(st,
		"SELECT g.picture, g.data FROM signature g JOIN picture p ON p.id = g.picture WHERE p.hash "
		"="
		" g.hash AND p.state = 1 ORDER BY g.picture",
		NULL, read_signature, &l, err);
}

int ims_pg_signature_get(store *st, int64_t picture, const hash256 *hash, buf *out,
	imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	size_t size;
	ims_pg_int(&p, picture);
	ims_pg_blob(&p, hash->byte, sizeof hash->byte);
	int rc = ims_pg_read(st, &r, err, "SELECT data FROM signature WHERE picture = $1 AND hash = $2",
		&p);
	if (!rc && !ims_pg_count(r))
		rc = IMGSEARCH_ENOTFOUND;
	if (!rc) {
		const char *data = ims_pg_value(r, 0, 0, &size);
		ims_buf_put(out, data, size);
		rc = out->failed ? ims_nomem(err) : 0;
	}
	ims_pg_clear(r);
	return rc;
}

static void put_pair(pg_params *p, const hash256 *a, const hash256 *b)
{
	bool ordered = memcmp(a->byte, b->byte, sizeof a->byte) <= 0;
	ims_pg_blob(p, (ordered ? a : b)->byte, sizeof a->byte);
	ims_pg_blob(p, (ordered ? b : a)->byte, sizeof a->byte);
}

int ims_pg_reject(store *st, const hash256 *a, const hash256 *b, imgsearch_error *err)
{
	pg_params p = { 0 };
	put_pair(&p, a, b);
	return ims_pg_write(st, NULL, err,
		"INSERT INTO rejected VALUES ($1, $2) ON CONFLICT DO NOTHING", &p);
}

static int read_rejected(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	const lookup *l = user;
	hash256 h[2];
	for (int i = 0; i < 2; i++) {
		size_t size;
		const char *data = ims_pg_value(r, row, i, &size);
		if (size != sizeof h[i].byte)
			return ims_fail(err, IMGSEARCH_EDB,
				"the index is damaged: the hash of a rejected pair has %zu bytes", size);
		memcpy(h[i].byte, data, size);
	}
	return l->rejected(l->user, &h[0], &h[1]);
}

int ims_pg_each_rejected(store *st, store_rejected_each *each, void *user, imgsearch_error *err)
{
	lookup l = { .rejected = each, .user = user };
	return ims_pg_read_each(st, "SELECT a, b FROM rejected ORDER BY a, b", NULL, read_rejected, &l,
		err);
}

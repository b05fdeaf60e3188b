/* Small values, models, roots, and searchers with their chunks. */
#include "store/postgres/conn.h"
#include "store/postgres/postgres.h"
#include "store/postgres/state_cache.h"

#include <string.h>

/* ----------------------------------------------------------------------------- settings ---- */

int ims_pg_setting_set(store *st, const char *name, const void *data, size_t size,
	imgsearch_error *err)
{
	pg_params p = { 0 };
	ims_pg_text(&p, name);
	if (!data)
		return ims_pg_write(st, NULL, err, "DELETE FROM setting WHERE name = $1", &p);
	ims_pg_blob(&p, data, size);
	return ims_pg_write(st, NULL, err,
		"INSERT INTO setting VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = excluded.data",
		&p);
}

static int read_setting(store *st, const char *name, pg_result **r, imgsearch_error *err)
{
	pg_params p = { 0 };
	ims_pg_text(&p, name);
	return ims_pg_read(st, r, err, "SELECT data FROM setting WHERE name = $1", &p);
}

/* The value of row `row`, or nothing where there is no such row. */
static int take_setting(const pg_result *r, int row, int column, buf *out, imgsearch_error *err)
{
	size_t size;
	if (row >= ims_pg_count(r))
		return 0;
	const char *data = ims_pg_value(r, row, column, &size);
	ims_buf_put(out, data, size);
	return out->failed ? ims_nomem(err) : 0;
}

static int find_setting(const pg_result *r, const char *name)
{
	size_t size;
	int row = 0, n = ims_pg_count(r);
	while (row < n && strcmp(ims_pg_value(r, row, 0, &size), name) != 0)
		row++;
	return row;
}

/* In a snapshot all settings are read at once, but for long ones. *held: the value was in it. */
static int get_held(store *st, const char *name, buf *out, bool *held, imgsearch_error *err)
{
	pg_snapshot *snapshot = ims_pg_snapshot_get((pg_store *)st);
	int rc = 0;
	*held = false;
	if (!snapshot)
		return 0;
	if (!snapshot->settings)
		rc = ims_pg_read(st, &snapshot->settings, err,
			"SELECT name, CASE WHEN length(data) <= 65536 THEN data END FROM setting", NULL);
	if (rc)
		return rc;
	int row = find_setting(snapshot->settings, name);
	*held = row == ims_pg_count(snapshot->settings) || !ims_pg_is_null(snapshot->settings, row, 1);
	return *held ? take_setting(snapshot->settings, row, 1, out, err) : 0;
}

int ims_pg_setting_get(store *st, const char *name, buf *out, imgsearch_error *err)
{
	pg_result *r = NULL;
	bool held;
	out->len = 0;
	int rc = get_held(st, name, out, &held, err);
	if (rc || held)
		return rc;
	rc = read_setting(st, name, &r, err);
	if (!rc)
		rc = take_setting(r, 0, 0, out, err);
	ims_pg_clear(r);
	return rc;
}

/* ------------------------------------------------------------------------------- models ---- */

int ims_pg_model_set(store *st, const store_model *m, bool next, imgsearch_error *err)
{
	pg_params p = { 0 };
	ims_pg_int(&p, next);
	ims_pg_text(&p, m->name);
	ims_pg_text(&p, m->weights);
	ims_pg_text(&p, m->weights_hash);
	ims_pg_text(&p, m->recipe);
	ims_pg_int(&p, m->dim);
	ims_pg_int(&p, m->precision);
	return ims_pg_write(st, NULL, err, "SELECT ims_set_model($1, $2, $3, $4, $5, $6, $7)", &p);
}

int ims_pg_model_get(store *st, store_model *out, bool next, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	bool failed = false;
	*out = (store_model){ 0 };
	ims_pg_int(&p, next);
	int rc = ims_pg_read(st, &r, err,
		"SELECT id, name, weights, weights_hash, recipe, dim, precision FROM model WHERE next = $1",
		&p);
	if (!rc && !ims_pg_count(r))
		rc = IMGSEARCH_ENOTFOUND;
	if (!rc) {
		*out = (store_model){
			.id = ims_pg_number(r, 0, 0),
			.name = ims_pg_copy(r, 0, 1, &failed),
			.weights = ims_pg_copy(r, 0, 2, &failed),
			.weights_hash = ims_pg_copy(r, 0, 3, &failed),
			.recipe = ims_pg_copy(r, 0, 4, &failed),
			.dim = (uint32_t)ims_pg_number(r, 0, 5),
			.precision = (uint32_t)ims_pg_number(r, 0, 6),
		};
		if (failed) {
			ims_store_model_clear(out);
			rc = ims_nomem(err);
		}
	}
	ims_pg_clear(r);
	return rc;
}

int ims_pg_model_switch(store *st, imgsearch_error *err)
{
	pg_result *r;
	int rc = ims_pg_write(st, &r, err, "SELECT ims_switch_model()", NULL);
	if (!rc && !ims_pg_number(r, 0, 0))
		rc = ims_fail(err, IMGSEARCH_ENOTFOUND,
			"index %s: no re-index by another model is under way", st->label);
	ims_pg_clear(r);
	return rc;
}

int ims_pg_model_drop_next(store *st, imgsearch_error *err)
{
	return ims_pg_write(st, NULL, err, "SELECT ims_drop_next()", NULL);
}

/* -------------------------------------------------------------------------------- roots ---- */

typedef struct root_reader {
	store *st;
	store_roots *out;
} root_reader;

/* A root with one item of its lists, or with none. */
static int read_root(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	const root_reader *reader = user;
	store_roots *out = reader->out;
	bool failed = false;
	int64_t id = ims_pg_number(r, row, 0), list = ims_pg_number(r, row, 2);
	if (id && !ims_store_roots_lists(out, id)) {
		char *path = ims_pg_copy(r, row, 1, &failed);
		failed |= path && ims_store_roots_add(out, id, path);
		ims_free(path);
	}
	if (!failed && !ims_pg_is_null(r, row, 2) && list >= 0 && list < STORE_LISTS) {
		char *text = ims_pg_copy(r, row, 3, &failed);
		failed |= ims_texts_add(&ims_store_roots_lists(out, id)->of[list], text) != 0;
	}
	return failed ? ims_nomem(err) : 0;
}

int ims_pg_roots_get(store *st, store_roots *out, imgsearch_error *err)
{
	root_reader reader = { st, out };
	*out = (store_roots){ 0 };
	int rc = ims_pg_read_each(st,
		"SELECT r.id, r.path, l.list, l.item FROM root r LEFT JOIN root_list l ON l.root = r.id"
		" ORDER BY r.path, l.list, l.number",
		NULL, read_root, &reader, err);
	if (rc)
		ims_store_roots_free(out);
	return rc;
}

int ims_pg_root_add(store *st, const char *path, int64_t *id, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	*id = 0;
	ims_pg_blob(&p, path, strlen(path));
	int rc = ims_pg_write(st, &r, err,
		"WITH added AS (INSERT INTO root (id, path) SELECT greatest(nextval(pg_get_serial_sequence("
		"'root', 'id')), (SELECT max(id) + 1 FROM root)), $1 WHERE NOT EXISTS (SELECT FROM root"
		" WHERE path = $1) RETURNING id) SELECT id FROM added UNION ALL SELECT id FROM root WHERE"
		" path = $1",
		&p);
	if (!rc)
		*id = ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	return rc;
}

int ims_pg_root_move(store *st, const char *from, const char *to, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	ims_pg_blob(&p, from, strlen(from));
	ims_pg_blob(&p, to, strlen(to));
	int rc = ims_pg_write(st, &r, err,
		"SELECT EXISTS (SELECT FROM root WHERE path = $1 AND id > 0), EXISTS (SELECT FROM root"
		" WHERE path = $2 AND id > 0)",
		&p);
	bool there = !rc && ims_pg_number(r, 0, 0), taken = !rc && ims_pg_number(r, 0, 1);
	ims_pg_clear(r);
	if (rc)
		return rc;
	if (!there)
		return ims_fail(err, IMGSEARCH_ENOTFOUND, "index %s has no root %s", st->label, from);
	if (taken)
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: %s is a root already", st->label, to);
	ims_pg_blob(&p, from, strlen(from));
	ims_pg_blob(&p, to, strlen(to));
	return ims_pg_write(st, NULL, err, "UPDATE root SET path = $2 WHERE path = $1 AND id > 0", &p);
}

int ims_pg_root_merge(store *st, int64_t from, int64_t into, const char *below,
	imgsearch_error *err)
{
	pg_params p = { 0 };
	ims_pg_int(&p, from);
	ims_pg_int(&p, into);
	ims_pg_blob(&p, below, strlen(below));
	return ims_pg_write(st, NULL, err, "SELECT ims_merge_root($1, $2, $3)", &p);
}

/* No root moves with a server. */
int ims_pg_roots_settle(store *st, imgsearch_error *err)
{
	(void)st, (void)err;
	return 0;
}

int ims_pg_list_set(store *st, int64_t root, store_list list, const text_list *texts,
	imgsearch_error *err)
{
	pg_params p = { 0 };
	ims_pg_int(&p, root);
	ims_pg_int(&p, list);
	ims_pg_array_begin(&p, PG_BYTEA_ARRAY, PG_BYTEA, texts->n);
	for (size_t i = 0; i < texts->n; i++)
		ims_pg_put_bytes(&p.data, texts->item[i], strlen(texts->item[i]));
	ims_pg_array_end(&p);
	return ims_pg_write(st, NULL, err, "SELECT ims_set_list($1, $2, $3)", &p);
}

/* ---------------------------------------------------------------------------- searchers ---- */

int ims_pg_searcher_begin(store *st, const char *name, int64_t *state, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	*state = 0;
	ims_pg_text(&p, name);
	int rc = ims_pg_write(st, &r, err,
		"WITH gone AS (DELETE FROM searcher WHERE name = $1 AND NOT published) INSERT INTO searcher"
		" (name, published, version, rows, change) SELECT $1, false, 0, 0, change FROM newest"
		" RETURNING state",
		&p);
	if (!rc)
		*state = ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	return rc;
}

int ims_pg_searcher_chunk(store *st, int64_t state, uint32_t number, const void *data, size_t size,
	imgsearch_error *err)
{
	pg_params p = { 0 };
	ims_pg_int(&p, state);
	ims_pg_int(&p, number);
	ims_pg_int(&p, (int64_t)ims_checksum(data, size, number));
	ims_pg_blob(&p, size ? data : "", size);
	return ims_pg_write(st, NULL, err,
		"INSERT INTO searcher_chunk VALUES ($1, $2, $3, $4) ON CONFLICT (state, number) DO UPDATE"
		" SET checksum = excluded.checksum, data = excluded.data",
		&p);
}

int ims_pg_searcher_publish(store *st, int64_t state, const char *params, uint32_t version,
	uint64_t rows, int64_t change, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	ims_pg_int(&p, state);
	ims_pg_text(&p, params);
	ims_pg_int(&p, version);
	ims_pg_int(&p, (int64_t)rows);
	ims_pg_int(&p, change);
	int rc = ims_pg_write(st, &r, err, "SELECT ims_publish($1, $2, $3, $4, $5)", &p);
	if (!rc && !ims_pg_number(r, 0, 0))
		rc = ims_fail(err, IMGSEARCH_ENOTFOUND, "index %s has no searcher's state %lld", st->label,
			(long long)state);
	ims_pg_clear(r);
	return rc;
}

static const char trim[] =
	"DELETE FROM change WHERE number <= coalesce((SELECT min(change) FROM searcher), number)";

int ims_pg_changes_trim(store *st, imgsearch_error *err)
{
	return ims_pg_write(st, NULL, err, trim, NULL);
}

int ims_pg_searchers(store *st, store_searcher **out, size_t *n, imgsearch_error *err)
{
	pg_result *r;
	*out = NULL;
	*n = 0;
	int rc = ims_pg_read(st, &r, err,
		"SELECT s.state, s.name, s.params, s.version, s.rows, s.change, (SELECT count(*) FROM"
		" searcher_chunk k WHERE k.state = s.state) FROM searcher s WHERE published ORDER BY name",
		NULL);
	size_t count = rc ? 0 : (size_t)ims_pg_count(r);
	bool failed = false;
	if (!rc && !(*out = ims_zalloc(count, sizeof **out)))
		rc = ims_nomem(err);
	for (size_t i = 0; !rc && i < count; i++) {
		int row = (int)i;
		(*out)[(*n)++] = (store_searcher){
			.state = ims_pg_number(r, row, 0),
			.name = ims_pg_copy(r, row, 1, &failed),
			.params = ims_pg_copy(r, row, 2, &failed),
			.version = (uint32_t)ims_pg_number(r, row, 3),
			.rows = (uint64_t)ims_pg_number(r, row, 4),
			.change = ims_pg_number(r, row, 5),
			.chunks = (uint32_t)ims_pg_number(r, row, 6),
		};
	}
	ims_pg_clear(r);
	if (failed) {
		ims_store_searchers_free(*out, *n);
		*out = NULL;
		*n = 0;
		rc = ims_nomem(err);
	}
	return rc;
}

int ims_pg_searcher_bytes(store *st, int64_t state, uint64_t *bytes, imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	*bytes = 0;
	ims_pg_int(&p, state);
	int rc = ims_pg_read(st, &r, err,
		"SELECT coalesce(sum(length(data)), 0)::bigint FROM searcher_chunk WHERE state = $1", &p);
	if (!rc)
		*bytes = (uint64_t)ims_pg_number(r, 0, 0);
	ims_pg_clear(r);
	return rc;
}

int ims_pg_searcher_read(store *base, int64_t state, uint32_t number, buf *out,
	imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	pg_params p = { 0 };
	pg_result *r;
	size_t size = 0;
	if (ims_pg_cache_get(st, state, number, out))
		return 0;
	ims_pg_int(&p, state);
	ims_pg_int(&p, number);
	int rc = ims_pg_read(base, &r, err,
		"SELECT checksum, data FROM searcher_chunk WHERE state = $1 AND number = $2", &p);
	const char *data = !rc && ims_pg_count(r) ? ims_pg_value(r, 0, 1, &size) : NULL;
	if (!rc && (!data || (uint64_t)ims_pg_number(r, 0, 0) != ims_checksum(data, size, number)))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "chunk %u of searcher's state %lld is %s", number,
			(long long)state, data ? "damaged" : "missing");
	if (!rc) {
		ims_pg_cache_mend(st, state, number, data, size);
		ims_buf_put(out, data, size);
		rc = out->failed ? ims_nomem(err) : 0;
	}
	ims_pg_clear(r);
	return rc;
}

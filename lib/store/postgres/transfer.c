/* The tables of a database as rows of values: read row by row, written by binary COPY. */
#include "store/postgres/conn.h"
#include "store/postgres/postgres.h"

#include <string.h>

/*
 * each: its parameters are the columns of the key, then a limit. of: the rows of the items whose
 * ids are the parameter; NULL: the table has none. types has a letter for each column
 * of a row, in the order of the COPY: q an 8-byte and d a 4-byte number, ? a truth value, b bytes
 * or a text, v a vector, f the facts, which are one column here. T is a column that is always true.
 */
typedef struct table_sql {
	const char *each, *types, *put, *of;
} table_sql;

#define PICTURE_COLUMNS \
	"id, root, path, size, mtime_seconds, mtime_nanoseconds, state, reason, width, height, hash," \
	" same_as, ctime_seconds, ctime_nanoseconds, same_file, pixels"
#define FACT_COLUMNS \
	"picture, version, sidecars, value[1], value[2], value[3], value[4], value[5], value[6]," \
	" value[7], value[8], value[9], value[10], value[11]"

#define BY_ID(table, types) \
	{ \
		"SELECT id, data FROM " table " WHERE id > $1 ORDER BY id LIMIT $2", types, \
			"COPY " table " (id, data) FROM STDIN (FORMAT binary)", \
			"SELECT id, data FROM " table " WHERE id = ANY ($1)" \
	}

static const table_sql tables[STORE_TABLES] = {
	[TABLE_SETTING] = {
		"SELECT name, data FROM setting WHERE name COLLATE \"C\" > convert_from($1,"
		" getdatabaseencoding()) AND name NOT IN ('file', 'copy', 'version', 'lease',"
		" 'shards', 'moved', 'shard_ids')"
		" ORDER BY name COLLATE \"C\" LIMIT $2",
		"bb",
		"COPY setting (name, data) FROM STDIN (FORMAT binary)",
		NULL,
	},
	[TABLE_MODEL] = {
		"SELECT next, name, weights, weights_hash, recipe, dim, precision FROM model WHERE next >"
		" $1 ORDER BY next LIMIT $2",
		"dbbbbqq",
		"COPY model (next, name, weights, weights_hash, recipe, dim, precision) FROM STDIN (FORMAT"
		" binary)",
		NULL,
	},
	[TABLE_ROOT] = {
		"SELECT id, path FROM root WHERE id > greatest($1, 0) ORDER BY id LIMIT $2",
		"qb",
		"COPY root (id, path) FROM STDIN (FORMAT binary)",
		NULL,
	},
	[TABLE_LIST] = {
		"SELECT root, list, number, item FROM root_list WHERE (root, list, number) > ($1, $2, $3)"
		" ORDER BY root, list, number LIMIT $4",
		"qddb",
		"COPY root_list (root, list, number, item) FROM STDIN (FORMAT binary)",
		NULL,
	},
	[TABLE_PICTURE] = {
		"SELECT " PICTURE_COLUMNS " FROM picture WHERE id > $1 ORDER BY id LIMIT $2",
		"qqbqqqdbqqbqqqqq",
		"COPY picture (" PICTURE_COLUMNS ") FROM STDIN (FORMAT binary)",
		"SELECT " PICTURE_COLUMNS " FROM picture WHERE id = ANY ($1)",
	},
	[TABLE_VECTOR] = BY_ID("feature", "qv"),
	[TABLE_NEXT] = BY_ID("feature_next", "qv"),
	[TABLE_KEPT] = BY_ID("feature_kept", "qv"),
	[TABLE_CELL] = {
		"SELECT picture, number, name, value, title FROM cell WHERE (picture, number) > ($1, $2)"
		" ORDER BY picture, number LIMIT $3",
		"qdbb?",
		"COPY cell (picture, number, name, value, title) FROM STDIN (FORMAT binary)",
		"SELECT picture, number, name, value, title FROM cell WHERE picture = ANY ($1)",
	},
	[TABLE_FACT] = {
		"SELECT " FACT_COLUMNS " FROM fact WHERE picture > $1 ORDER BY picture LIMIT $2",
		"qqqf",
		"COPY fact (picture, version, sidecars, value) FROM STDIN (FORMAT binary)",
		"SELECT " FACT_COLUMNS " FROM fact WHERE picture = ANY ($1)",
	},
	[TABLE_SIGNATURE] = {
		"SELECT picture, hash, data FROM signature WHERE picture > $1 ORDER BY picture LIMIT $2",
		"qbb",
		"COPY signature (picture, hash, data) FROM STDIN (FORMAT binary)",
		"SELECT picture, hash, data FROM signature WHERE picture = ANY ($1)",
	},
	[TABLE_REJECTED] = {
		"SELECT a, b FROM rejected WHERE (a, b) > ($1, $2) ORDER BY a, b LIMIT $3",
		"bb",
		"COPY rejected (a, b) FROM STDIN (FORMAT binary)",
		NULL,
	},
	[TABLE_SEARCHER] = {
		"SELECT state, name, params, version, rows, change FROM searcher WHERE published AND state"
		" > $1 ORDER BY state LIMIT $2",
		"qbbqqqT",
		"COPY searcher (state, name, params, version, rows, change, published) FROM STDIN (FORMAT"
		" binary)",
		NULL,
	},
	[TABLE_CHUNK] = {
		"SELECT k.state, k.number, k.checksum, k.data FROM searcher_chunk k WHERE (k.state,"
		" k.number) > ($1, $2) AND EXISTS (SELECT FROM searcher s WHERE s.state = k.state AND"
		" s.published) ORDER BY k.state, k.number LIMIT $3",
		"qqqb",
		"COPY searcher_chunk (state, number, checksum, data) FROM STDIN (FORMAT binary)",
		NULL,
	},
	[TABLE_CHANGE] = {
		"SELECT number, id FROM change WHERE number > $1 ORDER BY number LIMIT $2",
		"qq",
		"COPY change (number, id) FROM STDIN (FORMAT binary)",
		NULL,
	},
	[TABLE_TALLY] = {
		"SELECT what, n FROM tally WHERE n <> 0 AND what > $1 ORDER BY what LIMIT $2",
		"dq",
		"COPY tally (what, n) FROM STDIN (FORMAT binary)",
		NULL,
	},
	[TABLE_FILE] = {
		"SELECT picture, number, data FROM stored_file WHERE (picture, number) > ($1, $2) ORDER BY"
		" picture, number LIMIT $3",
		"qdb",
		"COPY stored_file (picture, number, data) FROM STDIN (FORMAT binary)",
		"SELECT picture, number, data FROM stored_file WHERE picture = ANY ($1)",
	},
	[TABLE_REGION] = BY_ID("region", "qb"),
	[TABLE_REGION_NEXT] = BY_ID("region_next", "qb"),
};

/* ------------------------------------------------------------------------------- reading ---- */

typedef struct table_reader {
	const store *st;
	const store_shape *shape;
	const char *types;
	store_table_each *each;
	void *user;
	buf vector; /* of this row */
} table_reader;

/* The type of a column; the facts are many. */
static char type_of(const char *types, size_t column)
{
	size_t i = strspn(types, "qdb?v");
	return column < i ? types[column] : 'b';
}

/* Values in the order of this machine, which is little-endian (base/buf.h). */
static void read_vector(table_reader *t, store_value *v)
{
	size_t n = v->size > 4 ? (v->size - 4) / 4 : 0;
	const uint8_t *from = (const uint8_t *)v->data + 4;
	t->vector.len = 0;
	uint8_t *to = ims_buf_grow(&t->vector, 4 * n);
	for (size_t i = 0; to && i < n; i++) {
		uint32_t bits;
		memcpy(&bits, from + 4 * i, sizeof bits);
		bits = __builtin_bswap32(bits);
		memcpy(to + 4 * i, &bits, sizeof bits);
	}
	v->data = n ? (const void *)to : "";
	v->size = 4 * n;
}

static void read_value(table_reader *t, const pg_result *r, int row, int column, store_value *v)
{
	char type = type_of(t->types, (size_t)column);
	*v = (store_value){ .kind = VALUE_NULL, .data = "" };
	if (ims_pg_is_null(r, row, column))
		return;
	v->kind = type == 'b' || type == 'v' ? VALUE_BYTES : VALUE_NUMBER;
	if (v->kind == VALUE_NUMBER)
		v->number = ims_pg_number(r, row, column);
	else
		v->data = ims_pg_value(r, row, column, &v->size);
	if (type == 'v')
		read_vector(t, v);
}

static int read_row(void *user, const pg_result *r, int row, imgsearch_error *err)
{
	table_reader *t = user;
	store_value v[TABLE_COLUMNS_MOST];
	for (size_t i = 0; i < t->shape->columns; i++)
		read_value(t, r, row, (int)i, &v[i]);
	return t->vector.failed ? ims_nomem(err) : t->each(t->user, v, err);
}

int ims_pg_table_each(store *st, store_table table, const store_value *after, int64_t most,
	store_table_each *each, void *user, imgsearch_error *err)
{
	table_reader t = {
		.st = st,
		.shape = &ims_store_tables[table],
		.types = tables[table].types,
		.each = each,
		.user = user,
	};
	pg_params p = { 0 };
	for (size_t i = 0; t.shape->keys[i]; i++)
		if (after[i].kind == VALUE_NUMBER)
			ims_pg_int(&p, after[i].number);
		else
			ims_pg_blob(&p, after[i].data, after[i].size);
	ims_pg_int(&p, most);
	int rc = ims_pg_read_each(st, tables[table].each, &p, read_row, &t, err);
	ims_buf_free(&t.vector);
	return rc;
}

int ims_pg_rows_of(store *st, store_table table, const int64_t *ids, size_t n,
	store_table_each *each, void *user, imgsearch_error *err)
{
	table_reader t = {
		.st = st,
		.shape = &ims_store_tables[table],
		.types = tables[table].types,
		.each = each,
		.user = user,
	};
	pg_params p = { 0 };
	ims_pg_int8_array(&p, ids, n);
	int rc = ims_pg_read_each(st, tables[table].of, &p, read_row, &t, err);
	ims_buf_free(&t.vector);
	return rc;
}

/* ------------------------------------------------------------------------------ a target ---- */

/* The constraints on references between pictures go with clear and come with finish. */
int ims_pg_transfer_begin(store *st, imgsearch_error *err)
{
	(void)st, (void)err;
	return 0;
}

void ims_pg_transfer_end(store *st)
{
	(void)st;
}

static int run_script(store *st, const char *sql, imgsearch_error *err)
{
	pg_link *l;
	int rc = ims_pg_writer(st, &l, err);
	return rc ? rc : ims_pg_script(l, sql, err);
}

int ims_pg_transfer_clear(store *st, imgsearch_error *err)
{
	return run_script(st,
		"DELETE FROM setting WHERE name NOT IN ('file', 'version', 'lease', 'shards', 'moved',"
		" 'shard_ids');"
		"TRUNCATE model, root, root_list, picture, feature, feature_next, feature_kept, region,"
		" region_next, cell, fact, signature, stored_file, rejected, searcher, searcher_chunk,"
		" change, tally RESTART IDENTITY;"
		"INSERT INTO root (id, path) VALUES (0, '');"
		"UPDATE newest SET change = 0;"
		"ALTER TABLE picture DROP CONSTRAINT IF EXISTS picture_same_as_fkey,"
		" DROP CONSTRAINT IF EXISTS picture_same_file_fkey",
		err);
}

/* As much of a vector as the type can say; the server refuses one of another size. */
static int put_vector(buf *b, const store *st, int64_t id, const store_value *v,
	imgsearch_error *err)
{
	enum { MOST = 16000 };
	if (v->size % 4 || !v->size || v->size / 4 > MOST)
		return ims_fail(err, IMGSEARCH_ELIMIT,
			"index %s: vector %lld has %zu bytes; pgvector stores 1 to %d values of 4 bytes",
			st->label, (long long)id, v->size, MOST);
	ims_pg_put_vector(b, v->data, (uint32_t)(v->size / 4));
	return 0;
}

static void put_u32(buf *b, uint32_t v)
{
	uint32_t bits = __builtin_bswap32(v);
	ims_buf_put(b, &bits, sizeof bits);
}

/* An array: its size; dimensions, whether there may be nulls, type, number, first index. */
static void put_facts(buf *b, const store_value *v)
{
	uint32_t size = 20;
	for (int i = 0; i < FACTS; i++)
		size += 4 + (uint32_t)(v[i].kind == VALUE_NULL ? 0 : v[i].size);
	put_u32(b, size);
	put_u32(b, 1);
	put_u32(b, 1);
	put_u32(b, PG_BYTEA);
	put_u32(b, FACTS);
	put_u32(b, 1);
	for (int i = 0; i < FACTS; i++)
		ims_pg_put_bytes(b, v[i].kind == VALUE_NULL ? NULL : v[i].data, v[i].size);
}

static void put_value(buf *b, const store_value *v, char type)
{
	if (v->kind == VALUE_NULL)
		ims_pg_put_null(b);
	else if (v->kind == VALUE_BYTES)
		ims_pg_put_bytes(b, v->data, v->size);
	else if (type == 'q')
		ims_pg_put_int8(b, v->number);
	else if (type == 'd')
		ims_pg_put_int4(b, (int32_t)v->number);
	else
		ims_pg_put_bool(b, v->number != 0);
}

static int put_row(pg_copy *c, const store *st, const char *types, const store_value *row,
	imgsearch_error *err)
{
	int rc = ims_pg_copy_row(c, (uint16_t)strlen(types), err);
	const store_value *v = row;
	for (size_t i = 0; !rc && types[i]; i++)
		if (types[i] == 'T')
			ims_pg_put_bool(&c->rows, true);
		else if (types[i] == 'f')
			put_facts(&c->rows, v);
		else if (types[i] == 'v')
			rc = put_vector(&c->rows, st, row->number, v++, err);
		else
			put_value(&c->rows, v++, types[i]);
	return rc;
}

int ims_pg_transfer_put(store *st, store_table table, const store_rows *rows, imgsearch_error *err)
{
	store_value row[TABLE_COLUMNS_MOST];
	reader r = { .data = rows->data.data, .len = rows->data.len };
	pg_copy c = { 0 };
	pg_link *l;
	int rc = ims_pg_writer(st, &l, err);
	if (!rc)
		rc = ims_pg_copy_begin(&c, l, tables[table].put, err);
	for (size_t i = 0; !rc && i < rows->n; i++)
		if (ims_store_rows_next(&r, row, ims_store_tables[table].columns))
			rc = put_row(&c, st, tables[table].types, row, err);
	return ims_pg_copy_end(&c, rc, err);
}

int ims_pg_transfer_finish(store *st, int64_t max_id, int64_t change, imgsearch_error *err)
{
	pg_params p = { 0 };
	int rc = run_script(st,
		"ALTER TABLE picture DROP CONSTRAINT IF EXISTS picture_same_as_fkey,"
		" DROP CONSTRAINT IF EXISTS picture_same_file_fkey,"
		" ADD CONSTRAINT picture_same_as_fkey FOREIGN KEY (same_as) REFERENCES picture (id)"
		" DEFERRABLE INITIALLY DEFERRED,"
		" ADD CONSTRAINT picture_same_file_fkey FOREIGN KEY (same_file) REFERENCES picture (id)"
		" DEFERRABLE INITIALLY DEFERRED;"
		"INSERT INTO tally SELECT what, 0 FROM"
		" unnest('{1,2,3,4,5,6,7,8,9,101,102,103,105,106}'::integer[]) what ON CONFLICT DO NOTHING;"
		"SELECT setval(pg_get_serial_sequence('root', 'id'), max(id)) FROM root WHERE id > 0;"
		"SELECT setval(pg_get_serial_sequence('searcher', 'state'), max(state)) FROM searcher;"
		"ANALYZE root, picture, feature, feature_next, feature_kept, region, region_next, cell,"
		" fact, signature, stored_file, searcher_chunk",
		err);
	ims_pg_int(&p, max_id);
	ims_pg_int(&p, change);
	if (!rc)
		rc = ims_pg_write(st, NULL, err, "SELECT ims_set_counters($1, $2)", &p);
	else
		ims_pg_params_free(&p);
	return rc;
}

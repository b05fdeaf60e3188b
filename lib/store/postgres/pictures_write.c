/* Writes pictures: records go in one array to functions of the server, which decide. */
#include "store/postgres/conn.h"
#include "store/postgres/postgres.h"

#include <string.h>

enum { RECORD_FIELDS = 30 };

/* A member of a composite value has its type before it. */
static void put_type(buf *b, pg_oid type)
{
	uint32_t bits = __builtin_bswap32(type);
	ims_buf_put(b, &bits, sizeof bits);
}

static void put_int(buf *b, int64_t value)
{
	put_type(b, PG_INT8);
	ims_pg_put_int8(b, value);
}

static void put_number(buf *b, int32_t value)
{
	put_type(b, PG_INT4);
	ims_pg_put_int4(b, value);
}

static void put_flag(buf *b, bool value)
{
	put_type(b, PG_BOOL);
	ims_pg_put_bool(b, value);
}

static void put_int_or_null(buf *b, bool has, int64_t value)
{
	put_type(b, PG_INT8);
	if (has)
		ims_pg_put_int8(b, value);
	else
		ims_pg_put_null(b);
}

static void put_bytes(buf *b, const void *data, size_t size)
{
	put_type(b, PG_BYTEA);
	ims_pg_put_bytes(b, data, size);
}

static void put_text(buf *b, const char *text)
{
	put_bytes(b, text, text ? strlen(text) : 0);
}

/* The length of what follows `at` is written there. */
static void set_length(buf *b, size_t at)
{
	uint32_t length = __builtin_bswap32((uint32_t)(b->len - at - 4));
	if (!b->failed)
		memcpy(b->data + at, &length, sizeof length);
}

static void put_facts(buf *b, const facts *f)
{
	static const uint32_t one = 1;
	put_type(b, PG_BYTEA_ARRAY);
	size_t at = b->len;
	put_type(b, 0);
	if (!f) {
		uint32_t null = UINT32_MAX;
		if (!b->failed)
			memcpy(b->data + at, &null, sizeof null);
		return;
	}
	put_type(b, one); /* dimensions */
	put_type(b, one); /* there may be nulls */
	put_type(b, PG_BYTEA);
	put_type(b, FACTS);
	put_type(b, one);
	for (int i = 0; i < FACTS; i++)
		ims_pg_put_bytes(b, f->value[i], f->value[i] ? strlen(f->value[i]) : 0);
	set_length(b, at);
}

/* In the order of ims_record. */
static void put_record(const pg_store *st, buf *b, const store_record *r)
{
	const store_picture *p = &r->row;
	bool hashed = !ims_hash_is_zero(&p->hash);
	size_t at = b->len;
	put_type(b, 0); /* the length */
	put_type(b, RECORD_FIELDS);
	put_number(b, (int32_t)r->way);
	put_int(b, p->id);
	put_flag(b, p->id || p->has_id);
	put_int(b, p->root);
	put_text(b, p->path);
	put_int(b, (int64_t)p->size);
	put_int(b, p->mtime.seconds);
	put_int(b, p->mtime.nanoseconds);
	put_number(b, (int32_t)p->state);
	put_text(b, p->reason);
	put_int(b, p->width);
	put_int(b, p->height);
	put_bytes(b, hashed ? p->hash.byte : NULL, sizeof p->hash.byte);
	put_int_or_null(b, p->same_as, p->same_as);
	put_int_or_null(b, p->has_ctime, p->ctime.seconds);
	put_int_or_null(b, p->has_ctime, p->ctime.nanoseconds);
	put_int(b, p->pixels);
	put_flag(b, r->has_pixels);
	put_flag(b, r->is_undecoded);
	put_bytes(b, r->signature, r->signature_size);
	put_int(b, r->facts_version);
	put_int(b, (int64_t)r->sidecars);
	put_facts(b, r->facts);
	put_type(b, st->vector);
	ims_pg_put_vector(b, r->vector, r->dim);
	put_flag(b, r->next);
	put_text(b, r->no_feature);
	put_int(b, r->gone);
	put_flag(b, r->refuses_deleted);
	put_number(b, 0);
	put_bytes(b, r->regions, r->regions_size);
	set_length(b, at);
}

static int check_states(const store_record *r, size_t n, imgsearch_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (r[i].way == STORE_PUT
			&& (r[i].row.state < IMGSEARCH_STATE_INDEXED
				|| r[i].row.state > IMGSEARCH_STATE_DELETED))
			return ims_fail(err, IMGSEARCH_EINVAL, "%s: no such state: %u", r[i].row.path,
				r[i].row.state);
	return 0;
}

int ims_pg_write_records(store *base, store_record *r, size_t n, imgsearch_error *err)
{
	const pg_store *st = (const pg_store *)base;
	pg_params p = { 0 };
	pg_result *answer = NULL;
	int rc = check_states(r, n, err);
	if (rc)
		return rc;
	ims_pg_array_begin(&p, st->record_array, st->record, n);
	for (size_t i = 0; i < n; i++)
		put_record(st, &p.data, &r[i]);
	ims_pg_array_end(&p);
	rc = ims_pg_write(base, &answer, err, "SELECT id, state, outcome FROM ims_write($1)", &p);
	for (size_t i = 0; !rc && i < n; i++) {
		int row = (int)i;
		r[i].outcome = (store_outcome)ims_pg_number(answer, row, 2);
		if (r[i].way == STORE_TOUCH)
			continue;
		r[i].row.id = ims_pg_number(answer, row, 0);
		r[i].row.state = (uint32_t)ims_pg_number(answer, row, 1);
	}
	ims_pg_clear(answer);
	return rc;
}

/* The answer is the first item that is not there. */
static int run_on_items(store *st, const char *sql, const int64_t *ids, size_t n,
	imgsearch_error *err)
{
	pg_params p = { 0 };
	pg_result *r;
	ims_pg_int8_array(&p, ids, n);
	int rc = ims_pg_write(st, &r, err, sql, &p);
	if (!rc && !ims_pg_is_null(r, 0, 0))
		rc = ims_store_no_item(st, ims_pg_number(r, 0, 0), err);
	ims_pg_clear(r);
	return rc;
}

int ims_pg_remove(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	return run_on_items(st, "SELECT ims_remove($1)", ids, n, err);
}

int ims_pg_keep_out(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	return run_on_items(st, "SELECT ims_keep_out($1)", ids, n, err);
}

int ims_pg_readmit(store *st, const int64_t *ids, size_t n, imgsearch_error *err)
{
	return run_on_items(st, "SELECT ims_readmit($1)", ids, n, err);
}

/* An array of one member of each item. */
#define INT8_MEMBERS(p, item, n, member) \
	do { \
		ims_pg_array_begin(p, PG_INT8_ARRAY, PG_INT8, n); \
		for (size_t i_ = 0; i_ < (n); i_++) \
			ims_pg_put_int8(&(p)->data, (item)[i_].member); \
		ims_pg_array_end(p); \
	} while (0)

int ims_pg_move(store *st, const store_move *m, size_t n, imgsearch_error *err)
{
	pg_params p = { 0 };
	INT8_MEMBERS(&p, m, n, id);
	INT8_MEMBERS(&p, m, n, to.root);
	ims_pg_array_begin(&p, PG_BYTEA_ARRAY, PG_BYTEA, n);
	for (size_t i = 0; i < n; i++)
		ims_pg_put_bytes(&p.data, m[i].to.path, strlen(m[i].to.path));
	ims_pg_array_end(&p);
	INT8_MEMBERS(&p, m, n, mtime.seconds);
	INT8_MEMBERS(&p, m, n, mtime.nanoseconds);
	return ims_pg_write(st, NULL, err, "SELECT ims_move($1, $2, $3, $4, $5)", &p);
}

int ims_pg_name_files(store *st, const store_naming *names, size_t n, imgsearch_error *err)
{
	pg_params p = { 0 };
	INT8_MEMBERS(&p, names, n, what);
	INT8_MEMBERS(&p, names, n, id);
	INT8_MEMBERS(&p, names, n, other);
	return ims_pg_write(st, NULL, err, "SELECT ims_name_files($1::integer[], $2, $3)", &p);
}

static void put_cells(pg_params *p, const store_columns *c, size_t n, bool values)
{
	size_t cells = 0;
	for (size_t i = 0; i < n; i++)
		cells += c[i].n ? c[i].n : 1;
	ims_pg_array_begin(p, PG_BYTEA_ARRAY, PG_BYTEA, cells);
	for (size_t i = 0; i < n; i++) {
		const char *const *text = values ? c[i].value : c[i].name;
		if (!c[i].n)
			ims_pg_put_bytes(&p->data, "", 0);
		for (size_t k = 0; k < c[i].n; k++)
			ims_pg_put_bytes(&p->data, text[k], strlen(text[k]));
	}
	ims_pg_array_end(p);
}

/* A picture without columns is sent with one of number -1, which is not written. */
int ims_pg_columns_put(store *st, const store_columns *c, size_t n, imgsearch_error *err)
{
	pg_params p = { 0 };
	size_t cells = 0;
	for (size_t i = 0; i < n; i++)
		cells += c[i].n ? c[i].n : 1;
	for (int what = 0; what < 3; what++) { /* ids, numbers, titles */
		ims_pg_array_begin(&p, PG_INT8_ARRAY, PG_INT8, cells);
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < (c[i].n ? c[i].n : 1); k++)
				ims_pg_put_int8(&p.data,
					what == 0       ? c[i].id
						: what == 1 ? (c[i].n ? (int64_t)k : -1)
									: (int)k == c[i].title);
		ims_pg_array_end(&p);
	}
	put_cells(&p, c, n, false);
	put_cells(&p, c, n, true);
	return ims_pg_write(st, NULL, err, "SELECT ims_put_columns($1, $2, $3, $4, $5)", &p);
}

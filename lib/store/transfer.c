/* Tables of rows: their shapes, rows in memory, and the calls of the engine. */
#include "store/transfer.h"

#include "store/engine.h"

const store_shape ims_store_tables[STORE_TABLES] = {
	[TABLE_SETTING] = { "setting", "b", 2 },
	[TABLE_MODEL] = { "model", "i", 7 },
	[TABLE_ROOT] = { "root", "i", 2 },
	[TABLE_LIST] = { "root_list", "iii", 4 },
	[TABLE_PICTURE] = { "picture", "i", 16 },
	[TABLE_VECTOR] = { "vector", "i", 2 },
	[TABLE_NEXT] = { "vector_next", "i", 2 },
	[TABLE_KEPT] = { "vector_kept", "i", 2 },
	[TABLE_CELL] = { "cell", "ii", 5 },
	[TABLE_FACT] = { "fact", "i", 3 + FACTS },
	[TABLE_SIGNATURE] = { "signature", "i", 3 },
	[TABLE_REJECTED] = { "rejected", "bb", 2 },
	[TABLE_SEARCHER] = { "searcher", "i", 6 },
	[TABLE_CHUNK] = { "searcher_chunk", "ii", 4 },
	[TABLE_CHANGE] = { "change", "i", 2 },
	[TABLE_TALLY] = { "tally", "i", 2 },
	[TABLE_FILE] = { "stored_file", "ii", 3 },
	[TABLE_REGION] = { "region", "i", 2 },
	[TABLE_REGION_NEXT] = { "region_next", "i", 2 },
};

/* ------------------------------------------------------------------------ rows in memory ---- */

static void add_value(buf *b, const store_value *v)
{
	ims_buf_u8(b, (uint8_t)v->kind);
	if (v->kind == VALUE_NUMBER)
		ims_buf_u64(b, (uint64_t)v->number);
	if (v->kind != VALUE_BYTES)
		return;
	ims_buf_u32(b, (uint32_t)v->size);
	if (v->size)
		ims_buf_put(b, v->data, v->size);
}

void ims_store_rows_add(store_rows *rows, const store_value *row, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		add_value(&rows->data, &row[i]);
	rows->n++;
}

static void read_value(reader *r, store_value *v)
{
	*v = (store_value){ .kind = ims_read_u8(r), .data = "" };
	if (v->kind > VALUE_BYTES)
		r->failed = true;
	if (v->kind == VALUE_NUMBER)
		v->number = (int64_t)ims_read_u64(r);
	if (v->kind != VALUE_BYTES)
		return;
	v->size = ims_read_u32(r);
	v->data = ims_read_bytes(r, v->size);
}

bool ims_store_rows_next(reader *r, store_value *row, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		read_value(r, &row[i]);
	return !r->failed;
}

/* ---------------------------------------------------------------------------- the engine ---- */

/* Smaller than every key. */
static void least_key(const char *kinds, store_value *key)
{
	for (size_t i = 0; kinds[i]; i++)
		key[i] = (store_value){
			.kind = kinds[i] == 'i' ? VALUE_NUMBER : VALUE_BYTES,
			.number = INT64_MIN,
			.data = "",
		};
}

int ims_store_table_each(store *st, store_table table, const store_value *after, size_t most,
	store_table_each *each, void *user, imgsearch_error *err)
{
	store_value least[TABLE_KEYS_MOST];
	least_key(ims_store_tables[table].keys, least);
	return st->engine->transfer.each(st, table, after ? after : least,
		most ? (int64_t)most : INT64_MAX, each, user, err);
}

int ims_store_transfer_begin(store *st, imgsearch_error *err)
{
	return st->engine->transfer.begin(st, err);
}

void ims_store_transfer_end(store *st)
{
	st->engine->transfer.end(st);
}

int ims_store_transfer_clear(store *st, imgsearch_error *err)
{
	return st->engine->transfer.clear(st, err);
}

int ims_store_transfer_put(store *st, store_table table, const store_rows *rows,
	imgsearch_error *err)
{
	return rows->data.failed ? ims_nomem(err) : st->engine->transfer.put(st, table, rows, err);
}

int ims_store_transfer_finish(store *st, int64_t max_id, int64_t change, imgsearch_error *err)
{
	return st->engine->transfer.finish(st, max_id, change, err);
}

bool ims_store_is_spread(const store *st)
{
	return st->engine->transfer.cut_off != NULL;
}

int ims_store_transfer_cut_off(store *st, bool *cut, imgsearch_error *err)
{
	*cut = false;
	return ims_store_is_spread(st) ? st->engine->transfer.cut_off(st, cut, err) : 0;
}

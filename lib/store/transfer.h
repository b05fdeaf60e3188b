/*
 * An index as tables of rows, which are the same for every engine: a copy reads them of one index
 * and writes them into another one. A row has values in the order of the columns named below; its
 * first columns are its key. Not among them is what belongs to one place alone: states of searchers
 * that are not published, and the settings "file", "version", "lease", "copy",
 * "shards", "moved" and "shard_ids".
 */
#ifndef IMS_STORE_TRANSFER_H
#define IMS_STORE_TRANSFER_H

#include "store/store.h"

typedef enum store_table {
	TABLE_SETTING,     /* name; data */
	TABLE_MODEL,       /* next; name, weights, weights_hash, recipe, dim, precision */
	TABLE_ROOT,        /* id; path: absolute. Without row 0, which every index has */
	TABLE_LIST,        /* root, list (a store_list), number; item */
	TABLE_PICTURE,     /* id; the columns of docs/storage.md */
	TABLE_VECTOR,      /* id; data: f32, little-endian; so of the next two */
	TABLE_NEXT,        /* of the next model */
	TABLE_KEPT,        /* of items that were deleted on purpose */
	TABLE_CELL,        /* picture, number; name, value, title */
	TABLE_FACT,        /* picture; version, sidecars, the facts in the order of base/facts.h */
	TABLE_SIGNATURE,   /* picture; hash, data */
	TABLE_REJECTED,    /* a, b */
	TABLE_SEARCHER,    /* state; name, params, version, rows, change */
	TABLE_CHUNK,       /* state, number; checksum, data */
	TABLE_CHANGE,      /* number; id */
	TABLE_TALLY,       /* what; n. Without those that are 0 */
	TABLE_FILE,        /* picture, number; data: a piece of at most STORE_PIECE bytes */
	TABLE_REGION,      /* id; data: regions of a picture (store.h) */
	TABLE_REGION_NEXT, /* of the next model */
	STORE_TABLES
} store_table;

enum { TABLE_COLUMNS_MOST = 16, TABLE_KEYS_MOST = 3 };

typedef struct store_shape {
	const char *name;
	const char *keys; /* a letter for each column of the key: i a number, b bytes */
	size_t columns;
} store_shape;
extern const store_shape ims_store_tables[STORE_TABLES];

typedef enum store_kind { VALUE_NULL, VALUE_NUMBER, VALUE_BYTES } store_kind;

/* Texts are bytes, too. Borrowed. */
typedef struct store_value {
	store_kind kind;
	int64_t number;
	const void *data;
	size_t size;
} store_value;

/*
 * Calls each for the rows of a table whose keys are larger than `after` (NULL: for all), in order
 * of keys, at most `most` of them (0: all). Values are valid during the call. A result other than 0
 * stops and is returned.
 */
typedef int store_table_each(void *user, const store_value *row, imgsearch_error *err);
int ims_store_table_each(store *st, store_table table, const store_value *after, size_t most,
	store_table_each *each, void *user, imgsearch_error *err);

/* Rows in memory. All zero is empty; the owner frees data by ims_buf_free. */
typedef struct store_rows {
	buf data; /* of each value its kind (u8), and the number (u64), or the size (u32) and bytes */
	size_t n;
} store_rows;
void ims_store_rows_add(store_rows *rows, const store_value *row, size_t columns);
/* The next row, borrowed from r. False: there is none, or r is cut off. */
bool ims_store_rows_next(reader *r, store_value *row, size_t columns);

/*
 * What a copy does with its target. Between begin and end, with the right to write and outside of a
 * transaction, a reference to a row may be written before that row. The others need a transaction:
 * clear empties all tables; put adds rows with keys that are not there; finish makes an index of
 * them. It sets the largest id that was given and the newest change, and checks the references.
 * EDB: one leads to no row.
 */
int ims_store_transfer_begin(store *st, imgsearch_error *err);
void ims_store_transfer_end(store *st);
int ims_store_transfer_clear(store *st, imgsearch_error *err);
int ims_store_transfer_put(store *st, store_table table, const store_rows *rows,
	imgsearch_error *err);
int ims_store_transfer_finish(store *st, int64_t max_id, int64_t change, imgsearch_error *err);

/* The target consists of several stores. */
bool ims_store_is_spread(const store *st);
/* Whether a transaction of a copy was committed by some of them alone. */
int ims_store_transfer_cut_off(store *st, bool *cut, imgsearch_error *err);

#endif

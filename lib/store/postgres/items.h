/*
 * Items that a snapshot has read: the vectors of some ids, with all that an answer shows of them,
 * in one round trip. A query asks for the vectors first; what it asks of the same ids later is
 * already here.
 */
#ifndef IMS_POSTGRES_ITEMS_H
#define IMS_POSTGRES_ITEMS_H

#include "store/postgres/conn.h"

/* At most so many are read together; a call with more ids is no answer's. */
enum { PG_ITEMS = 4096 };

typedef struct pg_items pg_items;

/* The columns of a fact's row, of base/facts.h in order, of a table named f. */
#define PG_FACTS \
	"f.value[1], f.value[2], f.value[3], f.value[4], f.value[5], f.value[6], f.value[7]," \
	" f.value[8], f.value[9], f.value[10], f.value[11]"

/* What is read of items, a statement each. Sets of them are bits. */
typedef enum pg_part {
	PG_OF_ITEM,  /* its vector, and where its picture is */
	PG_OF_CELLS, /* by picture, in order */
	PG_OF_FACTS,
	PG_OF_PATHS, /* the other ones, by picture, in order */
	PG_PARTS,
} pg_part;
enum { PG_ITEM_ALONE = 1u << PG_OF_ITEM, PG_ALL_PARTS = (1u << PG_PARTS) - 1 };

typedef struct pg_items_ask {
	unsigned parts;
	const int64_t *ids; /* (n); NULL: those that the server's function has set in imgsearch.found */
	size_t n;
	bool given;   /* the first statement gives the items themselves; `parts` are the others */
	bool changes; /* they are of vectors: a state that is assumed is compared with their changes */
	bool last;    /* nothing else will probably be read */
} pg_items_ask;

/*
 * Runs n (at most 4) statements and those of items behind them, in one round trip; the items become
 * the snapshot's, with the result of the first statement where that gives them. A state that the
 * snapshot assumes is compared: EBUSY. The results of the n statements are cleared on failure.
 */
int ims_pg_items_run(pg_store *st, pg_snapshot *snapshot, pg_statement *s, size_t n,
	const pg_items_ask *ask, imgsearch_error *err);
void ims_pg_items_free(pg_items *items); /* the whole list */
size_t ims_pg_items_count(const pg_snapshot *snapshot);

/*
 * What to read of items beyond themselves: what the answers of this handle have shown lately. A
 * snapshot that ends tells what was shown of those that it read.
 */
unsigned ims_pg_items_parts(const pg_store *st);
void ims_pg_items_learn(pg_store *st, const pg_snapshot *snapshot);

/*
 * Whether all n items were read, with this part, where this thread has a snapshot. With `read`,
 * those that lack are read now, unless there are too many for an answer. *out is then the snapshot,
 * else NULL.
 */
int ims_pg_items_have(store *st, const int64_t *ids, size_t n, pg_part part, bool read,
	pg_snapshot **out, imgsearch_error *err);

/* The rows of an id in a part that was read: n from `row` on. r is NULL: it was not read. */
typedef struct pg_item {
	const pg_result *r;
	int row, n;
} pg_item;
enum {
	PG_ITEM_VECTOR = 1, /* null: it has none */
	/* id, root, path, state, path of the root, width, height; null where it is none */
	PG_ITEM_PICTURE,
	PG_ITEM_END = PG_ITEM_PICTURE + 7,
};
pg_item ims_pg_item(const pg_snapshot *snapshot, int64_t id, pg_part part);

/* A picture, as far as an item has it, with borrowed strings. EDB: damaged. */
int ims_pg_item_picture(const pg_item *item, store_picture *out, imgsearch_error *err);

/* The columns of the other parts; the first one is the id. */
enum { PG_CELL_NAME = 1, PG_CELL_VALUE, PG_CELL_TITLE };
enum { PG_FACT = 1 };
enum { PG_PATH_PICTURE = 1 }; /* those of PG_PICTURE */

#endif

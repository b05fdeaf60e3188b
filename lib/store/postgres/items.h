/*
 * Items that a snapshot has read: the vectors of some ids, with all that an answer shows of them,
 * in one round trip. A query asks for the vectors first; what it asks of the same ids later is
 * already here.
 */
#ifndef IMS_POSTGRES_ITEMS_H
#define IMS_POSTGRES_ITEMS_H

#include "store/postgres/conn.h"

/* At most so many are read together; a call with more ids is no answer's. */
enum { PG_ITEMS = 256 };

typedef struct pg_items pg_items;

/* The columns of a fact's row, of base/facts.h in order, of a table named f. */
#define PG_FACTS \
	"f.value[1], f.value[2], f.value[3], f.value[4], f.value[5], f.value[6], f.value[7]," \
	" f.value[8], f.value[9], f.value[10], f.value[11]"

/* The statements that read items, to be sent with others; their ids are a parameter of each. */
enum { PG_ITEM_STATEMENTS = 3 };
void ims_pg_items_ask(pg_statement s[PG_ITEM_STATEMENTS], pg_params p[PG_ITEM_STATEMENTS],
	const int64_t *ids, size_t n);
/* Those of the ids that the server's function has set in imgsearch.found. */
void ims_pg_items_ask_found(pg_statement s[PG_ITEM_STATEMENTS]);

/*
 * Runs n (at most 4) statements and those of items behind them, in one round trip; the items become
 * the snapshot's. A state that the snapshot assumes is compared, with `changes` also that of the
 * vectors: EBUSY. The results of the n statements are cleared on failure.
 */
int ims_pg_items_run(pg_store *st, pg_snapshot *snapshot, pg_statement *s, size_t n, bool changes,
	imgsearch_error *err);
void ims_pg_items_free(pg_items *items); /* the whole list */
size_t ims_pg_items_count(const pg_snapshot *snapshot);

/*
 * Whether all n ids were read, where this thread has a snapshot. With `read`, those that lack are
 * read now, unless there are too many for an answer. *out is then the snapshot, else NULL.
 */
int ims_pg_items_have(store *st, const int64_t *ids, size_t n, bool read, pg_snapshot **out,
	imgsearch_error *err);

/* The result and row of an id that was read; NULL: there is no such item. Column 0 is the id. */
typedef struct pg_item {
	const pg_result *r;
	int row;
	const pg_items *items;
	int64_t id;
} pg_item;
enum {
	PG_ITEM_VECTOR = 1, /* null: it has none */
	PG_ITEM_PICTURE,    /* the columns of PG_PICTURE; id is null where it is none */
	PG_ITEM_FACTS = PG_ITEM_PICTURE + 17,
};
pg_item ims_pg_item(const pg_snapshot *snapshot, int64_t id);

/* Columns of a row of the cells of an item, and of its other paths. */
enum { PG_CELL_NAME = 1, PG_CELL_VALUE, PG_CELL_TITLE };
enum { PG_PATH_PICTURE = 1 };
/* The rows of an item in its result of cells, or of other paths: *first, and how many. */
size_t ims_pg_item_cells(const pg_item *item, const pg_result **r, int *first);
size_t ims_pg_item_paths(const pg_item *item, const pg_result **r, int *first);

#endif

/* Items that were deleted on purpose, within the store. */
#ifndef IMS_SQLITE_DELETED_H
#define IMS_SQLITE_DELETED_H

#include "store/sqlite/conn.h"

/*
 * A deleted item is about to be removed: its vector, and what refers to it, go to the first copy of
 * its bytes that is deleted too, or the vector is dropped. *gone becomes true where there was a
 * vector.
 */
int ims_sqlite_deleted_drop(sqlite_store *st, conn *c, int64_t id, bool *gone,
	imgsearch_error *err);

/* Whether any item is deleted: a cheap question before one for each of many ids. */
int ims_sqlite_any_deleted(sqlite_store *st, conn *c, bool *any, imgsearch_error *err);

/* ims_store_refuse_deleted for a vector's id, where it is deleted; 0 otherwise. */
int ims_sqlite_refuse_deleted_id(sqlite_store *st, conn *c, int64_t id, imgsearch_error *err);

#endif

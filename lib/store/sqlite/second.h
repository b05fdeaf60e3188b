/*
 * The second model of a file, within the engine. Its vectors are in `vector_next`; the setting
 * "second" says that they stay. Kept vectors, searchers, changes and settings of its own are in
 * tables that are made with the first one.
 */
#ifndef IMS_SQLITE_SECOND_H
#define IMS_SQLITE_SECOND_H

#include "store/sqlite/conn.h"

/* Makes temporary views that show the second model's tables by the names of the current one's. */
int ims_sqlite_second_views(conn *c, imgsearch_error *err);

/* Within a transaction: st->has_second and st->logging_second. */
int ims_sqlite_second_look(sqlite_store *st, conn *c, imgsearch_error *err);

/* Within a transaction: removes what a second model has besides its vectors. */
int ims_sqlite_second_clear(sqlite_store *st, conn *c, imgsearch_error *err);

#endif

/* The log of changes, from which searchers are updated. */
#ifndef IMS_SQLITE_CHANGES_H
#define IMS_SQLITE_CHANGES_H

#include "store/sqlite/conn.h"

/* Logs that a vector of the current model changed. */
int ims_sqlite_changed(sqlite_store *st, conn *c, int64_t id, imgsearch_error *err);

/* The same of the next model, where it is a second one. */
int ims_sqlite_changed_next(sqlite_store *st, conn *c, int64_t id, imgsearch_error *err);

/* The number of the newest change. */
int ims_sqlite_change_newest(conn *c, int64_t *change, imgsearch_error *err);

#endif

/* Features of parts of pictures, within the store. */
#ifndef IMS_SQLITE_REGIONS_H
#define IMS_SQLITE_REGIONS_H

#include "store/sqlite/conn.h"

/* The tables need not exist. */
int ims_sqlite_regions_exist(conn *c, bool *exist, imgsearch_error *err);
int ims_sqlite_regions_make(conn *c, imgsearch_error *err);

/* Of an id with a vector (next: of the next model); otherwise nothing. Logs no change. */
int ims_sqlite_regions_put(sqlite_store *st, conn *c, int64_t id, const void *data, size_t size,
	bool next, imgsearch_error *err);

/* Deletes those of the vector of id; with `next` alone those of the next model. */
int ims_sqlite_regions_drop(sqlite_store *st, conn *c, int64_t id, bool next, imgsearch_error *err);

/* `to` has got the vectors of `from`: it gets their regions. */
int ims_sqlite_regions_inherit(sqlite_store *st, conn *c, int64_t from, int64_t to,
	imgsearch_error *err);

/* The kept vector of `from` is that of `to` now. */
int ims_sqlite_regions_move(conn *c, int64_t from, int64_t to, imgsearch_error *err);

/* With ims_store_model_switch and ims_store_model_drop_next. The caller counts. */
int ims_sqlite_regions_switch(conn *c, imgsearch_error *err);
int ims_sqlite_regions_drop_next(conn *c, imgsearch_error *err);

#endif

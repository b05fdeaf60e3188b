/* Pictures, within the store. */
#ifndef IMS_STORE_PICTURES_H
#define IMS_STORE_PICTURES_H

#include "store/conn.h"

/* The columns that ims_store_picture_row reads. */
#define PICTURE_COLUMNS \
	"p.id, p.root, p.path, p.size, p.mtime_seconds, p.state, p.reason, p.width, p.height, " \
	"p.hash, p.same_as, p.mtime_nanoseconds, p.ctime_seconds, p.ctime_nanoseconds, p.same_file, " \
	"p.pixels"

enum { PICTURE_COLUMN_COUNT = 16 }; /* what a query selects behind them begins here */

/* A picture from a row of them, with borrowed strings. EDB: damaged; ENOMEM. */
int ims_store_picture_row(sqlite3_stmt *s, store_picture *out, imgsearch_error *err);

#endif

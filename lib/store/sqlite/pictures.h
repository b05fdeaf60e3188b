/* Pictures, within the store. */
#ifndef IMS_SQLITE_PICTURES_H
#define IMS_SQLITE_PICTURES_H

#include "store/sqlite/conn.h"
#include "store/record.h"

/* The columns that ims_sqlite_picture_row reads. */
#define PICTURE_COLUMNS \
	"p.id, p.root, p.path, p.size, p.mtime_seconds, p.state, p.reason, p.width, p.height, " \
	"p.hash, p.same_as, p.mtime_nanoseconds, p.ctime_seconds, p.ctime_nanoseconds, p.same_file, " \
	"p.pixels"

enum { PICTURE_COLUMN_COUNT = 16 }; /* what a query selects behind them begins here */

/* A picture from a row of them, with borrowed strings. EDB: damaged; ENOMEM. */
int ims_sqlite_picture_row(sqlite3_stmt *s, store_picture *out, imgsearch_error *err);

/* One picture each, in a transaction: record.h says what they do. */
int ims_sqlite_row_put(sqlite_store *st, store_picture *p, imgsearch_error *err);
int ims_sqlite_row_move(sqlite_store *st, const store_move *m, imgsearch_error *err);
int ims_sqlite_row_remove(sqlite_store *st, int64_t id, imgsearch_error *err);
int ims_sqlite_pixels_set(sqlite_store *st, int64_t id, uint32_t pixels, imgsearch_error *err);
int ims_sqlite_ctime_set(sqlite_store *st, int64_t id, timestamp ctime, imgsearch_error *err);
int ims_sqlite_signature_put(sqlite_store *st, int64_t picture, const hash256 *hash,
	const void *data, size_t size, imgsearch_error *err);
int ims_sqlite_vector_put(sqlite_store *st, int64_t id, const float *v, uint32_t dim, bool next,
	imgsearch_error *err);
int ims_sqlite_facts_put(sqlite_store *st, int64_t id, const facts *f, uint32_t version,
	uint64_t sidecars, imgsearch_error *err);

#endif

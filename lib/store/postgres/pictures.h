/* Pictures, within the PostgreSQL engine. */
#ifndef IMS_POSTGRES_PICTURES_H
#define IMS_POSTGRES_PICTURES_H

#include "store/postgres/conn.h"

/* The columns that a picture is read from; what a query selects behind them begins at _COUNT. */
#define PG_PICTURE \
	"p.id, p.root, p.path, p.size, p.mtime_seconds, p.mtime_nanoseconds, p.state, p.reason," \
	" p.width, p.height, p.hash, p.same_as, p.ctime_seconds, p.ctime_nanoseconds, p.same_file," \
	" p.pixels, r.path"
enum { PG_PICTURE_COUNT = 17 };

/* EDB: what was read of a picture is damaged. */
int ims_pg_picture_check(const store_picture *p, imgsearch_error *err);

/* A picture, of the columns from `from` on, with borrowed strings. EDB: damaged. */
int ims_pg_picture(const pg_result *r, int row, int from, store_picture *out, imgsearch_error *err);

#endif

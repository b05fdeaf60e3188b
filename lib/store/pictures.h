/* Pictures, within the store. */
#ifndef IMS_STORE_PICTURES_H
#define IMS_STORE_PICTURES_H

#include "store/conn.h"

/* The columns that a store_picture is read from; borrowed strings. */
#define PICTURE_COLUMNS \
	"p.id, p.root, p.path, p.size, p.mtime_ns, p.state, p.reason, p.width, p.height, p.hash, p.same_as"
int ims_store_picture_row(sqlite3_stmt *s, store_picture *out, imgsearch_error *err);

#endif

/* Facts of pictures, within the store. */
#ifndef IMS_SQLITE_FACTS_H
#define IMS_SQLITE_FACTS_H

#include "store/sqlite/conn.h"

/* Copies the facts of a picture to its successor. */
int ims_sqlite_facts_inherit(conn *c, int64_t from, int64_t to, imgsearch_error *err);
int ims_sqlite_facts_drop(conn *c, int64_t id, imgsearch_error *err);

#endif

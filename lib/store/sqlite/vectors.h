/* Vectors, within the store. */
#ifndef IMS_SQLITE_VECTORS_H
#define IMS_SQLITE_VECTORS_H

#include "store/sqlite/conn.h"

/*
 * Deletes the vectors of id with their regions and logs the change. *dropped becomes true if there
 * was one; dropped may be NULL.
 */
int ims_sqlite_vector_drop(sqlite_store *st, conn *c, int64_t id, bool *dropped,
	imgsearch_error *err);
/* The same, but the regions of the current model stay: the vector was copied into vector_kept. */
int ims_sqlite_vector_take(sqlite_store *st, conn *c, int64_t id, bool *dropped,
	imgsearch_error *err);

/* The rows of a statement that gives id and data, in blocks. EDB: a row has not dim values. */
int ims_sqlite_vectors_rows(sqlite_store *st, conn *c, sqlite3_stmt *s, uint32_t dim,
	store_vectors_each *each, void *user, imgsearch_error *err);

#endif

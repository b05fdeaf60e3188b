/* Vectors, within the store. */
#ifndef IMS_STORE_VECTORS_H
#define IMS_STORE_VECTORS_H

#include "store/conn.h"

/*
 * Deletes the vectors of id and logs the change. *dropped becomes true if there was one; dropped
 * may be NULL.
 */
int ims_store_vector_drop(store *st, conn *c, int64_t id, bool *dropped, imgsearch_error *err);

#endif

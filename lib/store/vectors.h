/* Vectors, within the store. */
#ifndef IMS_STORE_VECTORS_H
#define IMS_STORE_VECTORS_H

#include "store/conn.h"

/*
 * Deletes the vectors of id and notes the change. *gone becomes true where there was one; gone may
 * be NULL.
 */
int ims_store_vector_drop(store *st, conn *c, int64_t id, bool *gone, imgsearch_error *err);

#endif

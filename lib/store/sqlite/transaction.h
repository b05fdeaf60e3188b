/* Transactions. */
#ifndef IMS_SQLITE_TRANSACTION_H
#define IMS_SQLITE_TRANSACTION_H

#include "store/sqlite/conn.h"

/*
 * The writing connection within a transaction. EINVAL outside of one; after a failed statement the
 * status of that one.
 */
int ims_sqlite_writer(sqlite_store *st, conn **out, imgsearch_error *err);

#endif

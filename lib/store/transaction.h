/* Transactions. */
#ifndef IMS_STORE_TRANSACTION_H
#define IMS_STORE_TRANSACTION_H

#include "store/conn.h"

/*
 * The writing connection within a transaction. EINVAL outside of one; after a failed statement the
 * status of that one.
 */
int ims_store_writer(store *st, conn **out, imgsearch_error *err);

#endif

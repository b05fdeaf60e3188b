/* Counts that are kept as rows come and go. */
#ifndef IMS_STORE_TALLY_H
#define IMS_STORE_TALLY_H

#include "store/conn.h"

/* Rows that are counted as they come and go, since counting them would read the whole file: states, then vectors. */
enum { TALLY_VECTOR = 8, TALLY_NEXT = 9 };


int ims_store_tally_flush(store *st, conn *c, imgsearch_error *err);

#endif

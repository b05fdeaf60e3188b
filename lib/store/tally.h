/* Rows are counted as they come and go, since counting them would read the whole file. */
#ifndef IMS_STORE_TALLY_H
#define IMS_STORE_TALLY_H

#include "store/conn.h"

/* What is counted: 1 to 99 are the states of pictures; `vector`, `vector_next`, `vector_kept`. */
enum { TALLY_VECTOR = 101, TALLY_NEXT = 102, TALLY_KEPT = 103 };

/* Writes the tallies of the open transaction down. */
int ims_store_tally_flush(store *st, conn *c, imgsearch_error *err);

#endif

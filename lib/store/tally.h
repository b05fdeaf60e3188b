/* Counts of rows, kept current by every change, since counting would read the whole file. */
#ifndef IMS_STORE_TALLY_H
#define IMS_STORE_TALLY_H

#include "store/conn.h"

/* Indices of a tally: 1 to 7 are the states of pictures. */
enum { TALLY_VECTOR = 8, TALLY_NEXT = 9 };

/* Writes the counts of the open transaction to the file. */
int ims_store_tally_flush(store *st, conn *c, imgsearch_error *err);

#endif

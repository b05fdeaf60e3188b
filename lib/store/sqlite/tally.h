/* Counts of rows, kept current by every change, since counting would read the whole file. */
#ifndef IMS_SQLITE_TALLY_H
#define IMS_SQLITE_TALLY_H

#include "store/sqlite/conn.h"

/*
 * What is counted: 1 to 99 are the states of pictures; `vector`, `vector_next`, `vector_kept`,
 * `region`.
 */
enum { TALLY_VECTOR = 101, TALLY_NEXT, TALLY_KEPT, TALLY_REGION };

/* What ims_sqlite_counts gives, on a connection. */
int ims_sqlite_tally_read(conn *c, store_counts *out, imgsearch_error *err);

/* Writes the counts of the open transaction to the file. */
int ims_sqlite_tally_flush(sqlite_store *st, conn *c, imgsearch_error *err);

#endif

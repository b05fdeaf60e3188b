/* The gate of ":memory:": threads read while no transaction is open. Nothing for files. */
#ifndef IMS_SQLITE_GATE_H
#define IMS_SQLITE_GATE_H

#include "store/sqlite/conn.h"

void ims_sqlite_gate_init(sqlite_store *st);
void ims_sqlite_gate_destroy(sqlite_store *st);

/* ims_sqlite_hold_acquire for one read, which needs no other thread. */
void ims_sqlite_hold_acquire_read(sqlite_store *st, store_hold *h);

/*
 * Waits up to five seconds until no other thread reads. EBUSY: one still does; at once where this
 * thread reads itself.
 */
int ims_sqlite_gate_close(sqlite_store *st, imgsearch_error *err);
void ims_sqlite_gate_open(sqlite_store *st);

#endif

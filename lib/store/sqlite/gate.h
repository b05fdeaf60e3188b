/* The gate of ":memory:": threads read while no transaction is open. Nothing for files. */
#ifndef IMS_SQLITE_GATE_H
#define IMS_SQLITE_GATE_H

#include "store/sqlite/conn.h"

void ims_store_gate_init(store *st);
void ims_store_gate_destroy(store *st);

/* ims_store_hold_acquire for one read, which needs no other thread. */
void ims_store_hold_acquire_read(store *st, store_hold *h);

/*
 * Waits up to five seconds until no other thread reads. EBUSY: one still does; at once where this
 * thread reads itself.
 */
int ims_store_gate_close(store *st, imgsearch_error *err);
void ims_store_gate_open(store *st);

#endif

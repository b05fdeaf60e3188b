/* The walk of one start of an index run: a folder of a root, or a single file. */
#ifndef IMS_INGEST_START_H
#define IMS_INGEST_START_H

#include "files/walk.h"
#include "ingest/index_run.h"

/*
 * Makes the start that of r->walk, and the patterns of its root active. What its walk goes by is
 * borrowed from r and p: valid until the next one begins. EDB, EIO, ENOMEM.
 */
int ims_start_begin(index_run *r, index_plan *p, const index_start *start, walk_rules *rules);
void ims_start_clear(walk_state *w);

/*
 * Indexes what the start holds, and removes what it no longer holds. One that is not there is
 * offline: its rows stay.
 */
int ims_start_index(index_run *r, index_plan *p, const index_start *start);

#endif

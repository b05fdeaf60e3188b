/* What becomes of a path that the walk of an index run meets. */
#ifndef IMS_INGEST_ENTRY_H
#define IMS_INGEST_ENTRY_H

#include "files/walk.h"
#include "ingest/index_run.h"

/*
 * Submits a file to the pipeline, records a path that is none, or counts one that is unchanged.
 * Then writes what is due, and reports progress. Errors of the pipeline; what progress returns.
 */
int ims_entry_index(index_run *r, const walk_entry *e);

/* The same for the name of a picture whose bytes the index stores. */
int ims_entry_stored(index_run *r, const char *name);

/* What is known of a path by its row. */
path_entry ims_entry_known(const store_picture *p, bool has_vector);

/*
 * A file that the run wanted to read, with what is known of it now (NULL: it has no row): counts it
 * as unchanged where another program has indexed it. Else submits it where it is this run's, or
 * puts it off. Errors of the pipeline.
 */
int ims_entry_read(index_run *r, const walk_entry *e, const path_entry *known, file_claim claim);

/* Enough to notice that a path is left out for another reason now; reason may be NULL. */
uint8_t ims_entry_reason(const char *reason);

/* Whether the folder that a broken link leads to is absent or empty: its disk may be offline. */
bool ims_entry_target_is_offline(const char *link);

#endif

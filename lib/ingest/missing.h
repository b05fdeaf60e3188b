/* Missing pictures: rows whose paths a walk did not find. */
#ifndef IMS_INGEST_MISSING_H
#define IMS_INGEST_MISSING_H

#include "ingest/index_run.h"

/*
 * Counts the missing paths of the current start. Paths below unreadable folders and pictures that
 * were deleted on purpose do not count. EDB, EIO, ENOMEM.
 */
int ims_missing_count(index_run *r, uint64_t *n);

/*
 * Removes the missing pictures of the current start. If they are so many that a disk may not be
 * mounted, it keeps them and logs a warning. All pending rows are written before. before: the
 * counts at the beginning of the walk, which are corrected where the state of a row changed since;
 * NULL for a single file. EDB, EIO, ENOMEM.
 */
int ims_missing_remove(index_run *r, const imgsearch_counts *before);

#endif

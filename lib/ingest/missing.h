/* Pictures that a walk did not meet. */
#ifndef IMS_INGEST_MISSING_H
#define IMS_INGEST_MISSING_H

#include "ingest/tree.h"

/*
 * How many paths of the run's start the walk did not meet; those below unreadable folders, and
 * pictures that were deleted on purpose, are not counted.
 */
int ims_missing_count(tree_run *r, uint64_t *n);

/*
 * Removes them, unless they are so many that a disk may be missing (the log says so). All rows are
 * written before. before: the counts at the beginning of the walk, corrected where a row's state
 * changed since it was counted; NULL: a single file.
 */
int ims_missing_remove(tree_run *r, const imgsearch_counts *before);

#endif

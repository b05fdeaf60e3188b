/*
 * Files that several paths lead to: hard links, symbolic links, mounts. The run notes what file
 * each path leads to (seen_files.h). When all is written, the paths of one file with equal bytes
 * become one picture: the first in order of path that is there and that no link leads to. The
 * others are its names (store_naming in store/record.h). The index keeps the relation alone, since
 * devices and inodes have other numbers after the next mount.
 */
#ifndef IMS_INGEST_SAME_FILES_H
#define IMS_INGEST_SAME_FILES_H

#include "handle/handle.h"
#include "handle/offline.h"
#include "ingest/counts.h"
#include "ingest/seen_files.h"

typedef struct same_files_run {
	seen_files *files;        /* is sorted */
	const path_table *before; /* the paths that the index held before the run */
	offline_folders *offline;
	run_counts *counts; /* are corrected */
} same_files_run;

/*
 * Makes the relation between rows what the run saw, in one transaction; all pending rows are
 * written before. Where a picture is not the one whose row has the vector, the two rows exchange
 * their paths, so that ids and vectors stay with the content. A path that was not seen and leads to
 * the file of a new one counts as seen. A relation to others stays; but where the picture of a file
 * was not seen and a name of it was, or the run removed the picture, the paths that were not seen
 * are looked at: one that is gone is not the picture. EDB, EIO, ENOMEM.
 */
int ims_same_files_settle(imgsearch *s, const same_files_run *run, imgsearch_error *err);

#endif

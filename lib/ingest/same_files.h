/*
 * Files that several paths lead to: hard links, symbolic links, mounts. The run notes what file
 * each path leads to. When all is written, the paths of one file with equal bytes become one
 * picture: the first in order of path that is there and that no link leads to. The others are its
 * names (store/names.h). The index keeps the relation alone, since devices and inodes have other
 * numbers after the next mount.
 */
#ifndef IMS_INGEST_SAME_FILES_H
#define IMS_INGEST_SAME_FILES_H

#include "files/walk.h"
#include "handle/handle.h"
#include "handle/offline.h"
#include "ingest/counts.h"
#include "ingest/path_table.h"

/* A path that the run found: 40 bytes. */
typedef struct seen_file {
	path_key key;
	uint64_t device, inode;
	uint32_t number; /* of the file; 0: not yet */
	bool link;       /* a symbolic link leads to it */
	bool shared;     /* another path leads to this file */
} seen_file;

typedef struct seen_files {
	seen_file *item;
	size_t n, cap;
} seen_files;

int ims_seen_files_add(seen_files *f, path_key key, const walk_entry *e, bool link); /* ENOMEM */
void ims_seen_files_free(seen_files *f);

typedef struct same_files_run {
	seen_files *files;        /* is sorted */
	const path_table *before; /* the paths that the index held before the run */
	offline_folders *offline;
	run_counts *counts; /* are corrected */
} same_files_run;

/*
 * Makes the relation between rows what the run saw, in one transaction; all pending rows are
 * written before. Where a picture is not the one whose row has the vector, the two rows exchange
 * their paths, so that ids and vectors stay with the content. A relation to a path that was not
 * seen stays; but where the picture of a file was not seen and a name of it was, or the run removed
 * the picture, the paths that were not seen are looked at: one that is gone is not the picture.
 * EDB, EIO, ENOMEM.
 */
int ims_same_files_settle(imgsearch *s, const same_files_run *run, imgsearch_error *err);

#endif

/*
 * Which files the paths of a run lead to, by device and inode. The walks note their paths; the
 * paths elsewhere that have the bytes of a new one are looked at in the end.
 */
#ifndef IMS_INGEST_SEEN_FILES_H
#define IMS_INGEST_SEEN_FILES_H

#include "files/walk.h"
#include "handle/handle.h"
#include "ingest/path_table.h"

/* A path and its file: 40 bytes. */
typedef struct seen_file {
	path_key key;
	uint64_t device, inode;
	uint32_t number; /* of the file; 0: not yet */
	bool link;       /* a symbolic link leads to it */
	bool shared;     /* another path leads to this file */
	bool elsewhere;  /* the run does not count it */
} seen_file;

typedef struct seen_files {
	seen_file *item;
	size_t n, cap;
} seen_files;

int ims_seen_files_add(seen_files *f, path_key key, const walk_entry *e, bool link); /* ENOMEM */
void ims_seen_files_free(seen_files *f);

/* Numbers the files and sorts the paths by key. Returns whether any file has several. */
bool ims_seen_files_number(seen_files *f);

/* Of numbered files. NULL: the path was not seen. */
const seen_file *ims_seen_files_find(const seen_files *f, int64_t root, const char *path);

/*
 * Looks at the paths that the run did not see and whose bytes, as the index knows them, are those
 * of a path that it saw and that was not there before, or had others. Those that lead to its file
 * are added, as `elsewhere`. before: the paths that the index held before the run. All rows are
 * written; f is numbered before and after. *shared is set where one was added. EDB, EIO, ENOMEM.
 */
int ims_seen_files_look(imgsearch *s, seen_files *f, const path_table *before, bool *shared,
	imgsearch_error *err);

/* Whether a part of the path behind its first `from` bytes is a symbolic link. */
bool ims_leads_through_link(char *path, size_t from);

#endif

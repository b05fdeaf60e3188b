/* The paths of a group, sorted by the files that they lead to. */
#ifndef IMS_COLLECTION_FILE_PATHS_H
#define IMS_COLLECTION_FILE_PATHS_H

#include "collection/members.h"

typedef struct file_path {
	int64_t id, file;  /* of its item; of the item of its file */
	const char *path;  /* borrowed; NULL: none */
	file_stamp *stamp; /* borrowed, of its member or name */
	const member *of;  /* borrowed: the member that was added */
	bool name;         /* the index has it as a name of `file` */
	bool link;         /* it is a symbolic link */
	uint64_t device, inode;
	bool found;   /* both are known */
	size_t class; /* paths of one file have one number */
} file_path;

typedef struct file_paths {
	file_path *item;
	size_t n, cap;
	size_t files;
} file_paths;

/* Appends the path of a member and its names, which stay theirs. ENOMEM. */
int ims_file_paths_add(file_paths *p, const members *all, member *m);

/*
 * Drops, of the paths from that number on, those whose files are not those of the index any more:
 * there is none, though the root holds something, or it has another size, or another time and other
 * bytes. Where the picture of a file is dropped, its first name that is left stands for it. Comes
 * before the sorting. Looks at each file once; returns how many of them are stale.
 */
size_t ims_file_paths_drop_stale(file_paths *p, size_t from, offline_folders *offline);

/*
 * Sorts the paths: one of each file comes first, by id, then the others, whose `file` is that one.
 * With `look` the files are looked at: paths with one device and inode are one file, others are
 * not, and for a path that cannot be found the index decides. The path that stands for a file is a
 * symbolic link only where all are. Of the others it is the one that the index has, else the first
 * in order.
 */
void ims_file_paths_sort(file_paths *p, bool look);
void ims_file_paths_free(file_paths *p);

#endif

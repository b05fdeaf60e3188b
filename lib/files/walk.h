/*
 * Walks a folder: reports every path below a root, in order of name, with its kind. Where links are
 * followed, what is reached through one is reported after all that is not, so that no linked folder
 * hides the real one. Folders are opened relative to their parent, so a folder that is renamed
 * meanwhile is not confused with another. The walk uses no database.
 */
#ifndef IMS_FILES_WALK_H
#define IMS_FILES_WALK_H

#include "files/patterns.h"

typedef enum walk_kind {
	WALK_FILE,       /* a regular file that no rule excludes */
	WALK_EXCLUDED,   /* a rule excludes it; a folder is not entered */
	WALK_SPECIAL,    /* a device, socket or FIFO */
	WALK_UNREADABLE, /* it cannot be examined, listed or entered */
} walk_kind;

typedef struct walk_entry {
	walk_kind kind;
	const char *path;   /* relative to the root; valid during the call */
	const char *reason; /* why it is not a WALK_FILE, else NULL; valid during the call */
	bool folder;
	bool chosen;            /* patterns or an ignore file exclude it */
	bool link;              /* it is a followed link, or is reached through one */
	bool broken;            /* it is a followed link that leads to nothing */
	bool sidecars;          /* its folder has files named *.xmp */
	size_t mount;           /* bytes of path that name the innermost mount point on it; 0: none */
	uint64_t device, inode; /* of a WALK_FILE: what its path leads to */
	uint64_t size;          /* bytes */
	timestamp mtime, ctime;
} walk_entry;

/* The rules of a walk, borrowed until it ends. */
typedef struct walk_rules {
	path_patterns *include; /* files that match none are excluded; NULL or empty: all come */
	path_patterns *exclude; /* NULL: none; the walk sets in both which ones matched */
	bool system_folders;    /* these are walked, too */
	/*
	 * paths below the root ("": all) below which symbolic links are followed; each folder is
	 * entered once then
	 */
	const char *const *follow;
	size_t n_follow;
	const char *index; /* absolute path of the index, which is excluded; NULL: none */
	const char *const
		*roots; /* absolute paths of folders that are walked as roots of their own; not entered */
	size_t n_roots;
} walk_rules;

/* The reason of a file that matches none of the patterns of what is taken in. */
extern const char ims_walk_not_included[];

/* A result other than 0 ends the walk and is returned. */
typedef int walk_each(void *user, const walk_entry *entry);

/*
 * Walks root/prefix; prefix "" walks the whole root. The ignore files of the folders above the
 * prefix count, from the root on. Where a rule excludes the prefix or a folder above it, that
 * folder is reported as excluded, and nothing else. `each` runs on the calling thread. EIO: the
 * start cannot be opened. The prefix may lead through links that are followed. Folders below it
 * that cannot be read are entries of kind WALK_UNREADABLE. ENOMEM.
 */
int ims_walk(const char *root, const char *prefix, const walk_rules *rules, walk_each *each,
	void *user, imgsearch_error *err);

/* Whether a folder can be read and holds anything; otherwise its disk may be offline. */
bool ims_folder_has_entries(const char *path);

#endif

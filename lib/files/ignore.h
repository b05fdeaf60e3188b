/*
 * The patterns of ignore files, as git reads those of its own: gitignore(5) is the contract, and
 * tests/files/test_ignore.c compares. A character is a byte.
 */
#ifndef IMS_FILES_IGNORE_H
#define IMS_FILES_IGNORE_H

#include "base/base.h"

typedef struct ignore_pattern {
	char *text;     /* behind `!` and a slash at the beginning, before one at the end */
	size_t literal; /* anchored: the length of its beginning without wildcards */
	bool negated, folders_only;
	bool anchored; /* to the folder of the file: matched with the path, not with the name */
} ignore_pattern;

/* The patterns of one folder. */
typedef struct ignore_rules {
	ignore_pattern *pattern;
	size_t n, cap;
	size_t base; /* offset of names inside the folder in a path relative to the root */
	const struct ignore_rules *outer; /* rules of the folder above; NULL at the start of the walk */
	const char
		*unread[2]; /* why .ignore and .imgsearchignore could not be read; NULL: read, or none */
} ignore_rules;

/*
 * Reads the files .ignore and .imgsearchignore in the folder `dir` (an open descriptor); patterns
 * of the second one come last. As in git, one that is a link, unreadable or larger than 100 MiB
 * counts as empty. 0 or ENOMEM.
 */
int ims_ignore_read(ignore_rules *rules, int dir);

/* Why the patterns of an ignore file of that name do not count; NULL: they do, or it is none. */
const char *ims_ignore_unread(const ignore_rules *rules, const char *name);

void ims_ignore_free(ignore_rules *rules);

/*
 * Whether the rules exclude an entry of their folder: path is relative to the root, name its last
 * part. The last pattern that matches decides; inner folders come before outer ones.
 */
bool ims_ignore_excludes(const ignore_rules *rules, const char *path, const char *name,
	bool folder);

#endif

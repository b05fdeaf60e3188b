/*
 * The patterns of ignore files, a subset of gitignore's: comments, `!` negates, a trailing slash
 * means folders, a slash inside anchors the pattern to the file's folder, a leading double star and
 * slash match any depth.
 */
#ifndef IMS_FILES_IGNORE_H
#define IMS_FILES_IGNORE_H

#include "base/base.h"

typedef struct ignore_pattern {
	char *text;
	bool negated, folders_only, anchored;
} ignore_pattern;

/* The patterns of one folder. */
typedef struct ignore_rules {
	ignore_pattern *pattern;
	size_t n;
	size_t base; /* offset of names inside the folder in a path relative to the root */
	const struct ignore_rules *outer; /* rules of the folder above; NULL at the start of the walk */
} ignore_rules;

/*
 * Appends the patterns of the file `name` in the folder `dir` (an open descriptor). A missing file
 * adds none. 0 or ENOMEM.
 */
int ims_ignore_read(ignore_rules *rules, int dir, const char *name);
void ims_ignore_free(ignore_rules *rules);

/*
 * Whether the rules exclude an entry of their folder: path is relative to the root, name its last
 * part. The last pattern that matches decides; inner folders come before outer ones.
 */
bool ims_ignore_excludes(const ignore_rules *rules, const char *path, const char *name,
	bool folder);

#endif

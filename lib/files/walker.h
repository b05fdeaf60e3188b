/* A walk at work, and what its rules say of the entry at its path. Within the room. */
#ifndef IMS_FILES_WALKER_H
#define IMS_FILES_WALKER_H

#include "files/ignore.h"
#include "files/walk.h"

#include <sys/stat.h>

/* A folder that was entered. */
typedef struct folder_id {
	dev_t dev;
	ino_t ino;
	bool twice; /* in the second pass, too */
} folder_id;

typedef struct walker {
	const walk_rules *rules;
	const char *root;
	walk_each *each;
	void *user;
	imgsearch_error *err;
	buf path;           /* relative to the root; a NUL stands behind it */
	folder_id *visited; /* only where links are followed */
	size_t n_visited, cap_visited;
	bool second;    /* the pass that reports links, and no other entry */
	bool met_links; /* the first pass passed one over */
	bool linked;    /* below a link */
	bool broken;    /* at a link that leads to nothing */
	bool sidecars;  /* the open folder has files of XMP */
	size_t mount;   /* length of the path of the innermost mount point below the root; 0: none */
} walker;

static inline size_t ims_walk_push(walker *w, const char *name)
{
	size_t before = w->path.len;
	ims_buf_text(&w->path, "%s%s", before ? "/" : "", name);
	return before;
}

static inline void ims_walk_pop(walker *w, size_t before)
{
	w->path.len = before;
	if (w->path.data)
		w->path.data[before] = 0;
}

static inline const char *ims_walk_path(const walker *w)
{
	return w->path.data ? (const char *)w->path.data : "";
}

/* Whether a reason is a rule of the user. */
bool ims_walk_is_chosen(const char *reason);

/* *reason: why a rule excludes the entry; NULL: no rule does. ENOMEM. */
int ims_walk_find_rule(const walker *w, const ignore_rules *ignore, const char *name, bool folder,
	const char **reason);

/*
 * *reason: why a pattern or an ignore file excludes what a path leads to through links, where that
 * lies in the root, too; NULL: none does. So nothing that is left out comes in under another name.
 */
int ims_walk_find_target_rule(const walker *w, bool folder, const char **reason);

/* Whether links at this path, and below it, are followed. */
bool ims_walk_follows(const walker *w);

/* The rules of the ignore files of a folder, which is that of the path. ENOMEM. */
int ims_walk_read_rules(walker *w, int fd, const ignore_rules *outer, ignore_rules *out);

#endif

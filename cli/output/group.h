/* Groups of near-duplicates, the best picture first, and as JSON. */
#ifndef IMGSEARCH_CLI_GROUP_H
#define IMGSEARCH_CLI_GROUP_H

#include "cli/base/json_writer.h"

const char *group_kind(uint32_t kind); /* "bytes", "picture", "scene" */

typedef struct group_picture {
	int64_t id; /* first, so that pictures are found by it */
	char *path; /* owned */
	uint64_t pixels, bytes;
	bool partial, grey, link; /* link: a symbolic link leads to its path */
} group_picture;

/*
 * The *n pictures of a group that the index still has, the one to keep first. No link comes before
 * a link, whole before partial, in colour before grey. Then more pixels, more bytes and the path
 * decide. NULL: out of memory, or they cannot be read.
 */
group_picture *group_read(imgsearch *s, const imgsearch_group *g, size_t *n);
void group_free(group_picture *pictures, size_t n);

/* Members of an open object: kind, score, pictures. */
void group_write_json(json_writer *j, imgsearch *s, const imgsearch_group *g);

#endif

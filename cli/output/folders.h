/* The folders that the points of a map are coloured by. */
#ifndef IMGSEARCH_CLI_FOLDERS_H
#define IMGSEARCH_CLI_FOLDERS_H

#include "imgsearch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct folders {
	char **name; /* in order of path, without the beginning that all have in common */
	size_t n, cap;
	uint32_t *of; /* of point i: the number of its folder */
} folders;

/*
 * points are in ascending order of their ids. below: the filter that they passed, or NULL; each is
 * in the folder of its path below the folders of the filter, whichever of its paths that is.
 * Returns 0 or a status; then there is nothing to free.
 */
int folders_read(folders *f, imgsearch *s, const imgsearch_map *points,
	const imgsearch_filter *below, const imgsearch_call *call, imgsearch_error *err);
void folders_free(folders *f);

#endif

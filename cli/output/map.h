/* A map of pictures as JSON. */
#ifndef IMGSEARCH_CLI_OUTPUT_MAP_H
#define IMGSEARCH_CLI_OUTPUT_MAP_H

#include "imgsearch.h"

#include <stdio.h>

/*
 * below: as in folders_read. {"schema": 1, "folders": [...], "points": [[id, x, y, folder], ...]}
 * and a newline. Returns 0 or a status.
 */
int map_write_json(FILE *f, imgsearch *s, const imgsearch_map *points,
	const imgsearch_filter *below, const imgsearch_call *call, imgsearch_error *err);

#endif

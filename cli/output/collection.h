/* What the commands that show a whole collection share: counts, pictures, groups and maps as JSON. */
#ifndef IMGSEARCH_CLI_COLLECTION_H
#define IMGSEARCH_CLI_COLLECTION_H

#include "cli/base/cli.h"

void states_json(json *j, const imgsearch_counts *n);              /* members of an open object: how many in each state */
void counts_json(json *j, const imgsearch_counts *n);              /* ... and what an index run did */
void item_members(json *j, const imgsearch_item *item);
void item_json(json *j, imgsearch *s, int64_t id);                 /* an object; only the id where it is gone */
void group_json(json *j, imgsearch *s, const imgsearch_group *g);  /* members: kind, score, pictures */
const char *group_kind(uint32_t kind);                             /* "bytes", "picture", "scene" */

/* The folder of every point, as a number; names in order of path. */
typedef struct folders {
	char **name;
	size_t n, cap;
	uint32_t *of;     /* of point i */
} folders;

bool folders_read(folders *f, imgsearch *s, const imgsearch_map_points *points, imgsearch_error *err);
void folders_free(folders *f);

/* {"schema": 1, "folders": [...], "points": [[id, x, y, folder], ...]} */
int map_json(FILE *f, imgsearch *s, const imgsearch_map_points *points, imgsearch_error *err);

#endif

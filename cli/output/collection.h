/* What the commands that show a whole collection share: counts, pictures, groups and maps as JSON. */
#ifndef IMGSEARCH_CLI_COLLECTION_H
#define IMGSEARCH_CLI_COLLECTION_H

#include "cli/base/cli.h"

void counts_write_states(json_writer *j, const imgsearch_counts *n);              /* members of an open object: how many in each state */
void counts_write_json(json_writer *j, const imgsearch_counts *n);              /* ... and what an index run did */
void item_write_members(json_writer *j, const imgsearch_item *item);
void item_write_json(json_writer *j, imgsearch *s, int64_t id);                 /* an object; only the id where it is gone */
void group_write_json(json_writer *j, imgsearch *s, const imgsearch_group *g);  /* members: kind, score, pictures */
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
int map_write_json(FILE *f, imgsearch *s, const imgsearch_map_points *points, imgsearch_error *err);

#endif

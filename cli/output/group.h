/* Groups of near-duplicates as JSON. */
#ifndef IMGSEARCH_CLI_GROUP_H
#define IMGSEARCH_CLI_GROUP_H

#include "cli/base/json_writer.h"

const char *group_kind(uint32_t kind); /* "bytes", "picture", "scene" */

/* Members of an open object: kind, score, pictures. */
void group_write_json(json_writer *j, imgsearch *s, const imgsearch_group *g);

#endif

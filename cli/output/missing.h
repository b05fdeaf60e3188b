/* The shards of an index that cannot be reached. */
#ifndef IMGSEARCH_CLI_MISSING_H
#define IMGSEARCH_CLI_MISSING_H

#include "cli/base/json_writer.h"

#include "imgsearch.h"

/* Their names, one a line, malloc'd; NULL: all are there, or it is no index of shards. */
char *missing_names(imgsearch *s);

/* The member "missing", a list of these names; nothing where lines is NULL. */
void missing_write_json(json_writer *j, const char *lines);

#endif

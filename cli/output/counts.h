/* Counts of paths as JSON: members of an open object. */
#ifndef IMGSEARCH_CLI_COUNTS_H
#define IMGSEARCH_CLI_COUNTS_H

#include "cli/base/json_writer.h"

/* How many are in each state. */
void counts_write_states(json_writer *j, const imgsearch_counts *n);
/* Those, and the counts and times of an index run. */
void counts_write_json(json_writer *j, const imgsearch_index_update_report *r);

#endif

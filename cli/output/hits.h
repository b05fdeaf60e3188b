/* The answer to a query as JSON: the same object from `query --json` and from the server. */
#ifndef IMGSEARCH_CLI_HITS_H
#define IMGSEARCH_CLI_HITS_H

#include "cli/base/json_writer.h"

#include "imgsearch.h"

#include <stdio.h>

/* What was asked for: borrowed. */
typedef struct hits_inputs {
	const imgsearch_input *input;
	size_t n;
} hits_inputs;

/*
 * The object and a newline. query: its name in one word, such as a path or "id:7"; path: its
 * absolute path, or NULL; inputs: several are listed; NULL: none; warning: what the user should
 * know of it, or NULL.
 */
void hits_write_json(FILE *f, const char *query, const char *path, const hits_inputs *inputs,
	const char *warning, const imgsearch_hits *hits);
/* The members that name the query, alone. */
void hits_write_query(json_writer *j, const char *query, const char *path);

#endif

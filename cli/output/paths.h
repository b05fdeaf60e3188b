/* The other paths of a picture: copies, and other names of its file. */
#ifndef IMGSEARCH_CLI_PATHS_H
#define IMGSEARCH_CLI_PATHS_H

#include "cli/base/json_writer.h"

/*
 * paths and links as in imgsearch_hit. Nothing is written where paths is NULL.
 *
 * A member of an open object: "also": [{"path": ..., "link": true}]; a link is another name of the
 * same file.
 */
void paths_write_json(json_writer *j, const imgsearch_strings *paths,
	const imgsearch_strings *links);

/* On standard output, behind a record: a tab and "same file: PATH" or "copy: PATH" for each. */
void paths_write_text(const imgsearch_strings *paths, const imgsearch_strings *links);

#endif

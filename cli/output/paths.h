/* The other paths of a picture: copies, and other names of its file. */
#ifndef IMGSEARCH_CLI_PATHS_H
#define IMGSEARCH_CLI_PATHS_H

#include "cli/base/json_writer.h"

/*
 * paths, links and linked as in imgsearch_hit. Nothing is written where paths is NULL.
 *
 * A member of an open object: "also": [{"path": ..., "link": true}]; a link is another name of the
 * same file. Another name of a copy has "same_file", the path of the copy.
 */
void paths_write_json(json_writer *j, const imgsearch_strings *paths,
	const imgsearch_strings *links, const imgsearch_strings *linked);

/*
 * On standard output, behind a record: a tab and "same file: PATH" or "copy: PATH" for each. Behind
 * another name of a copy come a tab and "same file as: PATH", that of the copy.
 */
void paths_write_text(const imgsearch_strings *paths, const imgsearch_strings *links,
	const imgsearch_strings *linked);

#endif

/* The other paths of a picture: copies, and other names of its file. */
#ifndef IMGSEARCH_CLI_PATHS_H
#define IMGSEARCH_CLI_PATHS_H

#include "cli/base/json_writer.h"

/*
 * The other paths of the picture at the path `own`. Nothing is written where paths is NULL.
 *
 * A member of an open object: "also": [{"path": ..., "link": true}]; a link is another name of the
 * same file. Another name of a copy has "same_file", the path of the copy.
 */
void paths_write_json(json_writer *j, const char *own, const imgsearch_paths *paths);

/*
 * On standard output, behind a record: a tab and "same file: PATH" or "copy: PATH" for each. Behind
 * another name of a copy come a tab and "same file as: PATH", that of the copy.
 */
void paths_write_text(const char *own, const imgsearch_paths *paths);
void paths_write_link(const char *path); /* one of the same file */

#endif

/* Text records on standard output: fields of names and titles. */
#ifndef IMGSEARCH_CLI_RECORD_H
#define IMGSEARCH_CLI_RECORD_H

#include <stdbool.h>

/* A path as it is; on a terminal control characters and invalid UTF-8 are escaped. */
void record_path(const char *path);

/*
 * A title: line breaks and tabs become spaces, on a terminal also control characters and invalid
 * UTF-8.
 */
void record_title(const char *title);

/* The end of a record: a newline, or NUL with -0. */
void record_end(bool nul);

#endif

/*
 * The progress bar: one line on stderr, drawn again at each report of the library. Without a
 * terminal that can move its cursor (or with TERM=dumb) a plain line is written every half minute;
 * with -q nothing. One thread at a time.
 */
#ifndef IMGSEARCH_CLI_PROGRESS_H
#define IMGSEARCH_CLI_PROGRESS_H

#include "imgsearch.h"

#include <stdbool.h>

typedef struct progress progress;

/* Every function accepts NULL, and then does nothing. */
progress *progress_new(bool quiet); /* NULL: out of memory */
void progress_free(progress *p);
void progress_show(progress *p, const imgsearch_progress *now);
void progress_clear(progress *p); /* removes the bar before a message is printed */

#endif

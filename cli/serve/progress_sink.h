/*
 * Progress of the library, for the thread that a call runs in. The handle of a server has one
 * callback for all threads: progress_sink_report, which passes a report on to the function that its
 * thread has set.
 */
#ifndef IMGSEARCH_CLI_PROGRESS_SINK_H
#define IMGSEARCH_CLI_PROGRESS_SINK_H

#include "imgsearch.h"

/* report returns non-zero to cancel; it stays set until the thread ends. */
void progress_sink_set(int (*report)(void *arg, const imgsearch_progress *p), void *arg);

int progress_sink_report(void *user, const imgsearch_progress *p); /* for imgsearch_events; user is not used */

#endif

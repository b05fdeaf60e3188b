/*
 * Progress of the library, for the thread that a call runs in. The handle of a server has one
 * callback for all threads: progress_sink_report, which passes a report on to the function that its
 * thread has set.
 */
#ifndef IMGSEARCH_CLI_PROGRESS_SINK_H
#define IMGSEARCH_CLI_PROGRESS_SINK_H

#include "imgsearch.h"

/* A report that returns non-zero cancels. It stays set until the thread ends. */
void progress_sink_set(int (*report)(void *arg, const imgsearch_progress *p), void *arg);

/* For imgsearch_events; user is not used. */
int progress_sink_report(void *user, const imgsearch_progress *p);

#endif

/*
 * The surroundings of a long piece of work: its threads, whom it reports to, and whether it is
 * cancelled.
 */
#ifndef IMS_BASE_JOB_H
#define IMS_BASE_JOB_H

#include "base/cancel.h"
#include "base/pool.h"
#include "imgsearch.h"

#include <stdbool.h>

typedef struct job {
	pool *pool;                     /* may be NULL */
	const imgsearch_events *events; /* may be NULL; called only on the thread that does the work */
	cancel_token cancel;            /* asks the work to stop */
	double last_report;             /* when progress was reported last (ims_now) */
} job;

/*
 * Reports progress, at most ten times a second and always when done == total. Returns 0 or
 * ECANCELED. Only on the thread that does the work. j may be NULL.
 */
int ims_job_progress(job *j, const imgsearch_progress *p, imgsearch_error *err);
int ims_job_step(job *j, const char *stage, uint64_t done, uint64_t total, imgsearch_error *err);

/* Any thread; false for NULL. */
bool ims_job_cancelled(const job *j);

/* One line to the caller's log. Only on the thread that does the work. j may be NULL. */
void ims_job_log(job *j, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

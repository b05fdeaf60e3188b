/*
 * A call of the library at work: its threads, whom it reports to, and what stops it.
 */
#ifndef IMS_BASE_JOB_H
#define IMS_BASE_JOB_H

#include "base/cancel.h"
#include "base/pool.h"
#include "imgsearch.h"

typedef struct job {
	pool *pool;          /* may be NULL */
	imgsearch_call call; /* a complete copy; its callbacks run on the thread that does the work */
	stop_token stop;
	double last_report; /* when progress was reported last (ims_now) */
} job;

/*
 * Reports progress, at most ten times a second and always when done == total. Returns 0, ECANCELED
 * or EDEADLINE. Only on the thread that does the work. j may be NULL.
 */
int ims_job_progress(job *j, const imgsearch_progress *p, imgsearch_error *err);
int ims_job_step(job *j, const char *stage, uint64_t done, uint64_t total, imgsearch_error *err);

/* 0, ECANCELED or EDEADLINE, the second with its sentence. Any thread; 0 for NULL. */
int ims_job_stopped(const job *j);
int ims_job_check(const job *j, imgsearch_error *err);

/*
 * How many pictures go through the network at once, of the number that is best for it. each: the
 * seconds that one took; 0: unknown. A call past its deadline ends after the batch that runs, so
 * batches are smaller, down to a quarter, where a whole one takes more than half of the time left.
 */
size_t ims_job_batch(const job *j, size_t best, double each);

/* One line to the caller's log. Only on the thread that does the work. j may be NULL. */
void ims_job_log(job *j, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

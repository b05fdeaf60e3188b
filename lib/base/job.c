/* Progress, stopping and log of a call. */
#include "base/job.h"

#include "base/c_locale.h"
#include "base/callback.h"
#include "base/clock.h"
#include "base/error.h"

#include <math.h>
#include <stdarg.h>

int ims_job_stopped(const job *j)
{
	return j ? ims_stopped(&j->stop) : 0;
}

int ims_job_check(const job *j, imgsearch_error *err)
{
	return j ? ims_stop_check(&j->stop, err) : 0;
}

size_t ims_job_batch(const job *j, size_t best, double each)
{
	if (!j || !(j->stop.deadline > 0))
		return best;
	size_t least = (best + 3) / 4;
	double fit = each > 0 ? (j->stop.deadline - ims_now()) / 2 / each : 0;
	return fit >= (double)best ? best : fit > (double)least ? (size_t)fit : least;
}

int ims_job_progress(job *j, const imgsearch_progress *p, imgsearch_error *err)
{
	if (!j)
		return 0;
	double now = ims_now();
	bool due = now - j->last_report >= 0.1 || (p->total && p->done == p->total);
	if (due && j->call.progress) {
		j->last_report = now;
		if (ims_call_progress(j->call.progress, j->call.user, p))
			return ims_fail(err, IMGSEARCH_ECANCELED, "cancelled");
	}
	return ims_job_check(j, err);
}

int ims_job_step(job *j, const char *stage, uint64_t done, uint64_t total, imgsearch_error *err)
{
	imgsearch_progress p = { .stage = stage, .done = done, .total = total };
	p.loss = p.accuracy = NAN;
	return ims_job_progress(j, &p, err);
}

void ims_job_log(job *j, int level, const char *format, ...)
{
	if (!j || !j->call.log)
		return;
	char text[600];
	va_list args;
	va_start(args, format);
	ims_vprint(text, sizeof text, format, args);
	va_end(args);
	ims_call_log(j->call.log, j->call.user, level, text);
}

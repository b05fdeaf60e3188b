#include "base/base.h"

#include <time.h>

bool ims_retry_wait(retry *r, double patience, const job *j)
{
	static const double step = 0.02; /* between two looks at the job */
	double now = ims_now(), end;
	if (!r->tries++) {
		r->pause = 0.05;
		r->until = now + patience;
		return true;
	}
	if (now + r->pause > r->until)
		return false;
	for (end = now + r->pause; now < end && !ims_job_check(j, NULL); now = ims_now())
		nanosleep(&(struct timespec){ 0, (long)(step * 1e9) }, NULL);
	r->pause = r->pause < 1 ? 2 * r->pause : r->pause;
	return now >= end;
}

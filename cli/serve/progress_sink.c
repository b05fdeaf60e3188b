/* Progress of the library, for the thread that a call runs in. */
#include "cli/serve/progress_sink.h"

#include <stddef.h>

static _Thread_local struct {
	int (*report)(void *arg, const imgsearch_progress *p);
	void *arg;
} sink;

void progress_sink_set(int (*report)(void *arg, const imgsearch_progress *p), void *arg)
{
	sink.report = report;
	sink.arg = arg;
}

int progress_sink_report(void *user, const imgsearch_progress *p)
{
	(void)user;
	return sink.report ? sink.report(sink.arg, p) : 0;
}

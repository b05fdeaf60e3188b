/* The time, in a file of its own: a test that brings another ims_now has its own time. */
#include "base/base.h"

#include <time.h>

double ims_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

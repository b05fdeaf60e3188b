/* In an object file of its own, so that a test program can link another ims_now in its place. */
#include "base/clock.h"

#include <time.h>

double ims_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

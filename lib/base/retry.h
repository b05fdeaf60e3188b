/*
 * When to do again what failed because a server was away: at once, then after pauses that double,
 * up to two seconds.
 */
#ifndef IMS_BASE_RETRY_H
#define IMS_BASE_RETRY_H

#include "base/job.h"

/* Zeroed before the first failure, and where there was progress since. */
typedef struct retry {
	unsigned tries;
	double pause, until;
} retry;

/*
 * Waits before the next try. False: `patience` seconds have passed since the first failure, or the
 * job is to stop.
 */
bool ims_retry_wait(retry *r, double patience, const job *j);

#endif

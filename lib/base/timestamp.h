/* A point of time as file systems have it: exact over the whole range of both fields. */
#ifndef IMS_BASE_TIMESTAMP_H
#define IMS_BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct timestamp {
	int64_t seconds;     /* since 1970; negative before */
	int64_t nanoseconds; /* 0..999999999, added to the seconds */
} timestamp;

static inline timestamp ims_timestamp(const struct timespec *t)
{
	return (timestamp){ t->tv_sec, t->tv_nsec };
}

static inline bool ims_timestamp_equal(timestamp a, timestamp b)
{
	return a.seconds == b.seconds && a.nanoseconds == b.nanoseconds;
}

/* As nanoseconds since 1970, which end in 1677 and 2262: the nearest one there is. */
static inline int64_t ims_timestamp_ns(timestamp t)
{
	int64_t ns;
	if (__builtin_mul_overflow(t.seconds, INT64_C(1000000000), &ns)
		|| __builtin_add_overflow(ns, t.nanoseconds, &ns))
		return t.seconds < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

#endif

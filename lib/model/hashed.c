#include "model/hashed.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { KEPT = 64, SETTLED = 2 /* seconds */ };

static struct {
	hashed_kind kind;
	struct stat st;
	unsigned char hash[HASHED_MOST];
} kept[KEPT];
static unsigned long long count; /* of those that were ever kept */

/* Guards both. Nobody waits for it: in the child of a fork nobody may be left to give it back. */
static atomic_flag busy = ATOMIC_FLAG_INIT;

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size
		&& same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

bool ims_hashed_find(hashed_kind kind, const struct stat *st, void *out, size_t size)
{
	bool found = false;
	if (atomic_flag_test_and_set(&busy))
		return false;
	for (unsigned i = 0; !found && i < KEPT && i < count; i++)
		if ((found = kept[i].kind == kind && same(&kept[i].st, st)))
			memcpy(out, kept[i].hash, size);
	atomic_flag_clear(&busy);
	return found;
}

void ims_hashed_keep(hashed_kind kind, const struct stat *before, const struct stat *after,
	const void *hash, size_t size)
{
	time_t settled = time(NULL) - SETTLED;
	if (!same(before, after) || after->st_mtim.tv_sec >= settled || after->st_ctim.tv_sec >= settled
		|| atomic_flag_test_and_set(&busy))
		return;
	kept[count % KEPT].kind = kind;
	kept[count % KEPT].st = *after;
	memcpy(kept[count++ % KEPT].hash, hash, size);
	atomic_flag_clear(&busy);
}

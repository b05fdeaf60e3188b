#include "base/budget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ims_budget_init(budget *b, uint64_t limit)
{
	*b = (budget){ .limit = limit };
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
}

void ims_budget_destroy(budget *b)
{
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
}

bool ims_budget_reserve(budget *b, uint64_t n)
{
	if (n > b->limit)
		return false;
	pthread_mutex_lock(&b->lock);
	uint64_t ticket = ++b->last;
	while (b->served + 1 != ticket || n > b->limit - b->used)
		pthread_cond_wait(&b->changed, &b->lock);
	b->served = ticket;
	b->used += n;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	return true;
}

void ims_budget_release(budget *b, uint64_t n)
{
	pthread_mutex_lock(&b->lock);
	b->used -= n;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

/* The number that a file begins with; `otherwise` if there is none, as in "max". */
static uint64_t number_in(const char *path, uint64_t otherwise)
{
	char text[64];
	FILE *f = fopen(path, "re");
	bool read = f && fgets(text, sizeof text, f) && text[0] >= '0' && text[0] <= '9';
	if (f)
		fclose(f);
	return read ? strtoull(text, NULL, 10) : otherwise;
}

/* The smallest limit of a group and of those above it, in the file `name` of their folders. */
static uint64_t limit_above(const char *mount, const char *group, const char *name)
{
	char path[512];
	uint64_t least = UINT64_MAX;
	int n = snprintf(path, sizeof path, "%s%s", mount, group);
	if (n < 0 || (size_t)n + strlen(name) + 2 > sizeof path)
		return least;
	for (char *end = path + n; end && end >= path + strlen(mount); end = strrchr(path, '/')) {
		snprintf(end, (size_t)(path + sizeof path - end), "/%s", name);
		uint64_t limit = number_in(path, UINT64_MAX);
		least = limit < least ? limit : least;
		*end = 0;
	}
	return least;
}

/* Lines of /proc/self/cgroup: "0::/path", or in version 1 "N:memory:/path". */
static uint64_t group_limit(void)
{
	char line[512];
	uint64_t least = UINT64_MAX;
	FILE *f = fopen("/proc/self/cgroup", "re");
	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		char *kind = strchr(line, ':'), *group = kind ? strchr(kind + 1, ':') : NULL;
		uint64_t limit = UINT64_MAX;
		if (group && group == kind + 1)
			limit = limit_above("/sys/fs/cgroup", group + 1, "memory.max");
		else if (group && strncmp(kind, ":memory:", 8) == 0)
			limit = limit_above("/sys/fs/cgroup/memory", group + 1, "memory.limit_in_bytes");
		least = limit < least ? limit : least;
	}
	if (f)
		fclose(f);
	return least;
}

uint64_t ims_budget_default(void)
{
	const uint64_t least = 64 << 20;
	uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t limit = group_limit();
	memory = (limit < memory ? limit : memory) / 4;
	return memory < least ? least : memory;
}

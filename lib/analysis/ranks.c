/* Order statistics by buckets. */
#include "analysis/ranks.h"

#include "base/floats.h"

#include <stdlib.h>
#include <string.h>

typedef struct spread {
	float least, scale;
} spread;

/* Compares integers, many at once: comparisons of floats are not put together. */
static spread spread_of(const float *value, size_t n)
{
	int32_t low = n ? INT32_MAX : 0, high = n ? INT32_MIN : 0;
	for (size_t i = 0; i < n; i++) {
		int32_t bits = ims_float_sortable(value[i]);
		low = bits < low ? bits : low;
		high = bits > high ? bits : high;
	}
	float least = ims_float_unsortable(low), most = ims_float_unsortable(high);
	float width = most / 2 - least / 2; /* halves: the difference may be infinite */
	return (spread){ least, width > 0 ? (IMS_RANK_BUCKETS - 1) / 2.0f / width : 0 };
}

/* Ascending with the value. */
static unsigned bucket_of(spread s, float value)
{
	float at = (value - s.least) * s.scale;
	return at < IMS_RANK_BUCKETS - 1 ? (unsigned)at : IMS_RANK_BUCKETS - 1;
}

void ims_ranks_make(ranks *r, const float *value, size_t n, float *room)
{
	uint32_t next[IMS_RANK_BUCKETS];
	spread s = spread_of(value, n);
	*r = (ranks){ .value = room, .n = n };
	for (size_t i = 0; i < n; i++)
		r->start[bucket_of(s, value[i]) + 1]++;
	for (int b = 0; b < IMS_RANK_BUCKETS; b++)
		r->start[b + 1] += r->start[b];
	memcpy(next, r->start, sizeof next);
	for (size_t i = 0; i < n; i++)
		room[next[bucket_of(s, value[i])]++] = value[i];
}

/* The bucket of rank i: the last one that does not start above it. */
static unsigned find(const ranks *r, size_t i)
{
	unsigned low = 0, high = IMS_RANK_BUCKETS;
	while (high - low > 1) {
		unsigned middle = (low + high) / 2;
		if (r->start[middle] <= i)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void insertion_sort(float *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		float moving = v[i];
		size_t at = i;
		for (; at && v[at - 1] > moving; at--)
			v[at] = v[at - 1];
		v[at] = moving;
	}
}

float ims_ranks_get(ranks *r, size_t i)
{
	enum { SMALL = 32 };
	unsigned b = find(r, i);
	if (!r->sorted[b]) {
		float *first = r->value + r->start[b];
		size_t n = r->start[b + 1] - r->start[b];
		if (n <= SMALL)
			insertion_sort(first, n);
		else
			qsort(first, n, sizeof *first, ims_float_compare);
		r->sorted[b] = true;
	}
	return r->value[i];
}

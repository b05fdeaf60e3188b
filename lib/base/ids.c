#include "base/ids.h"

#include <stdlib.h>

int ims_id_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

size_t ims_ids_sort(int64_t *ids, size_t n)
{
	size_t kept = 0;
	if (n)
		qsort(ids, n, sizeof *ids, ims_id_compare);
	for (size_t i = 0; i < n; i++)
		if (!kept || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	return kept;
}

static inline size_t place(const void *items, size_t n, size_t size, int64_t id)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (*(const int64_t *)(const void *)((const char *)items + mid * size) < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t ims_id_place(const void *items, size_t n, size_t size, int64_t id)
{
	return place(items, n, size, id);
}

bool ims_id_find(const int64_t *ids, size_t n, int64_t id, size_t *at)
{
	size_t low = place(ids, n, sizeof *ids, id);
	if (at)
		*at = low;
	return low < n && ids[low] == id;
}

bool ims_id_among(const int64_t *ids, size_t n, int64_t id)
{
	size_t i = 0;
	while (i < n && ids[i] != id)
		i++;
	return i < n;
}

#include "base/ids.h"

int ims_id_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

bool ims_id_find(const int64_t *ids, size_t n, int64_t id, size_t *at)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (at)
		*at = low;
	return low < n && ids[low] == id;
}

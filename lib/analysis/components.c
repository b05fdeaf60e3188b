/* Connected components by union-find. */
#include "analysis/components.h"

/* A parent is never larger than its child, so the root is the smallest member. Halves the path. */
static uint32_t root_of(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i)
		i = parent[i] = parent[parent[i]];
	return i;
}

static bool is_separate(uint32_t *parent, uint32_t a, uint32_t b, const uint32_t (*separate)[2],
	size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t x = root_of(parent, separate[i][0]), y = root_of(parent, separate[i][1]);
		if ((x == a && y == b) || (x == b && y == a))
			return true;
	}
	return false;
}

void ims_analysis_components(uint32_t *label, size_t n, const uint32_t (*edge)[2], size_t m,
	const uint32_t (*separate)[2], size_t n_separate, uint8_t *joined)
{
	for (size_t i = 0; i < n; i++)
		label[i] = (uint32_t)i;
	for (size_t e = 0; e < m; e++) {
		uint32_t a = root_of(label, edge[e][0]), b = root_of(label, edge[e][1]);
		bool join = a != b && !is_separate(label, a, b, separate, n_separate);
		if (joined)
			joined[e] = join;
		if (join && a < b)
			label[b] = a;
		else if (join)
			label[a] = b;
	}
	for (size_t i = 0; i < n; i++)
		label[i] = label[label[i]]; /* parents are smaller, so theirs are final */
}

#include "search/search.h"

#include <string.h>

int ims_search_fetch(const row_source *rows, int64_t *ids, size_t *n, float *out, uint8_t *found,
	imgsearch_error *err)
{
	size_t dim = rows->dim, kept = 0;
	int rc = rows->fetch(rows->ctx, ids, *n, out, found, err);
	for (size_t i = 0; !rc && i < *n; i++) {
		if (!found[i])
			continue;
		if (kept < i)
			memcpy(out + kept * dim, out + i * dim, dim * sizeof *out);
		ids[kept++] = ids[i];
	}
	if (!rc)
		*n = kept;
	return rc;
}

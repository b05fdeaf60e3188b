/* Folders become ids by one statement each; then the two sorted lists are intersected. */
#include "handle/filter.h"

#include "base/ids.h"

#include <string.h>

/* Appends the ids below one folder. */
static int add_folder(imgsearch *s, const char *folder, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	int64_t *below = NULL;
	size_t n_below = 0;
	int rc = ims_store_ids_under(s->store, folder, &below, &n_below, err);
	if (!rc && n_below) {
		int64_t *grown = ims_realloc(*ids, *n + n_below, sizeof *grown);
		rc = grown ? 0 : ims_nomem(err);
		if (!rc) {
			*ids = grown;
			memcpy(grown + *n, below, n_below * sizeof *below);
			*n += n_below;
		}
	}
	ims_free(below);
	return rc;
}

int ims_filter_ids(imgsearch *s, const imgsearch_filter *filter, int64_t **ids, size_t *n,
	imgsearch_error *err)
{
	int64_t *below = NULL, *out = NULL;
	size_t n_below = 0, kept = 0;
	int rc = 0;
	for (size_t i = 0; !rc && filter->folders && i < filter->n_folders; i++)
		rc = add_folder(s, filter->folders[i], &below, &n_below, err);
	n_below = below ? ims_ids_sort(below, n_below) : 0;
	if (!rc && !filter->ids) {
		out = below;
		kept = n_below;
		below = NULL;
	}
	if (!rc && !out && !(out = ims_alloc(filter->n_ids, sizeof *out)))
		rc = ims_nomem(err);
	if (!rc && filter->ids) {
		if (filter->n_ids)
			memcpy(out, filter->ids, filter->n_ids * sizeof *out);
		size_t distinct = ims_ids_sort(out, filter->n_ids);
		for (size_t i = 0; i < distinct; i++)
			if (!filter->folders || ims_id_find(below, n_below, out[i], NULL))
				out[kept++] = out[i];
	}
	ims_free(below);
	if (rc) {
		ims_free(out);
		out = NULL;
	}
	*ids = out;
	*n = kept;
	return rc;
}

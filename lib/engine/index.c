/* The functions that change an index: they check their arguments and delegate. */
#include "engine/options.h"
#include "ingest/add.h"
#include "ingest/index_run.h"
#include "ingest/remove.h"

int imgsearch_index_tree(imgsearch *s, const char *const *paths, size_t n,
	const imgsearch_index_options *options, imgsearch_counts *counts, imgsearch_error *err)
{
	imgsearch_counts unasked;
	imgsearch_index_options o;
	if (!s || (n && !paths))
		return ims_fail(err, IMGSEARCH_EINVAL, "index: no paths");
	int rc = ims_options_copy(&o, sizeof o, options, err);
	return rc ? rc : ims_index_run(s, paths, n, &o, counts ? counts : &unasked, NULL, err);
}

int imgsearch_index_add(imgsearch *s, const imgsearch_input *in, const char *name, int64_t *id,
	imgsearch_error *err)
{
	bool file = in && in->kind == IMGSEARCH_KIND_FILE;
	if (!s || !in || in->kind < IMGSEARCH_KIND_FILE || in->kind > IMGSEARCH_KIND_VECTOR
		|| (file && !in->path) || (!file && !in->data))
		return ims_fail(err, IMGSEARCH_EINVAL, "index_add: a picture or a vector is needed");
	return ims_add(s, in, name, id, err);
}

int imgsearch_index_vectors(imgsearch *s, const float *rows, size_t n, size_t dim,
	const int64_t *ids, imgsearch_error *err)
{
	if (!s || (n && !rows))
		return ims_fail(err, IMGSEARCH_EINVAL, "index_vectors: no rows");
	return ims_add_vectors(s, rows, n, dim, ids, err);
}

int imgsearch_index_remove(imgsearch *s, const int64_t *ids, size_t n, imgsearch_error *err)
{
	if (!s || (n && !ids))
		return ims_fail(err, IMGSEARCH_EINVAL, "index_remove: no ids");
	return ims_remove(s, ids, n, err);
}

int imgsearch_root_move(imgsearch *s, const char *from, const char *to, imgsearch_error *err)
{
	if (!s || !from || !to)
		return ims_fail(err, IMGSEARCH_EINVAL, "root_move: two folders are needed");
	return ims_root_move(s, from, to, err);
}

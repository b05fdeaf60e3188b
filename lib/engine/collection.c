/*
 * The public functions about a whole index: near-duplicates and the map. Each checks its arguments
 * and delegates.
 */
#include "collection/groups.h"
#include "collection/map.h"
#include "collection/reject.h"
#include "engine/options.h"
#include "handle/handle.h"

int imgsearch_groups_find(imgsearch *s, const imgsearch_groups_options *options,
	imgsearch_groups **out, imgsearch_error *err)
{
	imgsearch_groups_options o;
	if (out)
		*out = NULL;
	if (!s || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "groups: no index, or the result is NULL");
	int rc = ims_options_copy(&o, sizeof o, options, err);
	if (rc)
		return rc;
	job j = ims_handle_job(s);
	return ims_groups(s, &o, &j, out, err);
}

int imgsearch_groups_reject(imgsearch *s, int64_t a, int64_t b, imgsearch_error *err)
{
	int rc = s ? ims_handle_write_begin(s, err)
			   : ims_fail(err, IMGSEARCH_EINVAL, "reject: no index");
	if (rc)
		return rc;
	rc = ims_reject(s, a, b, err);
	ims_handle_write_end(s);
	return rc;
}

int imgsearch_map_compute(imgsearch *s, const imgsearch_map_options *options, imgsearch_map **out,
	imgsearch_error *err)
{
	imgsearch_map_options o;
	if (out)
		*out = NULL;
	if (!s || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "map: no index, or the result is NULL");
	int rc = ims_options_copy(&o, sizeof o, options, err);
	if (rc)
		return rc;
	job j = ims_handle_job(s);
	return ims_map(s, &o, &j, out, err);
}

int imgsearch_map_grid(const imgsearch_map *points, uint32_t columns, uint32_t rows,
	uint32_t *cell, imgsearch_error *err)
{
	if (!points || !cell)
		return ims_fail(err, IMGSEARCH_EINVAL, "map: no points, or cell is NULL");
	return ims_map_grid(points, columns, rows, cell, err);
}

/* The public functions about a whole index: near-duplicates and the map. */
#include "collection/groups.h"
#include "collection/map.h"
#include "collection/reject.h"
#include "engine/arguments.h"
#include "handle/handle.h"
#include "handle/second.h"

#include <math.h>

int imgsearch_groups_find(imgsearch *s, const imgsearch_groups_options *theirs,
	const imgsearch_call *call, imgsearch_groups **out, imgsearch_error *err)
{
	imgsearch_groups_options options;
	imgsearch_filter filter;
	job j;
	REQUIRE(out, err, "groups_find: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "groups_find", err);
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = ims_filter_copy_plain(&options.filter, &filter, "groups_find", err);
	if (rc)
		return rc;
	REQUIRE(isfinite(options.min_score), err, "groups_find: min_score is not a finite number");
	REQUIRE(!(options.kinds & ~(7u << IMGSEARCH_SAMENESS_BYTES)), err,
		"groups_find: kinds has a bit of no sameness");
	rc = ims_call_begin(s, call, &j, err);
	if (!rc)
		rc = ims_second_choose(s, options.model, &s, err);
	return rc ? rc : ims_groups(s, &options, &j, out, err);
}

int imgsearch_groups_reject(imgsearch *s, int64_t a, int64_t b, imgsearch_error *err)
{
	REQUIRE_HANDLE(s, "groups_reject", err);
	int rc = ims_handle_write_begin(s, NULL, err);
	if (rc)
		return rc;
	rc = ims_reject(s, a, b, err);
	ims_handle_write_end(s);
	return rc;
}

int imgsearch_map_compute(imgsearch *s, const imgsearch_map_options *theirs,
	const imgsearch_call *call, imgsearch_map **out, imgsearch_error *err)
{
	imgsearch_map_options options;
	imgsearch_filter filter;
	job j;
	REQUIRE(out, err, "map_compute: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "map_compute", err);
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = ims_filter_copy_plain(&options.filter, &filter, "map_compute", err);
	if (rc)
		return rc;
	REQUIRE(options.perplexity >= 0 && isfinite(options.perplexity), err,
		"map_compute: perplexity is negative or not a number");
	REQUIRE(options.pca <= 1, err, "map_compute: pca is %u, neither 0 nor 1", options.pca);
	rc = ims_call_begin(s, call, &j, err);
	if (!rc)
		rc = ims_second_choose(s, options.model, &s, err);
	return rc ? rc : ims_map(s, &options, &j, out, err);
}

int imgsearch_map_grid(const imgsearch_map *map, uint32_t columns, uint32_t rows,
	const imgsearch_call *theirs, uint32_t *cells, size_t capacity, imgsearch_error *err)
{
	imgsearch_call call;
	REQUIRE(map, err, "map_grid: map is NULL");
	REQUIRE(cells || !map->count, err, "map_grid: cells is NULL");
	REQUIRE(capacity >= map->count, err, "map_grid: capacity: %zu points do not fit into %zu",
		map->count, capacity);
	int rc = COPY(call, theirs, err);
	if (rc)
		return rc;
	stop_token stop = ims_stop_token(NULL, &call);
	rc = ims_stop_check(&stop, err);
	return rc ? rc : ims_map_grid(map, columns, rows, cells, &stop, err);
}

/* The pictures of an index on a plane, and on a grid. */
#ifndef IMS_COLLECTION_MAP_H
#define IMS_COLLECTION_MAP_H

#include "base/base.h"

/*
 * imgsearch_map_compute; options are a complete copy. Errors: see there. *out is freed by
 * imgsearch_map_free.
 */
int ims_map(imgsearch *s, const imgsearch_map_options *options, job *job, imgsearch_map **out,
	imgsearch_error *err);

/* imgsearch_map_grid: cell (map->count). EINVAL: too few cells; ENOMEM. */
int ims_map_grid(const imgsearch_map *map, uint32_t columns, uint32_t rows, uint32_t *cell,
	const stop_token *stop, imgsearch_error *err);

#endif

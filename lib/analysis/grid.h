/* Points of a plane on a grid, each in a cell of its own. */
#ifndef IMS_ANALYSIS_GRID_H
#define IMS_ANALYSIS_GRID_H

#include "base/base.h"

/*
 * Assigns to each of n points xy (n, 2) a cell near its position: cell[i] = row * columns + column.
 * The bounding box of the points covers the grid. EINVAL: columns * rows < n; ENOMEM.
 */
int ims_analysis_grid(uint32_t *cell, const float *xy, size_t n, uint32_t columns, uint32_t rows,
	const stop_token *stop, imgsearch_error *err);

#endif

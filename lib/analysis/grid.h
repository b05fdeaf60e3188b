/* Points of a plane on a grid. */
#ifndef IMS_ANALYSIS_GRID_H
#define IMS_ANALYSIS_GRID_H

#include "base/base.h"

/*
 * Gives each of n points on a plane its own cell of a grid, near its place: cell[i] = row * columns + column.
 * The points' box is laid over the grid. EINVAL when columns * rows < n.
 */
int ims_analysis_grid(uint32_t *cell, const float *xy, size_t n, uint32_t columns, uint32_t rows, imgsearch_error *err);

#endif

/*
 * Regions: the features of parts of a picture, at one byte a value. The data of a picture has a row
 * for each part: a scale (f32, little-endian), then `dim` signed codes. A value is scale x code.
 * The rows have the lengths that the network gave them, as vectors have: a mean of vectors is
 * subtracted later.
 */
#ifndef IMS_BASE_REGIONS_H
#define IMS_BASE_REGIONS_H

#include "base/buf.h"

#include <stdint.h>

/* The setting "regions" of an index (u32). */
enum {
	IMS_REGIONS_NONE,
	IMS_REGIONS_TILES /* 3 x 3 parts of the upright picture, row by row */
};

/*
 * The picture is tiled by IMS_REGIONS_ACROSS squared tiles, whose sides are this share of its own.
 * Larger tiles beside these find no crop that these or the whole do not:
 * docs/measurements/regions.md.
 */
enum { IMS_REGIONS_ACROSS = 3, IMS_REGIONS_PARTS = 9, IMS_REGION_MOST = 127 };
#define IMS_REGION_SHARE 0.45

/* Tile i: left, top, right and bottom as shares of the picture's width and height. */
void ims_region_box(uint32_t i, double box[4]);

static inline size_t ims_region_row_size(uint32_t dim)
{
	return sizeof(float) + dim;
}

/* How many rows of dim values the data has; 0: it is damaged. */
size_t ims_regions_count(size_t size, uint32_t dim);

/*
 * Appends n finite rows (n, dim) of any length. A row of zeros stays one.
 * Failure is that of the buffer.
 */
void ims_regions_encode(buf *out, const float *rows, size_t n, uint32_t dim);

/* Row i of the data as floats, into out (dim). */
void ims_region_decode(float *out, const void *data, size_t i, uint32_t dim);

#endif

/*
 * The regions of pictures (base/regions.h) as rows of a space. They are dequantised when they are
 * read. The id of a row is made of that of the picture and the part.
 */
#ifndef IMS_HANDLE_REGIONS_H
#define IMS_HANDLE_REGIONS_H

#include "handle/space.h"

/* Rows of a picture: parts 1 to IMS_REGIONS_PARTS. Part 0 is the whole, which is no such row. */
enum { REGION_IDS = 16 };

static inline int64_t ims_region_row(int64_t picture, uint32_t part)
{
	return picture * REGION_IDS + part;
}
static inline int64_t ims_region_picture(int64_t row)
{
	return row / REGION_IDS;
}
static inline uint32_t ims_region_part(int64_t row)
{
	return (uint32_t)(row % REGION_IDS);
}

/*
 * The regions as a row_source; `rows` is borrowed. pictures: how many have them. A row of zeros
 * under cosine is left out. EDB: data is of another length. Any thread.
 */
row_source ims_regions_source(space_rows *rows, uint64_t pictures);

/*
 * All rows of n pictures: out (n, IMS_REGIONS_PARTS, dim). found[i] = 0: the picture has none, or
 * some of its rows are left out. EDB, EIO, ENOMEM.
 */
int ims_regions_fetch(const space_rows *rows, const int64_t *pictures, size_t n, float *out,
	uint8_t *found, imgsearch_error *err);

/*
 * The rectangle of a part (from 1) of an upright picture of that size. false: its pixels are fewer
 * than parts.
 */
bool ims_region_place(uint32_t part, uint32_t width, uint32_t height, imgsearch_region *out);

#endif

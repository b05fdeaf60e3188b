/* The antialiased resize of a part of a picture. */
#ifndef IMS_IMAGE_RESAMPLE_H
#define IMS_IMAGE_RESAMPLE_H

#include "image/image.h"

/* The part x, y, w, h of a picture of width x height pixels. */
typedef struct resample_part {
	uint64_t width, height, x, y;
	uint32_t w, h;
} resample_part;

/* The part of the pixels that is the picture: im->box, or all. */
void ims_image_extent(const image *im, double box[4]);

/*
 * Resizes box (x0, y0, x1, y1 of in) to part->width x part->height and writes the part: h rows of w
 * RGB pixels, `stride` bytes apart. ENOMEM only.
 */
int ims_resample(uint8_t *out, size_t stride, const image *in, const double box[4],
	const resample_part *part, bool bicubic, imgsearch_error *err);

#endif

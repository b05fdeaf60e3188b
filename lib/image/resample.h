/* The antialiased resize of a part of a picture: what fit.c and ims_image_resize stand on. */
#ifndef IMS_IMAGE_RESAMPLE_H
#define IMS_IMAGE_RESAMPLE_H

#include "image/image.h"

/* The part x, y, w, h of the picture that `box` (x0, y0, x1, y1 of `in`) becomes when it is made width x height. */
typedef struct resample_part {
	uint64_t width, height, x, y;
	uint32_t w, h;
} resample_part;

/* The part of its pixels that is picture: im->box, or all. */
void ims_image_extent(const image *im, double box[4]);

/* out: h rows of w RGB pixels, `stride` bytes apart. ENOMEM only. */
int ims_resample(uint8_t *out, size_t stride, const image *in, const double box[4], const resample_part *part, bool bicubic,
	imgsearch_error *err);

#endif

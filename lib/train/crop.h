/* Random crops of a picture as input of a network. */
#ifndef IMS_TRAIN_CROP_H
#define IMS_TRAIN_CROP_H

#include "image/image.h"

typedef struct crop_recipe {
	uint32_t side;         /* of the crop, in pixels */
	float mean[3], std[3]; /* of values in 0..1 */
	bool bicubic;
} crop_recipe;

/*
 * Draws a box x0, y0, x1, y1 of at least min_area of the picture, with sides of 3:4 to 4:3 where it
 * has room for them.
 */
void ims_crop_box(double box[4], const image *im, float min_area, uint64_t *random);

/* The fixed views of pictures that teachers and student see. */
typedef struct view_recipe {
	uint64_t seed;
	float min_area;
	float centre; /* above 0: view 0 is the centre, this share of the short side; else a crop too */
	bool squash;  /* view 0 with a centre: the whole picture instead */
} view_recipe;

/* The box of a view of the picture with that key. */
void ims_crop_view(double box[4], const image *im, const view_recipe *r, uint64_t key,
	uint32_t view);

/*
 * The box as (side, side, 3) floats, channels last. With random it is mirrored or not, and
 * brightness, contrast and saturation vary by up to `jitter`; NULL leaves it as it is. ENOMEM.
 */
int ims_crop_make(float *out, const image *im, const double box[4], const crop_recipe *r,
	float jitter, uint64_t *random, imgsearch_error *err);

#endif

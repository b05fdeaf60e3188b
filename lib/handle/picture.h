/* Pixels for display: thumbnails, contact sheets, tiles of maps. */
#ifndef IMS_HANDLE_PICTURE_H
#define IMS_HANDLE_PICTURE_H

#include "handle/handle.h"

/*
 * Loads the upright pixels of an input (not of a vector), or of its crop, scaled down so that no
 * side is longer than max_side (0: not scaled). A JPEG is decoded at the smallest sufficient scale.
 * The caller frees *out by ims_image_free. Errors: see imgsearch_image_load.
 */
int ims_picture_load(imgsearch *s, job *j, const imgsearch_input *in, uint32_t max_side, image *out,
	imgsearch_error *err);

#endif

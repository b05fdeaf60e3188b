/* Pixels for display: thumbnails, contact sheets, tiles of maps. */
#ifndef IMS_HANDLE_PICTURE_H
#define IMS_HANDLE_PICTURE_H

#include "handle/handle.h"

/*
 * Appends the bytes of an item's file, else those that the index stores. *path receives its path or
 * name, which the caller frees by ims_free; NULL where there is no such item. Errors: see
 * imgsearch_item_bytes.
 */
int ims_picture_bytes(imgsearch *s, int64_t id, buf *out, char **path, imgsearch_error *err);

/*
 * Loads the upright pixels of an input (not of a vector), or of its crop, scaled down so that no
 * side is longer than max_side (0: not scaled). A JPEG is decoded at the smallest sufficient scale.
 * The caller frees *out by ims_image_free. Errors: see imgsearch_image_load.
 */
int ims_picture_load(imgsearch *s, job *j, const imgsearch_input *in, uint32_t max_side, image *out,
	imgsearch_error *err);

#endif

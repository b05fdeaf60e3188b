/* Altered copies of a picture, by common edits: near-duplicates to search for. Any thread. */
#ifndef IMS_IMAGE_ALTER_H
#define IMS_IMAGE_ALTER_H

#include "image/image.h"

/* Of the kinds of edits the last two are small crops, which are no near-duplicates. */
enum { IMS_ALTERATIONS = 7, IMS_ALTERATIONS_ALL = 9 };

/* The name of an edit, of 0..IMS_ALTERATIONS_ALL - 1: static. */
const char *ims_image_alteration(unsigned kind);

/* A copy of the picture after that edit. random: the state of ims_random. ENOMEM only. */
int ims_image_alter(image *out, const image *in, unsigned kind, uint64_t *random,
	imgsearch_error *err);

#endif

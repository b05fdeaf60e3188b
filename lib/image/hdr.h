/*
 * High dynamic range to sRGB: PQ and HLG of ITU-R BT.2100. The picture is taken as one that was
 * made for a display of 1000 nits. Its lights are compressed by the curve of BT.2390 (EETF) to the
 * 203 nits that BT.2408 names as the white of graphics, and that is sRGB's white. The curve is
 * applied to the largest of R, G and B, and the others keep their ratio to it, so hues stay; then
 * primaries are converted, and what lies outside of sRGB's is cut off.
 *
 * Sources: ITU-R BT.2100-2, tables 4 and 5; BT.2390-10, section 5.4.1; BT.2408-5, section 2.2.
 */
#ifndef IMS_IMAGE_HDR_H
#define IMS_IMAGE_HDR_H

#include "image/colour.h"

typedef struct hdr_map hdr_map;

/* For a colour space whose transfer is PQ or HLG. NULL: no memory. */
hdr_map *ims_hdr_new(const colour_space *c);
void ims_hdr_free(hdr_map *m);

/* As ims_colour_apply, except that alpha is not kept. Any thread. */
void ims_hdr_apply(const hdr_map *m, pixel_layout from, const void *in, uint8_t *to, size_t n);

#endif

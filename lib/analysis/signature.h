/* Signatures of pictures. */
#ifndef IMS_ANALYSIS_SIGNATURE_H
#define IMS_ANALYSIS_SIGNATURE_H

#include "base/base.h"

#define IMS_SIGNATURE_SIDE 32
#define IMS_INVARIANT_DIM 35

/* A picture in small: its luminance squeezed into a square. */
typedef struct signature {
	uint8_t luma[IMS_SIGNATURE_SIDE * IMS_SIGNATURE_SIDE];
} signature;

/* From upright RGB pixels, rows without padding. */
void ims_signature_make(signature *out, const uint8_t *rgb, uint32_t width, uint32_t height);

/*
 * What the eight turnings and mirrorings of a picture have in common: length 1, or all zero for a picture without
 * structure. Copies of one picture lie within IMS_INVARIANT_RADIUS (squared Euclidean distance) of each other.
 */
#define IMS_INVARIANT_RADIUS 0.02f
void ims_signature_invariant(float out[IMS_INVARIANT_DIM], const signature *s);

/*
 * Do two signatures show the same picture, perhaps resized, recompressed, turned by quarters or mirrored? Compared
 * pixel by pixel in each of the eight positions; *turn, when not NULL, receives the one that fits (0: as it is).
 */
bool ims_signature_same(const signature *a, const signature *b, int *turn);

/*
 * How alike two pictures are laid out: the largest correlation of one with the other or its mirror image, whole or cropped to
 * 0.9 or 0.8 of its sides at the middle, an edge or a corner. -1..1; 0 where either has no structure.
 */
float ims_signature_correlation(const signature *a, const signature *b);

#endif

/* Signatures: pictures in small, by which near-duplicates are found. Pure functions: any thread. */
#ifndef IMS_ANALYSIS_SIGNATURE_H
#define IMS_ANALYSIS_SIGNATURE_H

#include "base/base.h"

#define IMS_SIGNATURE_SIDE 32
#define IMS_INVARIANT_DIM 35

/* The luminance of a picture, scaled to a square. */
typedef struct signature {
	uint8_t luma[IMS_SIGNATURE_SIDE * IMS_SIGNATURE_SIDE];
} signature;

/* From upright RGB pixels, rows without padding; neither side is 0. */
void ims_signature_make(signature *out, const uint8_t *rgb, uint32_t width, uint32_t height);

/*
 * A vector that is the same for the eight rotations and reflections of a picture: of length 1, or
 * all zero for a picture without structure. Copies of a picture lie within IMS_INVARIANT_RADIUS of
 * each other (squared Euclidean distance).
 */
#define IMS_INVARIANT_RADIUS 0.02f
void ims_signature_invariant(float out[IMS_INVARIANT_DIM], const signature *s);

/*
 * Whether two signatures show the same picture, perhaps resized, recompressed, rotated by quarters
 * or reflected. They are compared pixel by pixel in each of the eight positions. *turn (may be
 * NULL) receives the position that fits, or 0: as it is. From a place in a to the one in b, bit 0
 * reverses x, bit 1 reverses y, and then bit 2 exchanges them.
 */
bool ims_signature_same(const signature *a, const signature *b, int *turn);

/*
 * The largest correlation of one picture with the other or its mirror image, where one of them may
 * be cropped to 0.9 or 0.8 of its sides at the middle, an edge or a corner. -1..1; 0 where either
 * has no structure.
 */
float ims_signature_correlation(const signature *a, const signature *b);

#endif

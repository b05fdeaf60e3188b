/* Signatures: pictures in small, by which near-duplicates are found. Pure functions: any thread. */
#ifndef IMS_ANALYSIS_SIGNATURE_H
#define IMS_ANALYSIS_SIGNATURE_H

#include "base/base.h"

#define IMS_SIGNATURE_SIDE 32
#define IMS_DETAIL_SIDE 96 /* three times as many */
#define IMS_CHROMA_SIDE 16
#define IMS_INVARIANT_DIM 35

/* What image_limits.at_least is at least where a signature is made: 1.9 pixels a cell. */
#define IMS_SIGNATURE_AT_LEAST 144

/* The luminance of a picture, scaled to a square. It proposes pairs, and compares layouts. */
typedef struct signature {
	uint8_t luma[IMS_SIGNATURE_SIDE * IMS_SIGNATURE_SIDE];
} signature;

/*
 * What decides whether two pictures are one: the luminance three times as fine, as differences from
 * the cells of the coarse one (4 bits each, the even column in the low half), and the colour, Cb
 * and Cr with 128 for none.
 */
typedef struct signature_detail {
	uint8_t luma[IMS_DETAIL_SIDE * IMS_DETAIL_SIDE / 2];
	uint8_t chroma[2][IMS_CHROMA_SIDE * IMS_CHROMA_SIDE];
} signature_detail;

/* Bytes alone, so it has no padding and no byte order. */
typedef struct full_signature {
	signature coarse;
	signature_detail detail;
} full_signature;

/*
 * From upright RGB pixels, rows without padding; neither side is 0. box (x0, y0, x1, y1; NULL or
 * all zero: all) is the part of the pixels that is the picture.
 */
void ims_signature_make(full_signature *out, const uint8_t *rgb, uint32_t width, uint32_t height,
	const float box[4]);

/*
 * Appends what is stored of a signature: the coarse part as it is, then the detail as a zlib
 * stream, about 4.5 kB in all.
 */
void ims_signature_pack(buf *out, const full_signature *s);

/* Reads what was stored. False: the detail is damaged, or missing as in versions before 0.2. */
bool ims_signature_unpack(full_signature *out, const void *data, size_t size);

/*
 * A vector that is the same for the eight rotations and reflections of a picture: of length 1, or
 * all zero for a picture without structure. Copies of a picture lie within IMS_INVARIANT_RADIUS of
 * each other (squared Euclidean distance).
 */
#define IMS_INVARIANT_RADIUS 0.02f
void ims_signature_invariant(float out[IMS_INVARIANT_DIM], const signature *s);

/*
 * The first position from `turn` on in which two signatures may show the same picture, perhaps
 * resized, recompressed, rotated by quarters or reflected; -1: none. They are compared cell by cell
 * in each of the eight positions, 0 to 7; 0 is as it is. From a place in a to the one in b, bit 0
 * reverses x, bit 1 reverses y, and then bit 2 exchanges them. lib/analysis/detail.h decides.
 */
int ims_signature_turn(const signature *a, const signature *b, int turn);

/*
 * The largest correlation of one picture with the other or its mirror image, where one of them may
 * be cropped to 0.9 or 0.8 of its sides at the middle, an edge or a corner. -1..1; 0 where either
 * has no structure.
 */
float ims_signature_correlation(const signature *a, const signature *b);

#endif

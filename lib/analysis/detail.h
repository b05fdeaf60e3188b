/*
 * Whether two pictures are copies of one, by the fine luminance and the colour of their signatures.
 */
#ifndef IMS_ANALYSIS_DETAIL_H
#define IMS_ANALYSIS_DETAIL_H

#include "analysis/signature.h"

/* The 4 bits that a difference of luminance is stored in. */
uint8_t ims_detail_code(float difference);

/* A picture with its signature and the size of its file's pixels (0: unknown). */
typedef struct detail_side {
	const full_signature *signature;
	uint32_t width, height;
} detail_side;

/*
 * How much two pictures differ, b laid over a in the position `turn` of ims_signature_turn: from 0
 * to below 1, by the root mean square of the difference, where they are copies of one picture;
 * INFINITY where they are not. A picture without colour may be a grey copy of one in colour. Such a
 * pair has 0.5 or more, so it differs more than most pairs that agree in colour.
 */
float ims_detail_difference(const detail_side *a, const detail_side *b, int turn);

/* Whether a picture has no colour: no part of it is farther from grey than JPEG puts one. */
bool ims_detail_is_grey(const full_signature *s);

/*
 * Whether a picture looks drawn: a page of text, a form, a screen. It has a background without any
 * detail, and text or large even areas.
 */
bool ims_detail_is_drawing(const full_signature *s);

/*
 * Whether two drawings hold something else. Networks take such pairs for one scene. False for a
 * pair that differs everywhere and agrees in its lines, as in another light.
 */
bool ims_detail_other_text(const detail_side *a, const detail_side *b);

#endif

/*
 * Transparency: transparent parts become white. A drawing in light colours on a transparent
 * background would be invisible on white, so it is decoded once more over black.
 */
#ifndef IMS_IMAGE_ALPHA_H
#define IMS_IMAGE_ALPHA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sums of alpha: of all pixels, of the dark ones; the sum of 255 - alpha. All zero at first. */
typedef struct alpha_sums {
	uint64_t drawn, dark, clear;
} alpha_sums;

/* Lays n pixels of RGBA over the background, and sums what is drawn. rgb may be rgba. */
void ims_alpha_over(uint8_t *rgb, const uint8_t *rgba, size_t n, uint8_t background,
	alpha_sums *sums);

/* Whether a picture with these sums is a light drawing that would be invisible on white. */
bool ims_alpha_is_light_drawing(const alpha_sums *sums);

/* Lays n pixels, all of a picture, over white; or over black, if it is a light drawing. */
void ims_alpha_flatten(uint8_t *rgb, const uint8_t *rgba, size_t n);

#endif

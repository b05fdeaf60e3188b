/* A picture that commands draw: rectangles, discs, other pictures, text. Everything is clipped. */
#ifndef IMGSEARCH_CLI_CANVAS_H
#define IMGSEARCH_CLI_CANVAS_H

#include "imgsearch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct canvas {
	uint8_t *rgb;
	int width, height;
} canvas;

typedef struct color {
	uint8_t r, g, b;
} color;

/* False: out of memory, with a message. */
bool canvas_new(canvas *c, int width, int height, color background);
void canvas_free(canvas *c);
void canvas_rect(canvas *c, int x, int y, int width, int height, color fill);
/* With a smooth edge. */
void canvas_disc(canvas *c, float x, float y, float radius, color fill, float opacity);

/*
 * The picture in the middle of a box: whole and not enlarged, or (cover) filling the box and cut at
 * the sides.
 */
void canvas_picture(canvas *c, const imgsearch_image *p, int x, int y, int width, int height,
	bool cover);

/*
 * Printable ASCII in a 5 x 7 font, each of its dots scale pixels; anything else is shown as a box.
 */
void canvas_text(canvas *c, int x, int y, int scale, color ink, const char *text);
/* The same within width: the middle is left out where it is too long. */
void canvas_text_fit(canvas *c, int x, int y, int width, int scale, color ink, const char *text);

/* Writes a whole PNG, or JPEG if the name says so. False: failed, with a message. */
bool canvas_save(const canvas *c, const char *path, const imgsearch_call *call);

/* A colour for the i-th of many items, distinct from its neighbours. */
color canvas_palette(size_t i);

#endif

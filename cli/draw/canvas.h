/* A picture that commands draw: rectangles, discs, other pictures, text. Everything is clipped. */
#ifndef IMGSEARCH_CLI_CANVAS_H
#define IMGSEARCH_CLI_CANVAS_H

#include "cli/base/cli.h"

typedef struct canvas {
	uint8_t *rgb;
	int width, height;
} canvas;

typedef struct color {
	uint8_t r, g, b;
} color;

bool canvas_new(canvas *c, int width, int height, color background); /* false: no memory */
void canvas_free(canvas *c);
void canvas_rect(canvas *c, int x, int y, int width, int height, color fill);
void canvas_disc(canvas *c, float x, float y, float radius, color fill, float opacity); /* smooth edge */

/* The picture in the middle of a box: whole (cover false), or filling it and cut at the sides. Not enlarged when whole. */
void canvas_picture(canvas *c, const imgsearch_picture *p, int x, int y, int width, int height, bool cover);

/* Printable ASCII in a 5 x 7 font, each of its dots scale pixels; anything else is shown as a box. */
void canvas_text(canvas *c, int x, int y, int scale, color ink, const char *text);
int canvas_text_width(const char *text, int scale);
/* The same within width: the middle is left out where it is too long. */
void canvas_text_fit(canvas *c, int x, int y, int width, int scale, color ink, const char *text);

/* Writes a PNG, or a JPEG where the name says so, whole or not at all. False: said why. */
bool canvas_save(const canvas *c, const char *path);

/* What a file to write shall be, by the end of its name in whatever case. */
typedef enum file_kind { FILE_OTHER, FILE_PNG, FILE_JPEG, FILE_HTML } file_kind;
file_kind file_kind_of(const char *path);

/* May it be written over? Not a picture of the index: false, said why. */
bool file_spare(imgsearch *s, const char *path);

/* Writes a file whole or not at all. False: said why. */
bool file_replace(const char *path, const void *data, size_t size);

/* A colour for the i-th of many things, told apart from its neighbours. */
color canvas_palette(size_t i);

extern const uint8_t canvas_font[95][5]; /* from ' ': columns, lowest bit on top */

#endif

/* A 5 x 7 font for printable ASCII. */
#ifndef IMGSEARCH_CLI_FONT_H
#define IMGSEARCH_CLI_FONT_H

#include <stdint.h>

/* From ' ' to '~': five columns each, the lowest bit on top, an eighth row below the line. */
extern const uint8_t font_glyph[95][5];

#endif

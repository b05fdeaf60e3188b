/* Pictures in the terminal. */
#ifndef IMGSEARCH_CLI_PREVIEW_H
#define IMGSEARCH_CLI_PREVIEW_H

#include "imgsearch.h"

/*
 * Writes the picture to stdout, a terminal: by kitty's, iTerm2's or sixel graphics, else half
 * blocks. Nothing on failure.
 */
void preview_show(imgsearch *s, int64_t id, const imgsearch_call *call);

#endif

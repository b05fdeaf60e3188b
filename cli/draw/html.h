/* Parts of HTML files that commands write: they stand alone, pictures inside them. */
#ifndef IMGSEARCH_CLI_HTML_H
#define IMGSEARCH_CLI_HTML_H

#include "cli/base/cli.h"

void html_text(FILE *f, const char *text);                        /* escaped, for content and quoted attributes */
void html_uri(FILE *f, const char *path);                         /* file://..., escaped */
bool html_picture(FILE *f, imgsearch *s, const imgsearch_input *in, uint32_t side); /* data:... of a small JPEG; false: none */

/* The JSON that `text` is, such that it may stand in a script element. */
void html_json(FILE *f, const char *text);

#endif

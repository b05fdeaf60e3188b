/* Parts of HTML files that commands write. The files contain their pictures and need no others. */
#ifndef IMGSEARCH_CLI_HTML_H
#define IMGSEARCH_CLI_HTML_H

#include "imgsearch.h"

#include <stdbool.h>
#include <stdio.h>

void html_text(FILE *f, const char *text); /* escaped, for content and quoted attributes */
void html_uri(FILE *f, const char *path);  /* file://..., escaped */

/*
 * A data: address of a small JPEG, its longer side at most `side` pixels (0: as it is). False:
 * nothing was written.
 */
bool html_picture(FILE *f, imgsearch *s, const imgsearch_input *in, uint32_t side,
	const imgsearch_call *call);

/* JSON such that it may stand in a script element. */
void html_json(FILE *f, const char *json);

#endif

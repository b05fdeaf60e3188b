/* Queries and their results to look at: a contact sheet (PNG, JPEG), a page (HTML), pictures in the terminal. */
#ifndef IMGSEARCH_CLI_SHEET_H
#define IMGSEARCH_CLI_SHEET_H

#include "cli/base/cli.h"

typedef struct sheet_hit {
	int64_t id;
	float score;
	char *label, *path;
	bool chance; /* no better than chance */
} sheet_hit;

typedef struct sheet_section {
	char *name;
	imgsearch_picture *picture; /* the query; NULL: it has none */
	sheet_hit *hit;
	size_t n;
} sheet_section;

typedef struct sheet {
	sheet_section *section;
	size_t n;
} sheet;

bool sheet_add(sheet *sh, imgsearch *s, const char *name, const imgsearch_input *in, const imgsearch_hits *hits); /* false: no memory, said */
bool sheet_write_image(const sheet *sh, imgsearch *s, const char *path); /* false: said why */
bool sheet_write_html(const sheet *sh, imgsearch *s, const char *path);
void sheet_free(sheet *sh);

/* The picture in the terminal: kitty, sixel, iTerm2, or half blocks. */
void preview_show(imgsearch *s, int64_t id);

#endif

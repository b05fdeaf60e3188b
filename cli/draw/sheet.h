/*
 * Queries and their results for display: a contact sheet (PNG, JPEG) or a page (HTML). A zeroed
 * sheet is empty; its user sets s and call.
 */
#ifndef IMGSEARCH_CLI_SHEET_H
#define IMGSEARCH_CLI_SHEET_H

#include "imgsearch.h"

#include <stdbool.h>

typedef struct sheet_hit {
	int64_t id;
	float score;
	char *label, *path;
	bool is_chance;          /* no better than chance */
	imgsearch_region region; /* that matched; width 0: the whole picture */
} sheet_hit;

typedef struct sheet_section {
	char *name;
	imgsearch_image *picture; /* the query; NULL: it has none */
	sheet_hit *hit;
	size_t n;
	char *missing; /* of imgsearch_hits */
} sheet_section;

typedef struct sheet {
	imgsearch *s; /* loads the pictures */
	const imgsearch_call *call;
	sheet_section *section;
	size_t n;
} sheet;

/* Copies the hits, and loads a small picture of the query. False: out of memory, with a message. */
bool sheet_add(sheet *sh, const char *name, const imgsearch_input *in, const imgsearch_hits *hits);
/* PNG or JPEG by the name. False: failed, with a message. */
bool sheet_write_image(const sheet *sh, const char *path);
bool sheet_write_html(const sheet *sh, const char *path); /* the same */
void sheet_free(sheet *sh);

#endif

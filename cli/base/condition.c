#include "cli/base/condition.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Appends "and" where something stands before. */
static void begin(FILE *f, bool *more)
{
	fputs(*more ? " and " : "", f);
	*more = true;
}

/* A comparison with a text in quotes; a quote in it is written twice. */
static void put(FILE *f, bool *more, const char *comparison, const char *text)
{
	if (!text)
		return;
	begin(f, more);
	fprintf(f, "%s '", comparison);
	for (; *text; text++) {
		putc(*text, f);
		if (*text == '\'')
			putc('\'', f);
	}
	putc('\'', f);
}

/* Whether a text is three numbers between commas. */
static bool is_place(const char *text)
{
	size_t commas = 0;
	for (const char *c = text; *c; c++)
		commas += *c == ',';
	return commas == 2 && strspn(text, "0123456789+-.eE, ") == strlen(text);
}

const char *condition_text(const condition *c, char **text)
{
	size_t size;
	bool more = false;
	*text = NULL;
	if (c->near && !is_place(c->near))
		return "near: LATITUDE,LONGITUDE,KILOMETRES is needed";
	FILE *f = open_memstream(text, &size);
	if (!f)
		return "out of memory";
	put(f, &more, "date >=", c->after);
	put(f, &more, "date <", c->before);
	put(f, &more, "camera ~", c->camera);
	for (size_t i = 0; i < c->n_keywords; i++)
		put(f, &more, "keywords =", c->keywords[i]);
	if (c->near) {
		begin(f, &more);
		fprintf(f, "near(%s)", c->near);
	}
	if (c->where) {
		const char *format = more ? "(%s)" : "%s";
		begin(f, &more);
		fprintf(f, format, c->where);
	}
	bool failed = fclose(f) != 0;
	if (failed || !more) {
		free(*text);
		*text = NULL;
	}
	return failed ? "out of memory" : NULL;
}

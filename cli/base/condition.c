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

/* Whether a value that a message quotes, and may cut off, is this one. */
static bool is_quoted(const char *quoted, const char *value)
{
	enum { MOST = 60 };
	size_t n = value ? strnlen(value, MOST) : 0;
	return value && !strncmp(quoted, value, n) && quoted[n] == '"';
}

const char *condition_fault(const condition *c, const char *message, const char **says)
{
	static const char lead[] = "condition: ", date[] = "date: ";
	if (strncmp(message, lead, sizeof lead - 1))
		return NULL;
	*says = message += sizeof lead - 1;
	if (!strncmp(message, date, sizeof date - 1) && message[sizeof date - 1] == '"') {
		*says = message + sizeof date - 1;
		if (is_quoted(*says + 1, c->after))
			return "after";
		if (is_quoted(*says + 1, c->before))
			return "before";
		*says = message;
	}
	if (c->near && !strncmp(message, "near(", 5))
		return "near";
	bool more = c->after || c->before || c->camera || c->near || c->n_keywords;
	return c->where && !more ? "where" : NULL;
}

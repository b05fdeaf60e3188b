/* Help on the terminal. */
#include "cli/option/help.h"

#include <string.h>

/*
 * Words of n bytes of text after `indent` columns, broken before column 79; the cursor stands at
 * `column`.
 */
static void wrap(FILE *f, const char *text, size_t n, size_t indent, size_t column)
{
	for (const char *end = text + n; text < end;) {
		size_t length = 0;
		while (text + length < end && text[length] != ' ')
			length++;
		if (column > indent && column + 1 + length > 78) {
			fprintf(f, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putc(' ', f);
			column++;
		}
		fwrite(text, 1, length, f);
		column += length;
		text += length + 1;
	}
	putc('\n', f);
}

/* A command's text: paragraphs wrapped, examples as they are. */
static void print_text(FILE *f, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		if (*text == '\t' || !length)
			fprintf(f, "%.*s\n", (int)length, text);
		else
			wrap(f, text, length, 0, 0);
		text += length;
		text += *text == '\n';
	}
}

static void print_option(FILE *f, const option *o)
{
	char head[64], help[256];
	int n = snprintf(head, sizeof head, "  %c%c%c --%s%s%s", o->letter ? '-' : ' ',
		o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name, o->arg ? "=" : "",
		o->arg ? o->arg : "");
	int at = snprintf(help, sizeof help, "%s", o->help);
	if (o->choices) {
		at += snprintf(help + at, sizeof help - (size_t)at, ": ");
		for (size_t i = 0; o->choices[i]; i++)
			at += snprintf(help + at, sizeof help - (size_t)at, "%s%s", i ? ", " : "",
				o->choices[i]);
	}
	if (o->def || o->shown)
		snprintf(help + at, sizeof help - (size_t)at, " (default %s)", o->def ? o->def : o->shown);
	fputs(head, f);
	if (n > 24)
		fprintf(f, "\n%26s", "");
	else
		fprintf(f, "%*s", 26 - n, "");
	wrap(f, help, strlen(help), 26, 26);
}

void help_command(FILE *f, const command *c)
{
	const option *o;
	size_t own = command_own_options(c);
	fprintf(f, "usage: imgsearch %s [OPTION...]%s%s\n\n", c->name, *c->operands ? " " : "",
		c->operands);
	print_text(f, c->text);
	if (own)
		fputs("\nOptions:\n", f);
	for (size_t i = 0; i < own; i++)
		print_option(f, command_option(c, i));
	fputs("\nCommon options:\n", f);
	for (size_t i = own; (o = command_option(c, i)); i++)
		print_option(f, o);
}

bool help_below(FILE *f, const command *const *commands, const char *word)
{
	bool any = false;
	for (size_t i = 0; commands[i]; i++) {
		if (!command_is_below(commands[i], word))
			continue;
		fputs(any ? "\n" : "", f);
		help_command(f, commands[i]);
		any = true;
	}
	return any;
}

void help_all(FILE *f, const command *const *commands)
{
	fputs("usage: imgsearch COMMAND [OPTION...] [ARGUMENT...]\n\n"
		  "Indexes folders of pictures, and finds the pictures most like a given one.\n\n"
		  "\timgsearch index ~/Pictures\n"
		  "\timgsearch query photo.jpg\n\n"
		  "Commands:\n",
		f);
	for (size_t i = 0; commands[i]; i++)
		fprintf(f, "  %-16s  %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nSee imgsearch help COMMAND for its options, and imgsearch --version.\n", f);
}

/*
 * Man pages, in the macros of man(7): one for the program, one for each command. Lines are broken
 * before column 79 and after each sentence, as mandoc -Tlint wants it.
 */
#include "cli/option/man.h"

#include "cli/base/message.h"

#include <stdlib.h>
#include <string.h>

static const char date[] = "2026-12-01"; /* of the last change of a page */

enum { WIDTH = 78 };

/* ------------------------------------------------------------------------------------ text ---- */

/* Escapes backslashes and hyphens, and what would be a control line at a line's start. */
static size_t roff_length(const char *text, size_t n)
{
	size_t length = n;
	for (size_t i = 0; i < n; i++)
		length += text[i] == '\\' || text[i] == '-';
	return length;
}

static void roff_n(FILE *f, const char *text, size_t n, bool starts_line)
{
	if (starts_line && n && (*text == '.' || *text == '\''))
		fputs("\\&", f);
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\\')
			fputs("\\e", f);
		else if (text[i] == '-')
			fputs("\\-", f);
		else
			putc(text[i], f);
	}
}

static void roff(FILE *f, const char *text)
{
	roff_n(f, text, strlen(text), false);
}

static bool ends_sentence(const char *word, size_t n)
{
	while (n && (word[n - 1] == ')' || word[n - 1] == '"'))
		n--;
	return n && (word[n - 1] == '.' || word[n - 1] == '!' || word[n - 1] == '?');
}

/* A paragraph of n bytes, and a newline. */
static void paragraph(FILE *f, const char *text, size_t n)
{
	size_t column = 0;
	bool ended = false;
	for (const char *end = text + n; text < end;) {
		const char *space = memchr(text, ' ', (size_t)(end - text));
		size_t length = (size_t)((space ? space : end) - text), wide = roff_length(text, length);
		if (column && (ended || column + 1 + wide > WIDTH)) {
			putc('\n', f);
			column = 0;
		} else if (column) {
			putc(' ', f);
			column++;
		}
		roff_n(f, text, length, !column);
		column += wide;
		ended = ends_sentence(text, length);
		text += length + 1;
	}
	putc('\n', f);
}

static void prose(FILE *f, const char *text)
{
	paragraph(f, text, strlen(text));
}

/* A command's text: paragraphs, and examples, whose lines begin with a tab. */
static void command_text(FILE *f, const char *text)
{
	bool example = false, parted = true;
	while (*text) {
		size_t length = strcspn(text, "\n");
		bool tab = *text == '\t';
		if (tab && !example)
			fputs(".PP\n.RS\n.nf\n", f);
		if (!tab && example)
			fputs(".fi\n.RE\n", f);
		if (tab) {
			roff_n(f, text + 1, length - 1, true);
			putc('\n', f);
		} else if (length) {
			if (!parted)
				fputs(".PP\n", f);
			paragraph(f, text, length);
		}
		parted = parted && !length;
		example = tab;
		text += length;
		text += *text == '\n';
	}
	if (example)
		fputs(".fi\n.RE\n", f);
}

/* ----------------------------------------------------------------------------------- parts ---- */

static void option_item(FILE *f, const option *o)
{
	char *text = NULL;
	size_t size;
	FILE *help = open_memstream(&text, &size);
	if (!help)
		return;
	fputs(o->help, help);
	for (size_t i = 0; o->choices && o->choices[i]; i++)
		fprintf(help, "%s%s", i ? ", " : ": ", o->choices[i]);
	if (o->def || o->shown)
		fprintf(help, " (default %s)", o->def ? o->def : o->shown);
	fputs(".TP\n", f);
	if (o->letter)
		fprintf(f, "\\fB\\-%c\\fR, ", o->letter);
	fputs("\\fB\\-\\-", f);
	roff(f, o->name);
	fputs("\\fR", f);
	if (o->arg)
		fprintf(f, "=\\fI%s\\fR", o->arg);
	putc('\n', f);
	if (!fclose(help))
		prose(f, text);
	free(text);
}

/* "query" becomes imgsearch-query, "model pull" imgsearch-model-pull. */
static void page_name(char out[64], const command *c)
{
	snprintf(out, 64, "imgsearch-%s", c->name);
	for (char *space = out; (space = strchr(space, ' '));)
		*space = '-';
}

static void title(FILE *f, const char *name, const char *summary)
{
	char line[256];
	fputs(".TH ", f);
	for (const char *at = name; *at; at++) {
		bool small = *at >= 'a' && *at <= 'z';
		fputs(*at == '-' ? "\\-" : (char[]){ (char)(small ? *at - 'a' + 'A' : *at), 0 }, f);
	}
	fprintf(f, " 1 \"%s\" \"imgsearch %s\" \"User Commands\"\n.SH NAME\n", date,
		imgsearch_version_text());
	snprintf(line, sizeof line, "%s - %s", name, summary);
	prose(f, line);
	fputs(".SH SYNOPSIS\n", f);
}

static void exit_status(FILE *f)
{
	fputs(".SH EXIT STATUS\n"
		  ".TP\n0\ndone\n.TP\n1\nnothing was found (\\fBquery\\fR)\n"
		  ".TP\n2\nthe command line was wrong\n.TP\n3\nfailed\n"
		  ".TP\n4\ndone, but some files failed\n"
		  ".TP\n130\ninterrupted; finished work is kept\n",
		f);
}

/* ----------------------------------------------------------------------------------- pages ---- */

void man_write_command(FILE *f, const command *c)
{
	char name[64];
	size_t own = command_own_options(c);
	const option *o;
	page_name(name, c);
	title(f, name, c->summary);
	fprintf(f, "\\fBimgsearch %s\\fR", c->name);
	fputs(" [\\fIOPTION\\fR...]", f);
	if (*c->operands) {
		putc(' ', f);
		roff(f, c->operands);
	}
	fputs("\n.SH DESCRIPTION\n", f);
	command_text(f, c->text);
	if (own)
		fputs(".SH OPTIONS\n", f);
	for (size_t i = 0; i < own; i++)
		option_item(f, command_option(c, i));
	fputs(".SH COMMON OPTIONS\n", f);
	for (size_t i = own; (o = command_option(c, i)); i++)
		option_item(f, o);
	exit_status(f);
	fputs(".SH SEE ALSO\n\\fBimgsearch\\fR(1)\n", f);
}

void man_write(FILE *f, const command *const *commands)
{
	char name[64];
	title(f, "imgsearch", "find pictures that look alike");
	fputs("\\fBimgsearch\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n"
		  ".SH DESCRIPTION\n",
		f);
	prose(f,
		"Turns each picture of some folders into a feature vector by a neural network, keeps the "
		"vectors in one SQLite file, and finds those most like a given picture. Nothing leaves the "
		"machine.");
	fputs(".PP\n", f);
	prose(f,
		"Results go to standard output, everything else to standard error. Options may stand "
		"anywhere; -- ends them.");
	fputs(".PP\n.RS\n.nf\nimgsearch index ~/Pictures\n"
		  "imgsearch query photo.jpg \\-k 5\n.fi\n.RE\n.SH COMMANDS\n"
		  "Each has a page of its own, such as \\fBimgsearch\\-query\\fR(1).\n",
		f);
	for (size_t i = 0; commands[i]; i++) {
		fprintf(f, ".TP\n\\fBimgsearch %s\\fR\n", commands[i]->name);
		prose(f, commands[i]->summary);
	}
	exit_status(f);
	fputs(".SH ENVIRONMENT\n"
		  ".TP\n.B IMGSEARCH_DB\nthe index, where \\fB\\-\\-db\\fR is not given\n"
		  ".TP\n.B XDG_DATA_HOME\nthe folder of the default index is \\fIimgsearch\\fR in it\n"
		  "(default \\fI~/.local/share\\fR)\n"
		  ".TP\n.B XDG_CACHE_HOME\nthumbnails of \\fBserve\\fR, and searchers of an index on a\n"
		  "server, are kept below \\fIimgsearch\\fR in it (default \\fI~/.cache\\fR)\n"
		  ".TP\n.B IMGSEARCH_LIBDIR\nwhere the network's part of the library and model files\n"
		  "are looked for first\n"
		  ".TP\n.B NO_COLOR\nset: no colour in the progress bar\n"
		  ".SH FILES\n.TP\n.I .imgsearchignore, .ignore\npatterns of files and folders that\n"
		  "\\fBindex\\fR leaves out, one a line\n"
		  ".SH SEE ALSO\n",
		f);
	for (size_t i = 0; commands[i]; i++) {
		page_name(name, commands[i]);
		fputs("\\fB", f);
		roff(f, name);
		fputs(commands[i + 1] ? "\\fR(1),\n" : "\\fR(1)\n", f);
	}
}

bool man_write_pages(const char *folder, const command *const *commands)
{
	char path[4200], name[64] = "imgsearch";
	for (size_t i = 0; i == 0 || commands[i - 1]; i++) {
		if (i)
			page_name(name, commands[i - 1]);
		snprintf(path, sizeof path, "%s/%s.1", folder, name);
		FILE *f = fopen(path, "w");
		if (f && i)
			man_write_command(f, commands[i - 1]);
		else if (f)
			man_write(f, commands);
		bool written = f && !ferror(f);
		if (!f || fclose(f) || !written)
			return cli_fail("%s: cannot be written", path), false;
	}
	return true;
}

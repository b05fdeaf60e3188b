/* The man page, in the macros of man(7). */
#include "cli/option/man.h"

#include <string.h>

/* Text for roff: backslashes and hyphens escaped, no line begins with a control character. */
static void roff_n(FILE *f, const char *text, size_t n)
{
	bool start = true;
	for (const char *end = text + n; text < end; text++) {
		if (start && (*text == '.' || *text == '\''))
			fputs("\\&", f);
		if (*text == '\\')
			fputs("\\e", f);
		else if (*text == '-')
			fputs("\\-", f);
		else
			putc(*text, f);
		start = *text == '\n';
	}
}

static void roff(FILE *f, const char *text)
{
	roff_n(f, text, strlen(text));
}

static void man_option(FILE *f, const option *o)
{
	fputs(".TP\n", f);
	if (o->letter)
		fprintf(f, "\\fB\\-%c\\fR, ", o->letter);
	fputs("\\fB\\-\\-", f);
	roff(f, o->name);
	fputs("\\fR", f);
	if (o->arg)
		fprintf(f, "=\\fI%s\\fR", o->arg);
	putc('\n', f);
	roff(f, o->help);
	for (size_t i = 0; o->choices && o->choices[i]; i++)
		fprintf(f, "%s%s", i ? ", " : ": ", o->choices[i]);
	if (o->def || o->shown) {
		fputs(" (default ", f);
		roff(f, o->def ? o->def : o->shown);
		putc(')', f);
	}
	putc('\n', f);
}

static void man_text(FILE *f, const char *text)
{
	size_t example = 0; /* 1 within lines that begin with a tab */
	while (*text) {
		size_t length = strcspn(text, "\n");
		size_t tab = *text == '\t';
		if (tab != example) {
			example = tab;
			fputs(example ? ".RS\n.nf\n" : ".fi\n.RE\n", f);
		}
		if (length) {
			roff_n(f, text + tab, length - tab);
			putc('\n', f);
		} else {
			fputs(".PP\n", f);
		}
		text += length;
		text += *text == '\n';
	}
	if (example)
		fputs(".fi\n.RE\n", f);
}

static void man_command(FILE *f, const command *c)
{
	size_t own = command_own_options(c);
	const option *o;
	fprintf(f, ".SS \"imgsearch %s \\fR[\\fIOPTION\\fR...]%s%s\"\n", c->name,
		*c->operands ? " " : "", c->operands);
	man_text(f, c->text);
	for (size_t i = 0; i < own; i++)
		man_option(f, command_option(c, i));
	fputs(".PP\nCommon options:", f);
	for (size_t i = own; (o = command_option(c, i)); i++) {
		fputs(i == own ? " \\fB\\-\\-" : ", \\fB\\-\\-", f);
		roff(f, o->name);
		fputs("\\fR", f);
	}
	fputs(".\n", f);
}

/* A command with every group, so that the page has the common options once. */
static void man_common(FILE *f)
{
	static const option none[] = { OPT_END };
	static const command all = {
		.name = "",
		.operands = "",
		.options = none,
		.groups = GROUP_DB | GROUP_PARTIAL | GROUP_JSON | GROUP_NUL | GROUP_THREADS | GROUP_MODEL
			| GROUP_FORMATS | GROUP_RECIPE,
	};
	const option *o;
	for (size_t i = 0; (o = command_option(&all, i)); i++)
		man_option(f, o);
}

void man_write(FILE *f, const command *const *commands)
{
	fprintf(f, ".TH IMGSEARCH 1 \"\" \"imgsearch %s\" \"User Commands\"\n",
		imgsearch_version_text());
	fputs(".SH NAME\nimgsearch \\- find pictures that look alike\n"
		  ".SH SYNOPSIS\n.B imgsearch\n\\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n"
		  ".SH DESCRIPTION\n"
		  "Turns each picture of some folders into a feature vector by a neural network, keeps "
		  "the vectors in one SQLite\n"
		  "file, and finds those most like a given picture. Nothing leaves the machine.\n"
		  ".PP\nResults go to standard output, everything else to standard error. Options may "
		  "stand anywhere;\n"
		  "\\fB\\-\\-\\fR ends them.\n"
		  ".SH COMMANDS\n",
		f);
	for (size_t i = 0; commands[i]; i++)
		man_command(f, commands[i]);
	fputs(".SH COMMON OPTIONS\nEach command says above which of these it takes.\n", f);
	man_common(f);
	fputs(".SH EXIT STATUS\n"
		  ".TP\n0\ndone\n.TP\n1\nnothing was found (\\fBquery\\fR)\n.TP\n2\nthe command line "
		  "was wrong\n.TP\n3\nfailed\n"
		  ".TP\n4\ndone, but some files failed\n.TP\n130\ninterrupted; finished work is kept\n"
		  ".SH ENVIRONMENT\n"
		  ".TP\n.B IMGSEARCH_DB\nthe index, where \\fB\\-\\-db\\fR is not given\n"
		  ".TP\n.B XDG_DATA_HOME\nthe folder of the default index is \\fIimgsearch\\fR in it "
		  "(default \\fI~/.local/share\\fR)\n"
		  ".TP\n.B XDG_CACHE_HOME\nthumbnails of \\fBserve\\fR, and searchers of an index on a "
		  "server, are kept below \\fIimgsearch\\fR in it (default \\fI~/.cache\\fR)\n"
		  ".TP\n.B IMGSEARCH_LIBDIR\nwhere the network's part of the library and model files "
		  "are looked for first\n"
		  ".TP\n.B NO_COLOR\nset: no colour in the progress bar\n"
		  ".SH FILES\n.TP\n.I .imgsearchignore, .ignore\npatterns of files and folders that "
		  "\\fBindex\\fR leaves out, one a line\n",
		f);
}

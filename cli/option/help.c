/*
 * Everything that is told from the tables: help on the terminal (help_command, help_all), the man page (help_man) and
 * the shells' completions (help_complete). A command's text is plain paragraphs between empty lines; lines that begin
 * with a tab are examples and stay as they are. Names of options and commands need no escaping in any shell; help
 * texts are escaped.
 */
#include "cli/base/cli.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool takes_file(const option *o)
{
	return o->kind == OPT_FILE || o->kind == OPT_FILES || o->kind == OPT_DIR;
}

/* ----------------------------------------------------------------------------------------------- terminal ---- */

/* Words of n bytes of text after `indent` columns, broken before column 79; the cursor stands at `column`. */
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
	int n = snprintf(head, sizeof head, "  %c%c%c --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name,
		o->arg ? "=" : "", o->arg ? o->arg : "");
	int at = snprintf(help, sizeof help, "%s", o->help);
	if (o->choices) {
		at += snprintf(help + at, sizeof help - (size_t)at, ": ");
		for (size_t i = 0; o->choices[i]; i++)
			at += snprintf(help + at, sizeof help - (size_t)at, "%s%s", i ? ", " : "", o->choices[i]);
	}
	if (o->def)
		snprintf(help + at, sizeof help - (size_t)at, " (default %s)", o->def);
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
	fprintf(f, "usage: imgsearch %s [OPTION...]%s%s\n\n", c->name, *c->operands ? " " : "", c->operands);
	print_text(f, c->text);
	if (own)
		fputs("\nOptions:\n", f);
	for (size_t i = 0; i < own; i++)
		print_option(f, command_option(c, i));
	fputs("\nCommon options:\n", f);
	for (size_t i = own; (o = command_option(c, i)); i++)
		print_option(f, o);
}

void help_all(FILE *f)
{
	fputs("usage: imgsearch COMMAND [OPTION...] [ARGUMENT...]\n\n"
		"Indexes folders of pictures, and finds the pictures most like a given one.\n\n"
		"\timgsearch index ~/Pictures\n"
		"\timgsearch query photo.jpg\n\n"
		"Commands:\n", f);
	for (size_t i = 0; commands[i]; i++)
		fprintf(f, "  %-16s  %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nimgsearch help COMMAND tells more; imgsearch --version the version.\n", f);
}

/* ------------------------------------------------------------------------------------------------ man page ---- */

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
	if (o->def) {
		fputs(" (default ", f);
		roff(f, o->def);
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
	fprintf(f, ".SS \"imgsearch %s \\fR[\\fIOPTION\\fR...]%s%s\"\n", c->name, *c->operands ? " " : "", c->operands);
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

/* One command that takes every group: the page tells the common options once. */
static void man_common(FILE *f)
{
	static const option none[] = { OPT_END };
	static const command all = { .name = "", .operands = "", .options = none,
		.groups = GROUP_DB | GROUP_JSON | GROUP_NUL | GROUP_THREADS | GROUP_MODEL | GROUP_RECIPE };
	const option *o;
	for (size_t i = 0; (o = command_option(&all, i)); i++)
		man_option(f, o);
}

void help_man(FILE *f)
{
	fprintf(f, ".TH IMGSEARCH 1 \"\" \"imgsearch %s\" \"User Commands\"\n", imgsearch_version());
	fputs(".SH NAME\nimgsearch \\- find pictures that look alike\n"
		".SH SYNOPSIS\n.B imgsearch\n\\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n"
		".SH DESCRIPTION\n"
		"Turns each picture of some folders into a feature vector by a neural network, keeps the vectors in one SQLite\n"
		"file, and finds those most like a given picture. Nothing leaves the machine.\n"
		".PP\nResults go to standard output, everything else to standard error. Options may stand anywhere;\n"
		"\\fB\\-\\-\\fR ends them.\n"
		".SH COMMANDS\n", f);
	for (size_t i = 0; commands[i]; i++)
		man_command(f, commands[i]);
	fputs(".SH COMMON OPTIONS\nEach command says above which of these it takes.\n", f);
	man_common(f);
	fputs(".SH EXIT STATUS\n"
		".TP\n0\ndone\n.TP\n1\nnothing was found (\\fBquery\\fR)\n.TP\n2\nthe command line was wrong\n.TP\n3\nfailed\n"
		".TP\n4\ndone, but some files failed\n.TP\n130\ninterrupted; what was done is kept\n"
		".SH ENVIRONMENT\n"
		".TP\n.B IMGSEARCH_DB\nthe index, where \\fB\\-\\-db\\fR is not given\n"
		".TP\n.B XDG_DATA_HOME\nthe folder of the default index is \\fIimgsearch\\fR in it (default \\fI~/.local/share\\fR)\n"
		".TP\n.B IMGSEARCH_LIBDIR\nwhere the network's part of the library and model files are looked for first\n"
		".TP\n.B NO_COLOR\nset: no colour in the progress bar\n"
		".SH FILES\n.TP\n.I .imgsearchignore, .ignore\npatterns of files and folders that \\fBindex\\fR leaves out, one a line\n", f);
}

/* --------------------------------------------------------------------------------------------- completions ---- */

/* Each first word of a two-word command once: calls with "root", then "vectors" ... */
static bool first_of_pair(size_t i, char *first, size_t size)
{
	const char *name = commands[i]->name;
	size_t length = strcspn(name, " ");
	if (!name[length])
		return false;
	snprintf(first, size, "%.*s", (int)length, name);
	return !i || strncmp(commands[i - 1]->name, name, length + 1) != 0;
}

static void second_words(FILE *f, const char *first)
{
	size_t length = strlen(first);
	const char *gap = "";
	for (size_t i = 0; commands[i]; i++)
		if (!strncmp(commands[i]->name, first, length) && commands[i]->name[length] == ' ') {
			fprintf(f, "%s%s", gap, commands[i]->name + length + 1);
			gap = " ";
		}
}

static void first_words(FILE *f)
{
	char first[32];
	const char *gap = "";
	for (size_t i = 0; commands[i]; i++) {
		bool pair = strchr(commands[i]->name, ' ') != NULL;
		if (pair && !first_of_pair(i, first, sizeof first))
			continue;
		fprintf(f, "%s%s", gap, pair ? first : commands[i]->name);
		gap = " ";
	}
}

static void words(FILE *f, const char *const *list)
{
	for (size_t i = 0; list[i]; i++)
		fprintf(f, "%s%s", i ? " " : "", list[i]);
}

static void bash_values(FILE *f, const command *c)
{
	const option *o;
	for (size_t i = 0; (o = command_option(c, i)); i++) {
		if (!o->arg)
			continue;
		fprintf(f, "\t\"%s --%s\"", c->name, o->name);
		if (o->letter)
			fprintf(f, "|\"%s -%c\"", c->name, o->letter);
		fputs(") ", f);
		if (o->choices) {
			fputs("COMPREPLY=($(IFS=' '; compgen -W \"", f);
			words(f, o->choices);
			fputs("\" -- \"$cur\")); ", f);
		} else if (takes_file(o)) {
			fprintf(f, "COMPREPLY=($(compgen -%c -- \"$cur\")); ", o->kind == OPT_DIR ? 'd' : 'f');
		}
		fputs("return ;;\n", f);
	}
}

static void bash(FILE *f)
{
	char first[32];
	fputs("# bash completion for imgsearch; written by: imgsearch complete bash\n"
		"_imgsearch() {\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]} options= operands=\n"
		"\tlocal IFS=$'\\n'\n"
		"\tCOMPREPLY=()\n"
		"\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(IFS=' '; compgen -W \"", f);
	first_words(f);
	fputs(" --version --help\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $cmd in\n", f);
	for (size_t i = 0; commands[i]; i++)
		if (first_of_pair(i, first, sizeof first)) {
			fprintf(f, "\t%s)\n\t\tif [ \"$COMP_CWORD\" -eq 2 ]; then\n\t\t\tCOMPREPLY=($(IFS=' '; compgen -W \"", first);
			second_words(f, first);
			fputs("\" -- \"$cur\"))\n\t\t\treturn\n\t\tfi\n\t\tcmd=\"$cmd ${COMP_WORDS[2]}\" ;;\n", f);
		}
	fputs("\tesac\n\tcase \"$cmd $prev\" in\n", f);
	for (size_t i = 0; commands[i]; i++)
		bash_values(f, commands[i]);
	fputs("\tesac\n\tcase $cmd in\n", f);
	for (size_t i = 0; commands[i]; i++) {
		const option *o;
		fprintf(f, "\t\"%s\") options=\"", commands[i]->name);
		for (size_t k = 0; (o = command_option(commands[i], k)); k++)
			fprintf(f, "%s--%s", k ? " " : "", o->name);
		fputs("\"", f);
		if (commands[i]->words) {
			fputs(" operands=\"", f);
			words(f, commands[i]->words);
			fputs("\"", f);
		}
		fputs(" ;;\n", f);
	}
	fputs("\tesac\n"
		"\tcase $cur in\n"
		"\t-*) COMPREPLY=($(IFS=' '; compgen -W \"$options\" -- \"$cur\")) ;;\n"
		"\t*) if [ -n \"$operands\" ]; then COMPREPLY=($(IFS=' '; compgen -W \"$operands\" -- \"$cur\")); else COMPREPLY=($(compgen -f -- \"$cur\")); fi ;;\n"
		"\tesac\n}\n"
		"complete -o filenames -F _imgsearch imgsearch\n", f);
}

/* Text between single quotes; extra: characters that take a backslash as well. */
static void quoted(FILE *f, const char *text, const char *extra)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", f);
		else if (strchr(extra, *text))
			fprintf(f, "\\%c", *text);
		else
			putc(*text, f);
	}
}

static void zsh_option(FILE *f, const option *o)
{
	const char *many = o->kind == OPT_LIST || o->kind == OPT_FILES ? "*" : "";
	if (o->letter && !*many)
		fprintf(f, " \\\n\t\t\t'(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter, o->arg ? "+" : "", o->name, o->arg ? "=" : "");
	else
		fprintf(f, " \\\n\t\t\t'%s--%s%s[", many, o->name, o->arg ? "=" : "");
	quoted(f, o->help, "[]:\\");
	putc(']', f);
	if (o->arg) {
		putc(':', f);
		quoted(f, o->arg, "[]:\\");
		putc(':', f);
	}
	if (o->choices) {
		putc('(', f);
		words(f, o->choices);
		putc(')', f);
	} else if (takes_file(o)) {
		fputs(o->kind == OPT_DIR ? "_files -/" : "_files", f);
	}
	putc('\'', f);
}

static void zsh(FILE *f)
{
	char first[32];
	fputs("#compdef imgsearch\n# zsh completion for imgsearch; written by: imgsearch complete zsh\n"
		"_imgsearch() {\n\tlocal command=$words[2]\n\tif (( CURRENT == 2 )); then\n\t\tcompadd -- ", f);
	first_words(f);
	fputs("\n\t\treturn\n\tfi\n\tcase $command in\n", f);
	for (size_t i = 0; commands[i]; i++)
		if (first_of_pair(i, first, sizeof first)) {
			fprintf(f, "\t%s)\n\t\tif (( CURRENT == 3 )); then\n\t\t\tcompadd -- ", first);
			second_words(f, first);
			fputs("\n\t\t\treturn\n\t\tfi\n\t\tcommand=\"$words[2] $words[3]\"\n\t\tshift words\n\t\t(( CURRENT-- )) ;;\n", f);
		}
	fputs("\tesac\n\tshift words\n\t(( CURRENT-- ))\n\tcase $command in\n", f);
	for (size_t i = 0; commands[i]; i++) {
		const option *o;
		fprintf(f, "\t'%s')\n\t\t_arguments -s", commands[i]->name);
		for (size_t k = 0; (o = command_option(commands[i], k)); k++)
			zsh_option(f, o);
		if (commands[i]->words) {
			fputs(" \\\n\t\t\t'*:word:(", f);
			words(f, commands[i]->words);
			fputs(")'", f);
		} else if (commands[i]->max_operands) {
			fputs(" \\\n\t\t\t'*:file:_files'", f);
		}
		fputs(" ;;\n", f);
	}
	fputs("\tesac\n}\n_imgsearch \"$@\"\n", f);
}

static void fish_option(FILE *f, const char *when, const option *o)
{
	fprintf(f, "complete -c imgsearch -n '%s' -l %s", when, o->name);
	if (o->letter)
		fprintf(f, " -s %c", o->letter);
	fputs(" -d '", f);
	for (const char *p = o->help; *p; p++)
		fprintf(f, *p == '\'' || *p == '\\' ? "\\%c" : "%c", *p);
	putc('\'', f);
	if (o->choices) {
		fputs(" -x -a '", f);
		words(f, o->choices);
		putc('\'', f);
	} else if (o->arg) {
		fputs(takes_file(o) ? " -r -F" : " -x", f);
	}
	putc('\n', f);
}

static void fish(FILE *f)
{
	char first[32], when[160];
	fputs("# fish completion for imgsearch; written by: imgsearch complete fish\ncomplete -c imgsearch -n __fish_use_subcommand -f -a '", f);
	first_words(f);
	fputs("'\n", f);
	for (size_t i = 0; commands[i]; i++)
		if (first_of_pair(i, first, sizeof first)) {
			fprintf(f, "complete -c imgsearch -n '__fish_seen_subcommand_from %s' -f -a '", first);
			second_words(f, first);
			fputs("'\n", f);
		}
	for (size_t i = 0; commands[i]; i++) {
		const char *name = commands[i]->name, *space = strchr(name, ' ');
		const option *o;
		if (space)
			snprintf(when, sizeof when, "__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s", (int)(space - name), name, space + 1);
		else
			snprintf(when, sizeof when, "__fish_seen_subcommand_from %s", name);
		for (size_t k = 0; (o = command_option(commands[i], k)); k++)
			fish_option(f, when, o);
		if (commands[i]->words) {
			fprintf(f, "complete -c imgsearch -n '%s' -f -a '", when);
			words(f, commands[i]->words);
			fputs("'\n", f);
		}
	}
}

bool help_complete(FILE *f, const char *shell)
{
	if (!strcmp(shell, "bash"))
		bash(f);
	else if (!strcmp(shell, "zsh"))
		zsh(f);
	else if (!strcmp(shell, "fish"))
		fish(f);
	else
		return false;
	return true;
}

/*
 * Completions for bash, zsh and fish. Names of options and commands need no escaping in any shell;
 * help texts are escaped. Of a command of two words ("root mv") the first and the second are
 * completed one after the other.
 */
#include "cli/option/completion.h"

#include <string.h>

/* Whether the i-th command has two words and is the first with its first word, copied to first. */
static bool first_of_pair(const command *const *commands, size_t i, char *first, size_t size)
{
	const char *name = commands[i]->name;
	size_t length = strcspn(name, " ");
	if (!name[length])
		return false;
	snprintf(first, size, "%.*s", (int)length, name);
	return !i || strncmp(commands[i - 1]->name, name, length + 1) != 0;
}

static void second_words(FILE *f, const command *const *commands, const char *first)
{
	size_t length = strlen(first);
	const char *gap = "";
	for (size_t i = 0; commands[i]; i++)
		if (!strncmp(commands[i]->name, first, length) && commands[i]->name[length] == ' ') {
			fprintf(f, "%s%s", gap, commands[i]->name + length + 1);
			gap = " ";
		}
}

static void first_words(FILE *f, const command *const *commands)
{
	char first[32];
	const char *gap = "";
	for (size_t i = 0; commands[i]; i++) {
		bool pair = strchr(commands[i]->name, ' ') != NULL;
		if (pair && !first_of_pair(commands, i, first, sizeof first))
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
		} else if (option_is_path(o)) {
			fprintf(f, "COMPREPLY=($(compgen -%c -- \"$cur\")); ", o->kind == OPT_DIR ? 'd' : 'f');
		}
		fputs("return ;;\n", f);
	}
}

static void bash(FILE *f, const command *const *commands)
{
	char first[32];
	fputs("# bash completion for imgsearch; written by: imgsearch complete bash\n"
		"_imgsearch() {\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
		"cmd=${COMP_WORDS[1]} options= operands=\n"
		"\tlocal IFS=$'\\n'\n"
		"\tCOMPREPLY=()\n"
		"\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(IFS=' '; compgen -W \"", f);
	first_words(f, commands);
	fputs(" --version --help\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $cmd in\n", f);
	for (size_t i = 0; commands[i]; i++)
		if (first_of_pair(commands, i, first, sizeof first)) {
			fprintf(f,
				"\t%s)\n\t\tif [ \"$COMP_CWORD\" -eq 2 ]; then\n\t\t\tCOMPREPLY=($(IFS=' '; "
				"compgen -W \"",
				first);
			second_words(f, commands, first);
			fputs("\" -- \"$cur\"))\n\t\t\treturn\n\t\tfi\n\t\tcmd=\"$cmd ${COMP_WORDS[2]}\" ;;\n",
				f);
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
		"\t*) if [ -n \"$operands\" ]; then COMPREPLY=($(IFS=' '; compgen -W \"$operands\" "
		"-- \"$cur\")); else COMPREPLY=($(compgen -f -- \"$cur\")); fi ;;\n"
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
	const char *many = option_repeats(o) ? "*" : "";
	if (o->letter && !*many)
		fprintf(f, " \\\n\t\t\t'(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter,
			o->arg ? "+" : "", o->name, o->arg ? "=" : "");
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
	} else if (option_is_path(o)) {
		fputs(o->kind == OPT_DIR ? "_files -/" : "_files", f);
	}
	putc('\'', f);
}

static void zsh(FILE *f, const command *const *commands)
{
	char first[32];
	fputs("#compdef imgsearch\n# zsh completion for imgsearch; written by: imgsearch complete zsh\n"
		"_imgsearch() {\n\tlocal command=$words[2]\n\tif (( CURRENT == 2 )); then\n"
		"\t\tcompadd -- ", f);
	first_words(f, commands);
	fputs("\n\t\treturn\n\tfi\n\tcase $command in\n", f);
	for (size_t i = 0; commands[i]; i++)
		if (first_of_pair(commands, i, first, sizeof first)) {
			fprintf(f, "\t%s)\n\t\tif (( CURRENT == 3 )); then\n\t\t\tcompadd -- ", first);
			second_words(f, commands, first);
			fputs(
				"\n\t\t\treturn\n\t\tfi\n\t\tcommand=\"$words[2] $words[3]\"\n\t\tshift words"
				"\n\t\t(( CURRENT-- )) ;;\n",
				f);
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
		fputs(option_is_path(o) ? " -r -F" : " -x", f);
	}
	putc('\n', f);
}

static void fish(FILE *f, const command *const *commands)
{
	char first[32], when[160];
	fputs(
		"# fish completion for imgsearch; written by: imgsearch complete fish\ncomplete -c "
		"imgsearch -n __fish_use_subcommand -f -a '",
		f);
	first_words(f, commands);
	fputs("'\n", f);
	for (size_t i = 0; commands[i]; i++)
		if (first_of_pair(commands, i, first, sizeof first)) {
			fprintf(f, "complete -c imgsearch -n '__fish_seen_subcommand_from %s' -f -a '", first);
			second_words(f, commands, first);
			fputs("'\n", f);
		}
	for (size_t i = 0; commands[i]; i++) {
		const char *name = commands[i]->name, *space = strchr(name, ' ');
		const option *o;
		if (space)
			snprintf(when, sizeof when,
				"__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s",
				(int)(space - name), name, space + 1);
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

bool completion_write(FILE *f, const command *const *commands, const char *shell)
{
	if (!strcmp(shell, "bash"))
		bash(f, commands);
	else if (!strcmp(shell, "zsh"))
		zsh(f, commands);
	else if (!strcmp(shell, "fish"))
		fish(f, commands);
	else
		return false;
	return true;
}

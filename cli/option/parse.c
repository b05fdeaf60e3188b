/* Parses command lines. The message for a mistyped word names the nearest one. */
#include "cli/option/parse.h"

#include "cli/base/message.h"
#include "cli/option/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints why option_set refused a value. */
static int bad_value(const command *c, const option *o, const char *text)
{
	const char *near;
	char list[256] = "";
	switch (o->kind) {
	case OPT_CHOICE:
	case OPT_ENUM:
		for (size_t i = 0, at = 0; o->choices[i] && at < sizeof list; i++)
			at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "",
				o->choices[i]);
		near = nearest_word(text, o->choices, 0);
		if (near)
			return command_usage(c, "--%s: no \"%s\"; did you mean \"%s\"? (one of %s)", o->name,
				text, near, list);
		return command_usage(c, "--%s: no \"%s\"; one of %s", o->name, text, list);
	case OPT_UINT:
	case OPT_U64:
		if (o->max > o->min)
			return command_usage(c, "--%s: \"%s\" is not a whole number from %.0f to %.0f", o->name,
				text, o->min, o->max);
		return command_usage(c, "--%s: \"%s\" is not a whole number", o->name, text);
	case OPT_FLOAT:
	case OPT_DOUBLE:
	case OPT_INPUT_WEIGHT:
		if (o->max > o->min)
			return command_usage(c, "--%s: \"%s\" is not a number from %.15g to %.15g", o->name,
				text, o->min, o->max);
		return command_usage(c, "--%s: \"%s\" is not a number", o->name, text);
	case OPT_BYTES:
		return command_usage(c, "--%s: \"%s\" is not a size of at least %.0fM, such as 500M or 2G",
			o->name, text, o->min / (1 << 20));
	case OPT_RECT:
		return command_usage(c, "--%s: \"%s\" is not X,Y,W,H in pixels, such as 10,20,300,200",
			o->name, text);
	case OPT_RGB:
		return command_usage(c, "--%s: \"%s\" is not three numbers, such as 0.485,0.456,0.406",
			o->name, text);
	default:
		return command_usage(c, "--%s: its %s is empty", o->name, o->arg);
	}
}

static const option *find_long(const command *c, const char *name, size_t length)
{
	const option *o;
	for (size_t i = 0; (o = command_option(c, i)); i++)
		if (strlen(o->name) == length && !memcmp(o->name, name, length))
			return o;
	return NULL;
}

static const option *find_short(const command *c, char letter)
{
	const option *o;
	for (size_t i = 0; (o = command_option(c, i)); i++)
		if (o->letter == letter)
			return o;
	return NULL;
}

/* -o, or --output, of a command that writes the file which is its argument. */
static int needless_output(const command *c)
{
	return command_usage(c, "no option -o; the file is the argument: imgsearch %s %s", c->name,
		c->operands);
}

static bool writes_argument(const command *c)
{
	return !strncmp(c->operands, "FILE", 4) && c->max_operands == 1;
}

static int unknown_long(const command *c, const char *name, size_t length)
{
	const char *names[64];
	char word[NEAREST_WORD_MAX + 1];
	size_t n = 0;
	for (const option *o; n < 64 && (o = command_option(c, n)); n++)
		names[n] = o->name;
	snprintf(word, sizeof word, "%.*s",
		(int)(length < NEAREST_WORD_MAX ? length : NEAREST_WORD_MAX), name);
	if (!strcmp(word, "output") && writes_argument(c))
		return needless_output(c);
	const char *near = nearest_word(word, names, n);
	if (near)
		return command_usage(c, "no option --%.*s; did you mean --%s?", (int)length, name, near);
	return command_usage(c, "no option --%.*s", (int)length, name);
}

/* Whether a word is an option of the command, so that it is no value that was meant. */
static bool is_option(const command *c, const char *word)
{
	if (!strncmp(word, "--", 2))
		return find_long(c, word + 2, strcspn(word + 2, "="));
	return word[0] == '-' && word[1] && find_short(c, word[1]);
}

static int set_option(const command *c, const option *o, const char *text, void *args)
{
	if (o->arg && !text)
		return command_usage(c, "--%s needs a value: %s", o->name, o->arg);
	int why = option_set(o, text, args);
	if (why && why != ENOMEM && is_option(c, text))
		return command_usage(c, "--%s needs a value: %s, before %s", o->name, o->arg, text);
	if (why)
		return why == ENOMEM ? cli_nomem() : bad_value(c, o, text);
	if (o->given)
		*(uint32_t *)(void *)((char *)args + o->given) = 1;
	return CLI_DONE;
}

/* One word "--name[=value]"; *next is the word after it, moved on when it was the value. */
static int set_long_option(const command *c, const char *word, char ***next, char **end, void *args)
{
	const char *name = word + 2;
	size_t length = strcspn(name, "=");
	const option *o = find_long(c, name, length);
	if (!o)
		return unknown_long(c, name, length);
	if (name[length] && !o->arg && o->kind != OPT_INPUT_NOT)
		return command_usage(c, "--%s takes no value", o->name);
	if (name[length])
		return set_option(c, o, name + length + 1, args);
	return set_option(c, o, o->arg && *next < end ? *(*next)++ : NULL, args);
}

/* One word "-abc": flags, the last of which may have a value, in the word or after it. */
static int set_short_options(const command *c, const char *word, char ***next, char **end,
	void *args)
{
	for (const char *p = word + 1; *p; p++) {
		const option *o = find_short(c, *p);
		int rc;
		if (!o && *p == 'o' && writes_argument(c))
			return needless_output(c);
		if (!o)
			return command_usage(c, "no option -%c", *p);
		if (!o->arg)
			rc = set_option(c, o, NULL, args);
		else
			rc = set_option(c, o, p[1] ? p + 1 : *next < end ? *(*next)++ : NULL, args);
		if (rc || o->arg)
			return rc;
	}
	return CLI_DONE;
}

static void set_defaults(const command *c, void *args)
{
	const option *o;
	for (size_t i = 0; (o = command_option(c, i)); i++)
		if (o->def)
			option_set(o, o->def, args);
}

/* The inputs of a command line; NULL: the command has no such options. */
static option_inputs *inputs_of(const command *c, void *args)
{
	const option *o;
	for (size_t i = 0; (o = command_option(c, i)); i++)
		if (o->kind == OPT_INPUT_TEXT)
			return (void *)((char *)args + o->offset);
	return NULL;
}

/* The option one of whose choices the word is; NULL. */
static const option *find_choice(const command *c, const char *word)
{
	const option *o;
	for (size_t i = 0; (o = command_option(c, i)); i++)
		for (size_t k = 0; o->choices && o->choices[k]; k++)
			if (!strcmp(o->choices[k], word))
				return o;
	return NULL;
}

static int unexpected(const command *c, const char *word)
{
	const option *o = find_choice(c, word);
	if (o)
		return command_usage(c, "unexpected argument \"%s\"; did you mean --%s %s?", word, o->name,
			word);
	return command_usage(c, "unexpected argument \"%s\"%s", word,
		find_long(c, "output", 6) ? "; the file to write is named with -o FILE" : "");
}

int parse_command_line(const command *c, int argc, char **argv, void *args, size_t *n_operands)
{
	char **end = argv + argc, **next = argv;
	size_t n = 0;
	bool options = true;
	option_inputs *inputs = inputs_of(c, args);
	set_defaults(c, args);
	while (next < end) {
		char *word = *next++;
		int rc = CLI_DONE;
		if (options && !strcmp(word, "--"))
			options = false;
		else if (options && !strncmp(word, "--", 2))
			rc = set_long_option(c, word, &next, end, args);
		else if (options && word[0] == '-' && word[1])
			rc = set_short_options(c, word, &next, end, args);
		else
			argv[n++] = word;
		if (!rc && inputs && n && argv[n - 1] == word)
			rc = option_input_add(inputs, word, false) == ENOMEM ? cli_nomem() : CLI_DONE;
		if (rc)
			return rc;
	}
	if (inputs && !((const common_args *)args)->help
		&& (inputs->next.minus || inputs->next.weight > 0))
		return command_usage(c, "--%s stands before what it is about, and nothing follows it",
			inputs->next.minus ? "not" : "weight");
	*n_operands = n;
	const common_args *common = args;
	if (common->help)
		return CLI_DONE;
	if (common->mean != common->std)
		return command_usage(c, "--mean and --std are given together or not at all");
	if (n < c->min_operands)
		return command_usage(c,
			n ? "an argument is missing: imgsearch %s %s" : "no argument: imgsearch %s %s", c->name,
			c->operands);
	return n > c->max_operands ? unexpected(c, argv[c->max_operands]) : CLI_DONE;
}

void parse_free(const command *c, void *args)
{
	const option *o;
	for (size_t i = 0; args && (o = command_option(c, i)); i++)
		if (option_repeats(o) && o->kind <= OPT_INPUT_TEXT)
			free(*(void **)(void *)((char *)args + o->offset)); /* the items come first */
	free(args);
}

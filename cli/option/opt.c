/*
 * Command lines against a command's table of options: command_parse. Long (--name VALUE, --name=VALUE) and short options
 * (-k 5, -k5, -qL bundled) may stand anywhere; "--" ends them; a lone "-" is an operand. An option that takes a value
 * takes the next word whatever it begins with, so that negative numbers work. A word that is mistyped is answered with
 * the nearest one (Damerau-Levenshtein distance). The common options that commands share are declared here, once.
 */
#include "cli/base/cli.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COMMON(member) offsetof(common_args, member)

static const char *const precisions[] = { "auto", "f32", "bf16", NULL };
static const char *const interpolations[] = { "default", "bilinear", "bicubic", NULL };

static const option group_always[] = {
	{ "help", 'h', OPT_FLAG, COMMON(help), .help = "show this help" },
	{ "quiet", 'q', OPT_FLAG, COMMON(quiet), .help = "no progress, no summaries; errors only" },
	{ "verbose", 'v', OPT_FLAG, COMMON(verbose), .help = "say more about what is done" },
	OPT_END
};
static const option group_db[] = {
	{ "db", 'd', OPT_FILE, COMMON(db), "FILE", .help = "the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder)" },
	OPT_END
};
static const option group_write_json[] = {
	{ "json", 'j', OPT_FLAG, COMMON(json), .help = "results as JSON, one object a line" },
	OPT_END
};
static const option group_nul[] = {
	{ "null", '0', OPT_FLAG, COMMON(nul), .help = "records end with NUL instead of a newline, in and out" },
	OPT_END
};
static const option group_threads[] = {
	{ "threads", 't', OPT_UINT, COMMON(open.threads), "N", .help = "threads to use (default: one per available CPU)", .min = 1, .max = 1024 },
	OPT_END
};
static const option group_model[] = {
	{ "model", 'm', OPT_FILE, COMMON(open.model), "NAME", .help = "network by name (see imgsearch models), or weights with a card" },
	{ "weights", 'w', OPT_FILE, COMMON(open.weights), "FILE", .help = "its weights: .pth, .safetensors, or TorchScript .pt" },
	{ "device", 0, OPT_TEXT, COMMON(open.device), "NAME", .help = "where the network runs: auto, cpu, cuda, cuda:1" },
	{ "precision", 0, OPT_ENUM, COMMON(open.precision), "NAME", .help = "of the network (auto is bf16 where the CPU has it)", .choices = precisions },
	OPT_END
};
static const option group_recipe[] = {
	{ "resize", 0, OPT_UINT, COMMON(open.recipe.resize), "N", .help = "short side after the resize (default: the network's own)", .min = 32, .max = 4096 },
	{ "crop", 0, OPT_UINT, COMMON(open.recipe.crop), "N", .help = "side of the centre crop (default: the network's own)", .min = 32, .max = 4096 },
	{ "mean", 0, OPT_RGB, COMMON(open.recipe.mean), "R,G,B", .help = "subtracted from values in 0..1", .min = -10, .max = 10, .given = COMMON(mean) },
	{ "std", 0, OPT_RGB, COMMON(open.recipe.std), "R,G,B", .help = "divided by after that", .min = 1e-6, .max = 10, .given = COMMON(std) },
	{ "interpolation", 0, OPT_ENUM, COMMON(open.recipe.interpolation), "NAME", .help = "of the resize", .choices = interpolations },
	{ "full-decode", 0, OPT_FLAG, COMMON(open.full_decode), .help = "decode JPEGs at full size: slower, exactly the reference transform" },
	{ "max-megapixels", 0, OPT_UINT, COMMON(open.max_megapixels), "N", .help = "larger pictures are \"too big\" (default 200)", .min = 1, .max = 4000 },
	OPT_END
};

size_t command_own_options(const command *c)
{
	size_t n = 0;
	while (c->options[n].name)
		n++;
	return n;
}

const option *command_option(const command *c, size_t i)
{
	const struct {
		bool on;
		const option *table;
	} part[] = {
		{ true, c->options },
		{ c->groups & GROUP_DB, group_db },
		{ c->groups & GROUP_MODEL, group_model },
		{ c->groups & GROUP_RECIPE, group_recipe },
		{ c->groups & (GROUP_THREADS | GROUP_MODEL), group_threads },
		{ c->groups & GROUP_JSON, group_write_json },
		{ c->groups & GROUP_NUL, group_nul },
		{ true, group_always },
	};
	for (size_t p = 0; p < sizeof part / sizeof *part; p++)
		for (const option *o = part[p].table; part[p].on && o->name; o++)
			if (i-- == 0)
				return o;
	return NULL;
}

/* ------------------------------------------------------------------------------------------- near words ---- */

enum { WORD_MAX = 32 };

/* Edits (insert, delete, replace, swap of neighbours) from a to b; leaving off b's end counts as one. */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b);
	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (unsigned i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	unsigned best = d[n][m];
	for (size_t j = n < 3 ? m : 1; j < m; j++)
		if (d[n][j] + 1 < best)
			best = d[n][j] + 1;
	return best;
}

const char *nearest_word(const char *word, const char *const *names, size_t n)
{
	const char *nearest = NULL;
	size_t length = strlen(word);
	unsigned best = length < 4 ? 2 : length < 7 ? 3 : 4; /* fewer edits than this */
	for (size_t i = 0; n ? i < n : names[i] != NULL; i++) {
		unsigned d = edit_distance(word, names[i]);
		if (d < best) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}

/* ---------------------------------------------------------------------------------------------- values ---- */

static bool parse_real(const option *o, const char *text, double *out)
{
	char *end;
	*out = strtod(text, &end);
	return end != text && !*end && isfinite(*out) && !(o->max > o->min && (*out < o->min || *out > o->max));
}

static bool parse_whole(const option *o, const char *text, uint64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (text[strcspn(text, "-+ \t")] || end == text || *end || errno)
		return false;
	if (o->kind == OPT_UINT && *out > UINT32_MAX)
		return false;
	return !(o->max > o->min) || ((double)*out >= o->min && (double)*out <= o->max);
}

/* n numbers between commas. */
static bool parse_numbers(const option *o, const char *text, double *out, size_t n)
{
	char part[64];
	for (size_t i = 0; i < n; i++) {
		size_t length = strcspn(text, ",");
		if (length >= sizeof part)
			return false;
		memcpy(part, text, length);
		part[length] = 0;
		if (!parse_real(o, part, &out[i]) || (text[length] == ',') != (i + 1 < n))
			return false;
		text += length + 1;
	}
	return true;
}

static bool parse_rect(const option *o, const char *text, int32_t *out)
{
	double v[4];
	if (!parse_numbers(o, text, v, 4))
		return false;
	for (size_t i = 0; i < 4; i++) {
		if (v[i] != floor(v[i]) || v[i] < (i < 2 ? 0 : 1) || v[i] > INT32_MAX)
			return false;
		out[i] = (int32_t)v[i];
	}
	return true;
}

static bool parse_rgb(const option *o, const char *text, float *out)
{
	double v[3];
	if (!parse_numbers(o, text, v, 3))
		return false;
	for (size_t i = 0; i < 3; i++)
		out[i] = (float)v[i];
	return true;
}

static bool parse_choice(const option *o, const char *text, void *at)
{
	for (uint32_t i = 0; o->choices[i]; i++)
		if (!strcmp(o->choices[i], text)) {
			if (o->kind == OPT_ENUM)
				*(uint32_t *)at = i;
			else
				*(const char **)at = o->choices[i];
			return true;
		}
	return false;
}

static bool list_add(option_list *list, const char *text)
{
	const char **item = realloc(list->item, (list->n + 1) * sizeof *item);
	if (!item)
		return false;
	list->item = item;
	item[list->n++] = text;
	return true;
}

static bool store(const option *o, const char *text, void *args)
{
	char *at = (char *)args + o->offset;
	double real;
	uint64_t whole;
	switch (o->kind) {
	case OPT_FLAG:
		*(uint32_t *)(void *)at = 1;
		return true;
	case OPT_UINT:
	case OPT_U64:
		if (!parse_whole(o, text, &whole))
			return false;
		if (o->kind == OPT_UINT)
			*(uint32_t *)(void *)at = (uint32_t)whole;
		else
			*(uint64_t *)(void *)at = whole;
		return true;
	case OPT_FLOAT:
	case OPT_DOUBLE:
		if (!parse_real(o, text, &real))
			return false;
		if (o->kind == OPT_FLOAT)
			*(float *)(void *)at = (float)real;
		else
			*(double *)(void *)at = real;
		return true;
	case OPT_TEXT:
	case OPT_FILE:
	case OPT_DIR:
		*(const char **)(void *)at = text;
		return *text != 0;
	case OPT_CHOICE:
	case OPT_ENUM:
		return parse_choice(o, text, at);
	case OPT_LIST:
	case OPT_FILES:
		return *text && list_add((option_list *)(void *)at, text);
	case OPT_RECT:
		return parse_rect(o, text, (int32_t *)(void *)at);
	case OPT_RGB:
		return parse_rgb(o, text, (float *)(void *)at);
	}
	return false;
}

/* What was wrong with a value, as the end of "--k 0: ". */
static int bad_value(const command *c, const option *o, const char *text)
{
	const char *near;
	char list[256] = "";
	switch (o->kind) {
	case OPT_CHOICE:
	case OPT_ENUM:
		for (size_t i = 0, at = 0; o->choices[i] && at < sizeof list; i++)
			at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", o->choices[i]);
		near = nearest_word(text, o->choices, 0);
		if (near)
			return command_usage(c, "--%s: no \"%s\"; did you mean \"%s\"? (one of %s)", o->name, text, near, list);
		return command_usage(c, "--%s: no \"%s\"; one of %s", o->name, text, list);
	case OPT_UINT:
	case OPT_U64:
	case OPT_FLOAT:
	case OPT_DOUBLE:
		if (o->max > o->min)
			return command_usage(c, "--%s: \"%s\" is not a %snumber from %.10g to %.10g", o->name, text,
				o->kind == OPT_UINT || o->kind == OPT_U64 ? "whole " : "", o->min, o->max);
		return command_usage(c, "--%s: \"%s\" is not a %snumber", o->name, text,
			o->kind == OPT_UINT || o->kind == OPT_U64 ? "whole " : "");
	case OPT_RECT:
		return command_usage(c, "--%s: \"%s\" is not X,Y,W,H in pixels, such as 10,20,300,200", o->name, text);
	case OPT_RGB:
		return command_usage(c, "--%s: \"%s\" is not three numbers, such as 0.485,0.456,0.406", o->name, text);
	default:
		return command_usage(c, "--%s: its %s is empty", o->name, o->arg);
	}
}

/* --------------------------------------------------------------------------------------------- parsing ---- */

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

static int unknown_long(const command *c, const char *name, size_t length)
{
	const char *names[64];
	char word[WORD_MAX + 1];
	size_t n = 0;
	for (const option *o; n < 64 && (o = command_option(c, n)); n++)
		names[n] = o->name;
	snprintf(word, sizeof word, "%.*s", (int)(length < WORD_MAX ? length : WORD_MAX), name);
	const char *near = nearest_word(word, names, n);
	if (near)
		return command_usage(c, "no option --%.*s; did you mean --%s?", (int)length, name, near);
	return command_usage(c, "no option --%.*s", (int)length, name);
}

static int take(const command *c, const option *o, const char *text, void *args)
{
	if (o->arg && !text)
		return command_usage(c, "--%s wants %s after it", o->name, o->arg);
	if (!store(o, text, args))
		return bad_value(c, o, text);
	if (o->given)
		*(uint32_t *)(void *)((char *)args + o->given) = 1;
	return CLI_DONE;
}

/* One word "--name[=value]"; *next is the word after it, moved on when it was the value. */
static int take_long(const command *c, const char *word, char ***next, char **end, void *args)
{
	const char *name = word + 2;
	size_t length = strcspn(name, "=");
	const option *o = find_long(c, name, length);
	if (!o)
		return unknown_long(c, name, length);
	if (name[length] && !o->arg)
		return command_usage(c, "--%s takes no value", o->name);
	if (name[length])
		return take(c, o, name + length + 1, args);
	return take(c, o, o->arg && *next < end ? *(*next)++ : NULL, args);
}

/* One word "-abc": flags, the last of which may take a value, in the word or after it. */
static int take_short(const command *c, const char *word, char ***next, char **end, void *args)
{
	for (const char *p = word + 1; *p; p++) {
		const option *o = find_short(c, *p);
		int rc;
		if (!o)
			return command_usage(c, "no option -%c", *p);
		if (!o->arg)
			rc = take(c, o, NULL, args);
		else
			rc = take(c, o, p[1] ? p + 1 : *next < end ? *(*next)++ : NULL, args);
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
			store(o, o->def, args);
}

int command_parse(const command *c, int argc, char **argv, void *args, size_t *n_operands)
{
	char **end = argv + argc, **next = argv;
	size_t n = 0;
	bool options = true;
	set_defaults(c, args);
	while (next < end) {
		char *word = *next++;
		int rc = CLI_DONE;
		if (options && !strcmp(word, "--"))
			options = false;
		else if (options && !strncmp(word, "--", 2))
			rc = take_long(c, word, &next, end, args);
		else if (options && word[0] == '-' && word[1])
			rc = take_short(c, word, &next, end, args);
		else
			argv[n++] = word;
		if (rc)
			return rc;
	}
	*n_operands = n;
	const common_args *common = args;
	if (common->help)
		return CLI_DONE;
	if (common->mean != common->std)
		return command_usage(c, "--mean and --std are given together or not at all");
	if (n < c->min_operands)
		return command_usage(c, n ? "more is needed: imgsearch %s %s" : "nothing given: imgsearch %s %s", c->name, c->operands);
	if (n > c->max_operands)
		return command_usage(c, "\"%s\" is one too many", argv[c->max_operands]);
	return CLI_DONE;
}

void command_free_args(const command *c, void *args)
{
	const option *o;
	for (size_t i = 0; args && (o = command_option(c, i)); i++)
		if (o->kind == OPT_LIST || o->kind == OPT_FILES)
			free(((option_list *)(void *)((char *)args + o->offset))->item);
	free(args);
}

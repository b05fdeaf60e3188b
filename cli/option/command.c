/* Commands by name, and the options that they share. */
#include "cli/option/command.h"

#include "cli/base/message.h"
#include "cli/option/nearest.h"

#include <stdio.h>
#include <string.h>

#define COMMON(member) offsetof(common_args, member)

static const char *const precisions[] = { "auto", "f32", "bf16", NULL };
static const char *const poolings[] = { "default", "mean", "max", "gem", "class", NULL };
static const char *const interpolations[] = { "default", "bilinear", "bicubic", NULL };

static const option group_always[] = {
	{ "help", 'h', OPT_FLAG, COMMON(help), .help = "show this help" },
	{ "quiet", 'q', OPT_FLAG, COMMON(quiet), .help = "no progress, no summaries; errors only" },
	{ "verbose", 'v', OPT_FLAG, COMMON(verbose), .help = "write more about what is done" },
	OPT_END,
};
static const option group_db[] = {
	{ "db", 'd', OPT_FILES, COMMON(db), "FILE",
		.help = "the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data "
				"folder); of shards: repeated, or a text file of their addresses" },
	{ "root", 0, OPT_LIST, COMMON(roots), "NAME=DIR",
		.help = "this machine has the folder NAME of the index at DIR (may be repeated)" },
	{ "max-stale", 0, OPT_DOUBLE, COMMON(open.max_stale), "S",
		.help = "index on a server: answer by what is known of it for S seconds", .max = 1e9 },
	OPT_END,
};
static const option group_partial[] = {
	{ "partial", 0, OPT_FLAG, COMMON(open.partial),
		.help = "index of shards: leave out those that cannot be reached" },
	OPT_END,
};
static const option group_write_json[] = {
	{ "json", 'j', OPT_FLAG, COMMON(json), .help = "results as JSON, one object a line" },
	OPT_END,
};
static const option group_nul[] = {
	{ "null", '0', OPT_FLAG, COMMON(nul),
		.help = "records end with NUL instead of a newline, in and out; fields of a record are "
				"separated "
				"by tabs as without" },
	OPT_END,
};
static const option group_threads[] = {
	{ "threads", 't', OPT_UINT, COMMON(open.threads), "N",
		.help = "threads to use (default: one per available CPU)", .min = 1, .max = 1024 },
	OPT_END,
};
static const option group_model[] = {
	{ "model", 'm', OPT_FILE, COMMON(open.model), "NAME",
		.help =
			"model or network by name (see imgsearch model list), or weights with a card; of an "
			"index with two models: by which of them" },
	{ "weights", 'w', OPT_FILE, COMMON(open.weights), "FILE",
		.help = "its weights: .pth, .safetensors, or TorchScript .pt, a program that runs: "
				"only from people you trust" },
	{ "device", 0, OPT_TEXT, COMMON(open.device), "NAME",
		.help = "where the network runs: auto, cpu, cuda, cuda:1" },
	{ "precision", 0, OPT_ENUM, COMMON(open.precision), "NAME",
		.help = "precision of the network (auto: bf16 where the CPU has it)",
		.choices = precisions },
	OPT_END,
};
static const option group_vectors[] = {
	{ "model", 'm', OPT_TEXT, COMMON(of_model), "NAME",
		.help = "of an index with two models: use the vectors of this one" },
	OPT_END,
};
static const option group_formats[] = {
	{ "formats", 0, OPT_TEXT, COMMON(open.formats), "LIST",
		.help = "also read formats that are off by default: +tiff,+video" },
	{ "video", 0, OPT_FLAG, COMMON(video), .help = "the same as --formats +video" },
	OPT_END,
};
static const option group_transform[] = {
	{ "resize", 0, OPT_UINT, COMMON(recipe.resize), "N",
		.help = "short side after the resize (default: the network's own)",
		.min = IMGSEARCH_CROP_MIN, .max = IMGSEARCH_RESIZE_MAX },
	{ "crop", 0, OPT_UINT, COMMON(recipe.crop), "N",
		.help = "side of the centre crop (default: the network's own)", .min = IMGSEARCH_CROP_MIN,
		.max = IMGSEARCH_RESIZE_MAX },
	{ "squash", 0, OPT_FLAG, COMMON(recipe.squash),
		.help = "resize both sides to the crop, whatever the aspect; cut nothing off" },
	{ "crops", 0, OPT_UINT, COMMON(recipe.crops), "N",
		.help = "5: average the features of the centre and the four corners", .min = 1, .max = 5 },
	{ "pooling", 0, OPT_ENUM, COMMON(recipe.pooling), "NAME",
		.help = "how the network's maps or tokens become one feature (default: its own)",
		.choices = poolings },
	{ "mean", 0, OPT_RGB, COMMON(recipe.mean), "R,G,B",
		.help = "mean to subtract from values in 0..1", .min = -10, .max = 10,
		.given = COMMON(mean) },
	{ "std", 0, OPT_RGB, COMMON(recipe.std), "R,G,B",
		.help = "standard deviation to divide by after that", .min = 1e-6, .max = 10,
		.given = COMMON(std) },
	{ "interpolation", 0, OPT_ENUM, COMMON(recipe.interpolation), "NAME",
		.help = "interpolation of the resize", .choices = interpolations },
	OPT_END,
};
static const option group_recipe[] = {
	{ "full-decode", 0, OPT_FLAG, COMMON(open.full_decode),
		.help = "decode JPEGs at full size: slower, exactly the reference transform" },
	{ "max-megapixels", 0, OPT_UINT, COMMON(open.max_megapixels), "N",
		.help = "larger pictures are \"too big\"",
		.shown = OPTION_TEXT(IMGSEARCH_MAX_MEGAPIXELS_DEFAULT), .min = 1, .max = 4000 },
	{ "max-memory", 0, OPT_BYTES, COMMON(open.max_memory), "SIZE",
		.help = "what decoding may take, in all: 500M, 2G (default: a quarter of the memory)",
		.min = 16 << 20, .max = 1e18 },
	OPT_END,
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
		{ c->groups & GROUP_PARTIAL, group_partial },
		{ c->groups & GROUP_MODEL, group_model },
		{ c->groups & GROUP_VECTORS, group_vectors },
		{ c->groups & GROUP_FORMATS, group_formats },
		{ c->groups & (GROUP_RECIPE | GROUP_TRANSFORM), group_transform },
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

int command_usage(const command *c, const char *format, ...)
{
	char line[1024];
	va_list list;
	va_start(list, format);
	vsnprintf(line, sizeof line, format, list);
	va_end(list);
	cli_warn("%s%s%s (see: imgsearch help%s%s)", c ? c->name : "", c ? ": " : "", line,
		c ? " " : "", c ? c->name : "");
	return CLI_USAGE;
}

bool command_is_below(const command *c, const char *word)
{
	size_t length = strlen(word);
	return !strncmp(c->name, word, length) && c->name[length] == ' ';
}

/*
 * For "root" alone the message lists the commands that begin with it; otherwise it names the
 * nearest command.
 */
static void say_unknown(const command *const *commands, const char *name)
{
	const char *names[64];
	size_t n = 0;
	char list[256] = "";
	for (size_t i = 0, at = 0; commands[i] && n < 64 && at < sizeof list; i++) {
		names[n++] = commands[i]->name;
		if (command_is_below(commands[i], name))
			at += (size_t)snprintf(list + at, sizeof list - at, "%simgsearch %s", at ? ", " : "",
				commands[i]->name);
	}
	const char *near = nearest_word(name, names, n);
	if (*list)
		command_usage(NULL, "say what to do with \"%s\": %s", name, list);
	else if (near)
		command_usage(NULL, "no command \"%s\"; did you mean \"%s\"?", name, near);
	else
		command_usage(NULL, "no command \"%s\"", name);
}

const command *command_find(const command *const *commands, const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	say_unknown(commands, name);
	return NULL;
}

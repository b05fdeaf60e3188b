/*
 * A command: one file cmd_NAME.c with a table of options, a struct that they fill in, and a run
 * function.
 *
 *	typedef struct eval_args {
 *		common_args common;                     (always first)
 *		uint32_t k;
 *	} eval_args;
 *
 *	static int run(context *c, void *args) { ... }
 *
 *	const command cmd_eval = {
 *		.name = "eval", .operands = "", .summary = "measure how good the answers are",
 *		.text = "Measures ...", .options = options, .groups = GROUP_DB | GROUP_JSON,
 *		.args_size = sizeof(eval_args), .run = run
 *	};
 *
 * run returns an exit code; main.c turns it into the process's status, flushes stdout and notices a
 * failed write.
 */
#ifndef IMGSEARCH_CLI_COMMAND_H
#define IMGSEARCH_CLI_COMMAND_H

#include "cli/base/exit_codes.h"
#include "cli/option/option.h"
#include "imgsearch.h"

/*
 * Groups of options that commands share. A command has those of its groups, and always help, quiet
 * and verbose.
 */
enum {
	GROUP_DB = 1,
	GROUP_JSON = 2,
	GROUP_NUL = 4,
	GROUP_THREADS = 8,
	GROUP_MODEL = 16,
	GROUP_RECIPE = 32,
	GROUP_FORMATS = 64,
	GROUP_TRANSFORM = 256, /* the part of GROUP_RECIPE that belongs to a model */
	GROUP_PARTIAL = 128,   /* reads an index, and of shards those that are there */
	GROUP_VECTORS = 512,   /* uses the vectors of one of two models, and no network */
};

/* First member of every command's struct. */
typedef struct common_args {
	uint32_t help, quiet, verbose; /* always */
	uint32_t json;                 /* GROUP_JSON */
	uint32_t nul;                  /* GROUP_NUL: records end with NUL, in and out */
	option_list db, roots;         /* GROUP_DB */
	const char *of_model;          /* GROUP_VECTORS */
	uint32_t mean, std;            /* GROUP_RECIPE, GROUP_TRANSFORM: 1 where the option is given */
	uint32_t video;                /* GROUP_FORMATS: formats +video */
	imgsearch_options
		open; /* GROUP_MODEL, GROUP_FORMATS, GROUP_THREADS, GROUP_RECIPE, GROUP_PARTIAL */
	imgsearch_recipe recipe; /* those; all zero: none is asked for */
} common_args;

struct context;

typedef struct command {
	const char *name;     /* "query", or two words: "root mv" */
	const char *operands; /* "IMG..." */
	const char *summary;  /* a line, no capital, no full stop */
	const char *text;     /* paragraphs; empty lines between; a tab begins an example */
	const option *options;
	unsigned groups;
	size_t args_size;
	int (*run)(struct context *c, void *args);
	unsigned min_operands, max_operands; /* max 0: none; CLI_MANY */
	const char *const *words;            /* what operands can be, for completion; NULL: files */
} command;

#define CLI_MANY 0xffffffffu

/* The i-th option of a command, its own first, then those of its groups; NULL past the end. */
const option *command_option(const command *c, size_t i);
/* How many of them are its own. */
size_t command_own_options(const command *c);

/*
 * The command of that name in a NULL-terminated table; NULL: none, with a message that names the
 * nearest.
 */
const command *command_find(const command *const *commands, const char *name);

/* Whether a command has two words, of which this is the first. */
bool command_is_below(const command *c, const char *word);

/* One sentence to stderr that points at the help of c (NULL: of all). Returns CLI_USAGE. */
int command_usage(const command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

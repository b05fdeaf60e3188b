/*
 * A command that runs: its command line, the index it works on, its progress bar. main.c makes one
 * and frees it.
 */
#ifndef IMGSEARCH_CLI_CONTEXT_H
#define IMGSEARCH_CLI_CONTEXT_H

#include "cli/base/condition.h"
#include "cli/context/filter_options.h"
#include "cli/context/progress.h"
#include "cli/option/command.h"

typedef struct context {
	const command *command;
	const command *const *commands; /* all commands; NULL-terminated */
	const common_args *common;
	char **operand;
	size_t n_operands;
	imgsearch_call call;     /* for the library: log, progress bar, cancelled by a signal */
	imgsearch_recipe recipe; /* of context_options */
	char formats[256];       /* of context_formats */
	imgsearch *s;            /* after context_open; NULL before */
	bool told_missing;       /* context_open said which shards cannot be reached */
	progress *progress;
	char *db;        /* after context_db */
	char *db_option; /* of context_db_option */
	char *shown;     /* of context_shown */
	char *cache;     /* the folder for states of an index on a server, or NULL */
	char **under;    /* of context_filter: the paths that the folder may have */
	size_t n_under;
	condition asked; /* of context_filter, as its text */
	char *condition;
	imgsearch_filter filter;
} context;

/* Sets c->progress and c->call by the command line. c stays where it is. */
void context_start(context *c);

/*
 * Closes the index and frees what the functions below made, but not the members that the caller
 * set.
 */
void context_close(context *c);

/*
 * The path of the index: --db, $IMGSEARCH_DB, or imgsearch/index.db in the XDG data folder.
 * Borrowed from c. NULL, with a message: there is no home folder.
 */
const char *context_db(context *c);
/* The same as it may be shown: an address without a password. */
const char *context_shown(context *c);

/*
 * What a command that is advised needs to work on the same index: " --db FILE", or "" where this
 * command line has none. Part of c.
 */
const char *context_db_option(context *c);

/* A list of formats (or NULL), with video where that is asked for. It may be part of c. */
const char *context_formats(context *c, const char *list, bool video);

/* The options of the command line for imgsearch_open. They may point into c. */
imgsearch_options context_options(context *c);
/* The folder for states of an index on a server. context_open and its like set it. */
void context_cache(context *c, const char *path, imgsearch_options *o);

/*
 * Whether the command line sets any of them, such as a model or threads. Then a running server,
 * which has its own options, cannot be used.
 */
bool context_has_open_options(const context *c);

/*
 * Opens the index into c->s. make: creates a missing index (and
 * the folder of the default one); otherwise the message says how. Returns CLI_DONE, or an exit code
 * with the reason printed.
 */
int context_open(context *c, bool make);
/* The same for another index, with these options. */
int context_open_at(context *c, const char *path, const imgsearch_options *o);
/* Warns of the shards that an open index lacks. */
void context_tell_missing(context *c, imgsearch *s);
/* Says why an existing index could not be opened, or that there is none. Returns the exit code. */
int context_open_error(context *c, const char *path, const imgsearch_error *err);
/* CLI_FAILED, said, for ":memory:": it would hold nothing before and keep nothing after. */
int context_refuse_memory(const char *path);
/* Else a mistyped or empty list of addresses would be that of a new index in a file. */
int context_refuse_missing_list(const char *path);

/*
 * *out: the items that the options allow, as part of c; NULL where they allow all. Returns
 * CLI_DONE, or an exit code with the reason printed.
 */
int context_filter(context *c, const filter_args *a, const imgsearch_filter **out);

/*
 * A progress callback whose user is a context: shows the bar. Returns 1 after a signal, which
 * cancels.
 */
int context_progress(void *user, const imgsearch_progress *now);

/*
 * Whether an error is one of the condition of context_filter: it cannot be read, or no picture has
 * the column. That is a fault of the command line.
 */
bool context_is_wrong_condition(const context *c, const imgsearch_error *err);

/* Prints an error of the library, with advice. Returns the exit code. */
int context_error(const context *c, const imgsearch_error *err);

/* Prints one sentence to stderr, unless -q. Removes the progress bar before. */
void context_print(const context *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

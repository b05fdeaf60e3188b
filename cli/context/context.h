/*
 * A command that runs: its command line, the index it works on, its progress bar. main.c makes one
 * and frees it.
 */
#ifndef IMGSEARCH_CLI_CONTEXT_H
#define IMGSEARCH_CLI_CONTEXT_H

#include "cli/context/progress.h"
#include "cli/option/command.h"

typedef struct context {
	const command *command;
	const command *const *commands; /* all commands; NULL-terminated */
	const common_args *common;
	char **operand;
	size_t n_operands;
	imgsearch *s;                   /* after context_open; NULL before */
	progress *progress;
	char *db;                       /* after context_db */
} context;

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

/* The options of the command line for imgsearch_open, with the progress bar and log as events. */
imgsearch_options context_options(context *c);

/*
 * Whether the command line sets any of them, such as a model or threads. Then a running server,
 * which has its own options, cannot be used.
 */
bool context_has_open_options(const context *c);

/*
 * Opens the index into c->s, and makes signals cancel its calls. make: creates a missing index (and
 * the folder of the default one); otherwise the message says how. Returns CLI_DONE, or an exit code
 * with the reason printed.
 */
int context_open(context *c, bool make);
/* The same for another index, with these options. */
int context_open_at(context *c, const char *path, const imgsearch_options *o);

/*
 * A progress callback whose user is a context: shows the bar. Returns 1 after a signal, which
 * cancels.
 */
int context_progress(void *user, const imgsearch_progress *now);

/* Prints one sentence to stderr, unless -q. Removes the progress bar before. */
void context_print(const context *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

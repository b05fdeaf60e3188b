/*
 * The command's own ground floor: what every cmd_*.c sees besides imgsearch.h.
 *
 * A command is one file with a table of options, a struct that they fill in, and a run function; and one line in
 * commands[] of main.c. Parsing, help, man page and completions come from the table (opt.c, help.c). run returns one
 * of the exit codes below; main.c turns it into the process's status, flushes stdout and notices a failed write.
 *
 *	typedef struct eval_args {
 *		common_args common;                     (always first)
 *		uint32_t k;
 *	} eval_args;
 *
 *	static const option options[] = {
 *		{ "k", 'k', OPT_UINT, offsetof(eval_args, k), "N",
 *			.help = "how many results count", .min = 1, .max = 10000, .def = "10" },
 *		OPT_END
 *	};
 *
 *	static int run(context *c, void *args) { ... }
 *
 *	const command cmd_eval = {
 *		.name = "eval", .operands = "", .summary = "measure how good the answers are", .text = "Measures ...",
 *		.options = options, .groups = GROUP_DB | GROUP_JSON, .args_size = sizeof(eval_args), .run = run
 *	};
 *
 * stdout carries results only: text, or JSON Lines through the json functions. Everything else goes to stderr through
 * context_note (silenced by -q), cli_warn and cli_fail, which write `imgsearch: ` before the sentence, and escape control
 * characters of hostile file names.
 */
#ifndef IMGSEARCH_CLI_H
#define IMGSEARCH_CLI_H

#include "imgsearch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	CLI_DONE = 0,
	CLI_NOTHING = 1,     /* query: nothing found */
	CLI_USAGE = 2,
	CLI_FAILED = 3,
	CLI_SOME_FAILED = 4, /* done, but some files failed */
	CLI_INTERRUPTED = 130
};

/* ----------------------------------------------------------------------------------------------- options ---- */

typedef enum option_kind {
	OPT_FLAG = 1, /* uint32_t: 1 */
	OPT_UINT,     /* uint32_t */
	OPT_U64,      /* uint64_t */
	OPT_FLOAT,    /* float */
	OPT_DOUBLE,   /* double */
	OPT_TEXT,     /* const char * */
	OPT_FILE,     /* const char *, completed as a file */
	OPT_DIR,      /* const char *, completed as a folder */
	OPT_CHOICE,   /* const char *: one of choices */
	OPT_ENUM,     /* uint32_t: number of the choice */
	OPT_LIST,     /* option_list: may be given several times */
	OPT_FILES,    /* option_list of files */
	OPT_RECT,     /* int32_t[4]: X,Y,W,H */
	OPT_RGB       /* float[3]: R,G,B */
} option_kind;

typedef struct option_list {
	const char **item;
	size_t n;
} option_list;

typedef struct option {
	const char *name;    /* --name */
	char letter;         /* -l, or 0 */
	option_kind kind;
	size_t offset;       /* of the value in the command's struct */
	const char *arg;     /* what the value is called in help; NULL for a flag */
	const char *help;    /* no capital, no full stop */
	double min, max;     /* numbers: bounds, when max > min */
	const char *def;     /* numbers: the default, as it would be typed; shown in help */
	const char *const *choices; /* NULL-terminated */
	size_t given;        /* offset of a uint32_t that becomes 1 when the option is given; 0: none */
} option;

#define OPT_END { .name = NULL }

/* First member of every command's struct; which of its options a command takes is said by its groups. */
typedef struct common_args {
	uint32_t help, quiet, verbose; /* always */
	uint32_t json;                 /* GROUP_JSON */
	uint32_t nul;                  /* GROUP_NUL: records end with NUL, in and out */
	const char *db;                /* GROUP_DB */
	uint32_t mean, std;            /* GROUP_RECIPE: were given */
	imgsearch_options open;        /* GROUP_MODEL: model weights device precision threads; GROUP_RECIPE: the rest */
} common_args;

enum { GROUP_DB = 1, GROUP_JSON = 2, GROUP_NUL = 4, GROUP_THREADS = 8, GROUP_MODEL = 16, GROUP_RECIPE = 32 };

typedef struct context context;

typedef struct command {
	const char *name;     /* "query", or two words: "root mv" */
	const char *operands; /* "IMG..." */
	const char *summary;  /* a line, no capital, no full stop */
	const char *text;     /* paragraphs between empty lines; lines that begin with a tab are examples */
	const option *options;
	unsigned groups;
	size_t args_size;
	int (*run)(context *c, void *args);
	unsigned min_operands, max_operands; /* max 0: none; CLI_MANY */
	const char *const *words;            /* operands are among these (for completion), NULL: files */
} command;

#define CLI_MANY 0xffffffffu

extern const command *const commands[]; /* NULL-terminated, main.c */

/* The command of that name; NULL (said, with the nearest name). */
const command *command_find(const char *name);

/* The i-th option of a command, its own first, then those of its groups; NULL past the end. */
const option *command_option(const command *c, size_t i);
/* How many of them are its own. */
size_t command_own_options(const command *c);

/*
 * Fills args (zeroed, c->args_size) from argv, and moves the operands to the front of argv. Returns CLI_DONE, or
 * CLI_USAGE with the reason printed.
 */
int command_parse(const command *c, int argc, char **argv, void *args, size_t *n_operands);
void command_free_args(const command *c, void *args);

/* The name nearest to a mistyped word among n (or NULL-terminated when n is 0); NULL when none is near. */
const char *nearest_word(const char *word, const char *const *names, size_t n);

/* Help of one command, of all; man page; completions ("bash", "zsh", "fish"; false: no such shell). */
void help_command(FILE *f, const command *c);
void help_all(FILE *f);
void help_man(FILE *f);
bool help_complete(FILE *f, const char *shell);

/* ---------------------------------------------------------------------------------------- running a command ---- */

typedef struct progress progress;

struct context {
	const command *command;
	const common_args *common;
	char **operand;
	size_t n_operands;
	imgsearch *s;       /* after context_open; main closes it */
	progress *progress;
	char *db;           /* after context_db */
};

/* Where the index is: --db, $IMGSEARCH_DB, the XDG data folder's imgsearch/index.db. NULL (said): no home to look in. */
const char *context_db(context *c);

/* The options of the command line for imgsearch_open, with the progress bar and log as events. */
imgsearch_options context_options(context *c);

/*
 * Opens the index into c->s, where SIGINT cancels it. make: an absent one is made (and the folder of the default one);
 * otherwise the message says how. Returns CLI_DONE or an exit code with the reason printed.
 */
int context_open(context *c, bool make);
int context_open_at(context *c, const char *path, const imgsearch_options *o); /* another index than the command line's */

/* What a signal cancels from now on, beside context_open's; NULL: nothing. */
void interrupt_set_target(imgsearch *s);
bool interrupt_pending(void);
void interrupt_clear(void); /* serve: the signal was the wanted end, not an interruption */

/* One sentence to stderr. cli_fail returns CLI_FAILED, command_usage CLI_USAGE (and points at the help). */
void context_note(const context *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int command_usage(const command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints what the library said; CLI_INTERRUPTED for ECANCELED, else CLI_FAILED. */
int cli_error(const imgsearch_error *err);

/* The one text of "out of memory". */
int cli_nomem(void);

/* An operand that names an input: "id:N" a stored picture, "-" the standard input (its bytes go to *bytes, once; free
   them after use), else a file. A status, said when it is not CLI_DONE: a bad id is CLI_USAGE. */
int input_parse(imgsearch_input *in, const context *c, const char *text, void **bytes);

/* Paths for a command that takes many: operands, "-" replaced by those on standard input (one a line, or NUL-ended). */
typedef struct path_list {
	const char **item;
	size_t n;
	char *text; /* what standard input held */
} path_list;

int path_list_read(context *c, path_list *out);
void path_list_free(path_list *p);

/* Absolute and without symbolic links, as far as the path exists; malloc'd, NULL: out of memory. */
char *path_absolute(const char *path);
/* Whether path is folder or lies below it. */
bool path_is_below(const char *path, const char *folder);

/* ------------------------------------------------------------------------------------------------ output ---- */

/* A name or title for people: on a terminal control characters and invalid UTF-8 are shown as \n, \x1b ...; a title's
   line breaks and tabs become spaces everywhere, so that a record stays one line. */
void record_path(const char *path);
void record_title(const char *title);
void record_end(const context *c); /* of a record: newline, or NUL with -0 */
void text_write_escaped(FILE *f, const char *text);
const char *state_name(uint32_t state); /* "indexed", "too big" ... */
extern const char *const state_names[]; /* in the order of imgsearch_state from 1; NULL-terminated */

/* One JSON object a line: json_begin, values, json_end. key is NULL inside an array. */
typedef struct json_writer {
	FILE *file;
	bool comma;
} json_writer;

void json_write_begin(json_writer *j, FILE *f); /* {"schema": 1 */
void json_write_end(json_writer *j);            /* } and a newline */
void json_write_open(json_writer *j, const char *key, char bracket); /* '[' or '{' */
void json_write_close(json_writer *j, char bracket);
void json_write_text(json_writer *j, const char *key, const char *value); /* NULL: null */
void json_write_path(json_writer *j, const char *key, const char *path);  /* and KEY_b64 where it is not UTF-8 */
void json_write_int(json_writer *j, const char *key, int64_t value);
void json_write_real(json_writer *j, const char *key, double value);      /* shortest text that reads back; NaN and infinities: null */
void json_write_seconds(json_writer *j, const char *key, double value);   /* to the microsecond */
void json_write_float(json_writer *j, const char *key, float value);
void json_write_bool(json_writer *j, const char *key, bool value);
void json_write_columns(json_writer *j, const imgsearch_column *columns, size_t n); /* "columns": {...}, nothing for n 0 */

/* ---------------------------------------------------------------------------------------------- progress ---- */

/* A bar when stderr is a terminal (not TERM=dumb, not -q), else a plain line every half minute. */
progress *progress_new(bool quiet);
void progress_free(progress *p);
void progress_show(progress *p, const imgsearch_progress *now);
void progress_clear(progress *p); /* takes the bar away before a message */

/* ------------------------------------------------------------------------------------------- array files ---- */

typedef enum array_type { ARRAY_F32 = 1, ARRAY_F16, ARRAY_I64 } array_type;

/* A .npy (f32, f16, i64, C order, 1 or 2 dimensions) or .fvecs file, mapped. */
typedef struct array {
	array_type type;
	size_t n, dim;         /* dim is 1 for one dimension */
	size_t ndim;
	const uint8_t *data;   /* row i begins at data + i * stride */
	size_t stride;
	void *map;
	size_t map_size;
} array;

bool array_open(array *a, const char *path); /* false: said why */
void array_close(array *a);
/* Rows first..first+n as f32 (n, dim); i64 is refused by array_open_f32 before. */
void array_rows(const array *a, size_t first, size_t n, float *out);
int64_t array_id(const array *a, size_t i); /* ARRAY_I64 */

/* Parses the bytes of a file; what is wrong goes to why. For array_open and its fuzz target. */
bool array_parse(array *a, const void *bytes, size_t size, bool fvecs, char *why, size_t why_size);

/* Writes rows one block after another; the number of rows is put into the header at the end. */
typedef struct array_writer {
	FILE *file;
	const char *path;
	array_type type;
	size_t n, dim, ndim;
	bool fvecs;
} array_writer;

bool array_create(array_writer *w, const char *path, array_type type, size_t dim, size_t ndim); /* false: said why */
bool array_write(array_writer *w, const void *rows, size_t n); /* f32 rows for F32 and F16, int64 for I64 */
bool array_finish(array_writer *w, bool keep); /* keep false: removes the unfinished file */

#endif

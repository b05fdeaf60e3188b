/*
 * An option of a command: a row of a table. Parsing, help, man page and completions come from the
 * tables.
 *
 *	static const option options[] = {
 *		{ "k", 'k', OPT_UINT, offsetof(eval_args, k), "N",
 *			.help = "how many results count", .min = 1, .max = 10000, .def = "10" },
 *		OPT_END
 *	};
 */
#ifndef IMGSEARCH_CLI_OPTION_H
#define IMGSEARCH_CLI_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum option_kind {
	OPT_FLAG = 1, /* uint32_t: 1 */
	OPT_UINT,     /* uint32_t */
	OPT_U64,      /* uint64_t */
	OPT_BYTES,    /* uint64_t: with K, M, G or T for powers of 1024 */
	OPT_FLOAT,    /* float */
	OPT_DOUBLE,   /* double */
	OPT_TEXT,     /* const char * */
	OPT_FILE,     /* const char *, completed as a file */
	OPT_DIR,      /* const char *, completed as a folder */
	OPT_CHOICE,   /* const char *: one of choices; for a hyphen a blank may be given */
	OPT_ENUM,     /* uint32_t: number of the choice */
	OPT_LIST,     /* option_list: may be given several times */
	OPT_FILES,    /* option_list of files */
	OPT_RECT,     /* int32_t[4]: X,Y,W,H */
	OPT_RGB,      /* float[3]: R,G,B */
	/* option_inputs, the same one for all three, in which operands are, too */
	OPT_INPUT_TEXT,  /* a text among them */
	OPT_INPUT_NOT,   /* the next one, or its value, is to be moved away from */
	OPT_INPUT_WEIGHT /* how much the next one counts */
} option_kind;

typedef struct option_list {
	const char **item;
	size_t n;
} option_list;

/* What a command line asks for: an operand, or a text. */
typedef struct option_input {
	const char *value;
	bool is_text, minus;
	float weight; /* 0: not given */
} option_input;

typedef struct option_inputs {
	option_input *item; /* in the order of the command line */
	size_t n;
	option_input next; /* what was said of the next one; value NULL */
} option_inputs;

typedef struct option {
	const char *name; /* --name */
	char letter;      /* -l, or 0; no other option of the command has it */
	option_kind kind;
	size_t offset;              /* of the value in the command's struct */
	const char *arg;            /* what the value is called in help; NULL for a flag */
	const char *help;           /* no capital, no full stop */
	double min, max;            /* numbers: bounds, both allowed; none where max is not above min */
	const char *def;            /* numbers: the default, as it would be typed; shown in help */
	const char *shown;          /* instead of def: the library's default, shown and not set */
	const char *const *choices; /* NULL-terminated */
	size_t given; /* offset of a uint32_t that becomes 1 when the option is given; 0: none */
} option;

/* The number that a macro stands for, as text: .def = OPTION_TEXT(IMGSEARCH_K_DEFAULT). */
#define OPTION_TEXT(macro) OPTION_TEXT_OF(macro)
#define OPTION_TEXT_OF(number) #number

#define OPT_END \
	{ \
		.name = NULL \
	}

/*
 * Reads a value into args; text is NULL for a flag. Texts are borrowed. Returns 0, EINVAL (an
 * invalid value; an empty text is one) or ENOMEM.
 */
int option_set(const option *o, const char *text, void *args);

/* Appends an input, with what was said of the next one. 0, EINVAL (it is empty) or ENOMEM. */
int option_input_add(option_inputs *inputs, const char *value, bool is_text);

/* Whether its value names a file or a folder. */
bool option_is_path(const option *o);
/* Whether it may be given several times. */
bool option_repeats(const option *o);

#endif

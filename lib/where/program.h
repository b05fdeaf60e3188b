/* What a condition is compiled to, within the room: steps that work on a stack of answers. */
#ifndef IMS_WHERE_PROGRAM_H
#define IMS_WHERE_PROGRAM_H

#include "base/date.h"
#include "base/list_text.h"
#include "where/where.h"

/* How the values of a column are compared. */
typedef enum where_type {
	WHERE_ANY, /* as what the literal is */
	WHERE_TEXT,
	WHERE_NUMBER,
	WHERE_DATE,
	WHERE_LIST /* of texts, separated by semicolons */
} where_type;

typedef enum where_operator {
	WHERE_EQUAL,
	WHERE_LESS,
	WHERE_LESS_OR_EQUAL,
	WHERE_GREATER,
	WHERE_GREATER_OR_EQUAL,
	WHERE_CONTAINS
} where_operator;

typedef enum where_step_kind {
	STEP_COMPARE,
	STEP_HAS,
	STEP_NEAR,
	STEP_AND,
	STEP_OR,
	STEP_NOT
} where_step_kind;

typedef struct where_step {
	where_step_kind kind;
	where_operator operator;
	where_type type; /* of the comparison; never WHERE_ANY */
	int column;      /* COMPARE, HAS */
	char *text;      /* COMPARE: the literal, owned */
	double number;   /* COMPARE */
	char date[DATE_SIZE];
	int latitude, longitude; /* NEAR: columns */
	double place[3];         /* NEAR: latitude, longitude, kilometres */
} where_step;

/* The depth of parentheses and negations; each holds at most three answers on the stack. */
enum { WHERE_DEPTH = 100, WHERE_STACK = 3 * WHERE_DEPTH + 8 };

struct where {
	where_step *step;
	size_t n, cap;
	char **column; /* owned */
	size_t n_columns, cap_columns;
};

#endif

/*
 * From text to steps, by recursive descent. An operand leaves its answer on the stack, and the
 * operators take theirs from it.
 *
 *	condition:  all { "or" all }
 *	all:        one { "and" one }
 *	one:        "not" one | "(" condition ")" | "has" "(" column ")"
 *	            | "near" "(" number "," number "," number ")" | column operator value
 */
#include "base/utf8.h"
#include "where/program.h"

#include <string.h>

enum { MAX_TEXT = 1 << 16 };

typedef struct parser {
	where *w;
	const char *text, *at;
	int depth;
	imgsearch_error *err;
} parser;

/* EINVAL, with the place and what stands there. */
static int fault(const parser *p, const char *what)
{
	enum { SHOWN = 20 };
	size_t n = strnlen(p->at, SHOWN);
	while (n && ((unsigned char)p->at[n] & 0xc0) == 0x80)
		n--;
	if (!n)
		return ims_fail(p->err, IMGSEARCH_EINVAL, "condition: at its end: %s", what);
	return ims_fail(p->err, IMGSEARCH_EINVAL, "condition: at byte %zu, \"%.*s\": %s",
		(size_t)(p->at - p->text) + 1, (int)n, p->at, what);
}

static void skip_blanks(parser *p)
{
	p->at += strspn(p->at, " \t\r\n");
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
		|| c == '.' || (unsigned char)c >= 0x80;
}

static size_t word_size(const char *at)
{
	size_t n = 0;
	while (is_word(at[n]))
		n++;
	return n;
}

/* Whether a word stands here; then the text moves behind it. */
static bool take_word(parser *p, const char *word)
{
	skip_blanks(p);
	size_t n = strlen(word);
	bool here = word_size(p->at) == n && ims_same_letters(p->at, word, n);
	p->at += here ? n : 0;
	return here;
}

static bool take_sign(parser *p, const char *sign)
{
	skip_blanks(p);
	size_t n = strlen(sign);
	bool here = !strncmp(p->at, sign, n);
	p->at += here ? n : 0;
	return here;
}

/* Text in quotes, in which a quote is written twice; ims_free. */
static int take_quoted(parser *p, char **out)
{
	buf text = { 0 };
	const char quote = *p->at, *at = p->at + 1;
	for (; *at && (*at != quote || at[1] == quote); at++) {
		ims_buf_put(&text, at, 1);
		at += *at == quote;
	}
	if (!*at) {
		ims_buf_free(&text);
		return fault(p, "the quote is not closed");
	}
	p->at = at + 1;
	ims_buf_u8(&text, 0);
	*out = text.failed ? NULL : (char *)text.data;
	if (!*out) {
		ims_buf_free(&text);
		return ims_nomem(p->err);
	}
	char *composed;
	int rc = ims_spelling_compose(*out, &composed);
	if (composed) {
		ims_free(*out);
		*out = composed;
	}
	return rc ? ims_nomem(p->err) : 0;
}

static bool at_quote(const parser *p)
{
	return *p->at == '\'' || *p->at == '"';
}

/* --------------------------------------------------------------------------------- columns ---- */

static where_type type_of(const char *name)
{
	static const char *const numbers[] = { "latitude", "longitude", "rating", "width", "height" };
	text_span s = ims_span(name);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!ims_fold_compare(s, ims_span(numbers[i])))
			return WHERE_NUMBER;
	switch (ims_fact_find(name)) {
	case -1:
		return WHERE_ANY;
	case FACT_DATE:
		return WHERE_DATE;
	case FACT_KEYWORDS:
		return WHERE_LIST;
	default:
		return WHERE_TEXT;
	}
}

/* The number of a column, which is added where it is new. Becomes the owner of name. */
static int add_column(parser *p, char *name, int *column)
{
	where *w = p->w;
	*column = ims_where_find(w, name);
	if (*column >= 0) {
		ims_free(name);
		return 0;
	}
	char **grown = ims_grow(w->column, w->n_columns, &w->cap_columns, sizeof *grown);
	if (!grown) {
		ims_free(name);
		return ims_nomem(p->err);
	}
	w->column = grown;
	*column = (int)w->n_columns;
	w->column[w->n_columns++] = name;
	return 0;
}

static int take_column(parser *p, int *column)
{
	char *name = NULL;
	skip_blanks(p);
	size_t n = word_size(p->at);
	if (!at_quote(p) && (!n || (*p->at >= '0' && *p->at <= '9') || *p->at == '.'))
		return fault(p, "a column is missing");
	int rc = at_quote(p) ? take_quoted(p, &name) : 0;
	if (!rc && !name) {
		name = ims_strndup(p->at, n);
		p->at += n;
	}
	if (rc || !name)
		return rc ? rc : ims_nomem(p->err);
	return add_column(p, name, column);
}

/* ----------------------------------------------------------------------------------- steps ---- */

static where_step *add_step(parser *p, where_step_kind kind)
{
	where *w = p->w;
	where_step *grown = ims_grow(w->step, w->n, &w->cap, sizeof *grown);
	if (!grown) {
		ims_nomem(p->err);
		return NULL;
	}
	w->step = grown;
	w->step[w->n] = (where_step){ .kind = kind };
	return &w->step[w->n++];
}

static int add_plain(parser *p, where_step_kind kind)
{
	return add_step(p, kind) ? 0 : IMGSEARCH_ENOMEM;
}

/* "!=" is the negation of "=". */
static int take_operator(parser *p, where_operator *op, bool *negated)
{
	static const struct {
		const char *sign;
		where_operator op;
		bool negated;
	} signs[] = {
		{ "==", WHERE_EQUAL, false },
		{ "=", WHERE_EQUAL, false },
		{ "!=", WHERE_EQUAL, true },
		{ "<>", WHERE_EQUAL, true },
		{ "<=", WHERE_LESS_OR_EQUAL, false },
		{ "<", WHERE_LESS, false },
		{ ">=", WHERE_GREATER_OR_EQUAL, false },
		{ ">", WHERE_GREATER, false },
		{ "~", WHERE_CONTAINS, false },
	};
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (take_sign(p, signs[i].sign)) {
			*op = signs[i].op;
			*negated = signs[i].negated;
			return 0;
		}
	return fault(p, "an operator is missing: = != < <= > >= ~");
}

/* A number or a date without quotes. */
static int take_bare(parser *p, char **out)
{
	size_t n = strspn(p->at, "0123456789.:+-TZeE");
	if (!n || word_size(p->at) > n)
		return fault(p, "a value is a number, a date, or text in quotes");
	*out = ims_strndup(p->at, n);
	p->at += *out ? n : 0;
	return *out ? 0 : ims_nomem(p->err);
}

/* Whether something that may be a zone stands behind the hours of a date. */
static bool has_zone(const char *text)
{
	const char *hours = strpbrk(text + strspn(text, " "), "T ");
	return hours && strpbrk(hours, "Zz+-");
}

/* How a value is compared with a column; false: it cannot be. */
static bool settle_type(where_step *s, where_type type, bool quoted)
{
	char zone[ZONE_SIZE];
	bool number = ims_parse_number(s->text, &s->number);
	bool date = ims_date_parse(s->text, s->date, zone);
	bool contains = s->operator== WHERE_CONTAINS;
	s->type = type;
	if (type == WHERE_ANY)
		s->type = quoted || contains ? WHERE_TEXT : number ? WHERE_NUMBER : WHERE_DATE;
	switch (s->type) {
	case WHERE_NUMBER:
		return number && !contains;
	case WHERE_DATE:
		return date && !contains && !has_zone(s->text);
	case WHERE_LIST:
		return s->operator== WHERE_EQUAL || contains;
	default:
		return true;
	}
}

static int wrong_date(const parser *p, const where_step *s)
{
	const char *name = p->w->column[s->column];
	if (has_zone(s->text))
		return ims_fail(p->err, IMGSEARCH_EINVAL,
			"condition: %s: \"%.60s\" has a zone, and wall clocks are compared", name, s->text);
	return ims_fail(p->err, IMGSEARCH_EINVAL,
		"condition: %s: \"%.60s\" is not a date (YYYY, YYYY-MM, YYYY-MM-DD[Thh:mm[:ss]])", name,
		s->text);
}

static int wrong_value(const parser *p, const where_step *s)
{
	const char *name = p->w->column[s->column];
	if (s->type == WHERE_LIST)
		return ims_fail(p->err, IMGSEARCH_EINVAL,
			"condition: %s is a list: = != and ~ are its operators", name);
	if (s->operator== WHERE_CONTAINS)
		return ims_fail(p->err, IMGSEARCH_EINVAL, "condition: %s: ~ compares texts alone", name);
	if (s->type == WHERE_DATE)
		return wrong_date(p, s);
	return ims_fail(p->err, IMGSEARCH_EINVAL, "condition: %s: \"%.60s\" is no number", name,
		s->text);
}

static int take_comparison(parser *p)
{
	where_step s = { .kind = STEP_COMPARE };
	bool negated = false, quoted = false;
	int rc = take_column(p, &s.column);
	if (!rc)
		rc = take_operator(p, &s.operator, & negated);
	skip_blanks(p);
	if (!rc) {
		quoted = at_quote(p);
		rc = quoted ? take_quoted(p, &s.text) : take_bare(p, &s.text);
	}
	if (!rc && !settle_type(&s, type_of(p->w->column[s.column]), quoted))
		rc = wrong_value(p, &s);
	where_step *to = rc ? NULL : add_step(p, STEP_COMPARE);
	if (!to) {
		ims_free(s.text);
		return rc ? rc : IMGSEARCH_ENOMEM;
	}
	*to = s;
	return negated ? add_plain(p, STEP_NOT) : 0;
}

static int take_has(parser *p)
{
	int column;
	if (!take_sign(p, "("))
		return fault(p, "\"(\" is missing");
	int rc = take_column(p, &column);
	if (!rc && !take_sign(p, ")"))
		rc = fault(p, "\")\" is missing");
	where_step *to = rc ? NULL : add_step(p, STEP_HAS);
	if (to)
		to->column = column;
	return rc || to ? rc : IMGSEARCH_ENOMEM;
}

static int take_number(parser *p, double *out)
{
	char text[64];
	skip_blanks(p);
	size_t n = strspn(p->at, "0123456789.+-eE");
	if (!n || n >= sizeof text)
		return fault(p, "a number is missing");
	memcpy(text, p->at, n);
	text[n] = 0;
	if (!ims_parse_number(text, out))
		return fault(p, "this is no number");
	p->at += n;
	return 0;
}

static int named_column(parser *p, const char *name, int *column)
{
	char *copy = ims_strdup(name);
	return copy ? add_column(p, copy, column) : ims_nomem(p->err);
}

/* EINVAL: no place on earth, or a negative distance. */
static int check_near(const parser *p, const double place[3])
{
	bool on_earth = place[0] >= -90 && place[0] <= 90 && place[1] >= -180 && place[1] <= 180;
	if (on_earth && place[2] >= 0)
		return 0;
	return ims_fail(p->err, IMGSEARCH_EINVAL, "condition: near(%g, %g, %g) is no place: %s",
		place[0], place[1], place[2],
		on_earth ? "the distance is negative" : "latitude -90 to 90, longitude -180 to 180");
}

static int take_near(parser *p)
{
	where_step s = { .kind = STEP_NEAR };
	int rc = 0;
	for (int i = 0; !rc && i < 3; i++)
		rc = take_sign(p, i ? "," : "(")
			? take_number(p, &s.place[i])
			: fault(p, "near(LATITUDE, LONGITUDE, KILOMETRES) is cut off");
	if (!rc && !take_sign(p, ")"))
		rc = fault(p, "\")\" is missing");
	if (!rc)
		rc = check_near(p, s.place);
	if (!rc)
		rc = named_column(p, ims_fact_names[FACT_LATITUDE], &s.latitude);
	if (!rc)
		rc = named_column(p, ims_fact_names[FACT_LONGITUDE], &s.longitude);
	where_step *to = rc ? NULL : add_step(p, STEP_NEAR);
	if (to)
		*to = s;
	return rc || to ? rc : IMGSEARCH_ENOMEM;
}

/* Whether a word and an opening parenthesis stand here: a function, and no column of that name. */
static bool take_function(parser *p, const char *name)
{
	const char *before = p->at;
	if (take_word(p, name)) {
		skip_blanks(p);
		if (*p->at == '(')
			return true;
	}
	p->at = before;
	return false;
}

static int take_condition(parser *p);

static int take_one(parser *p)
{
	if (p->depth == WHERE_DEPTH)
		return fault(p, "it is nested too deep");
	if (take_function(p, "has"))
		return take_has(p);
	if (take_function(p, "near"))
		return take_near(p);
	int rc;
	p->depth++;
	if (take_word(p, "not")) {
		rc = take_one(p);
		if (!rc)
			rc = add_plain(p, STEP_NOT);
	} else if (take_sign(p, "(")) {
		rc = take_condition(p);
		if (!rc && !take_sign(p, ")"))
			rc = fault(p, "\")\" is missing");
	} else {
		rc = take_comparison(p);
	}
	p->depth--;
	return rc;
}

static int take_all(parser *p)
{
	int rc = take_one(p);
	while (!rc && take_word(p, "and")) {
		rc = take_one(p);
		if (!rc)
			rc = add_plain(p, STEP_AND);
	}
	return rc;
}

static int take_condition(parser *p)
{
	int rc = take_all(p);
	while (!rc && take_word(p, "or")) {
		rc = take_all(p);
		if (!rc)
			rc = add_plain(p, STEP_OR);
	}
	return rc;
}

int ims_where_parse(where **out, const char *text, imgsearch_error *err)
{
	*out = NULL;
	if (strlen(text) > MAX_TEXT)
		return ims_fail(err, IMGSEARCH_EINVAL, "condition: it is longer than %d bytes", MAX_TEXT);
	if (!ims_utf8_is_valid(text))
		return ims_fail(err, IMGSEARCH_EINVAL, "condition: it is not UTF-8");
	parser p = { .w = ims_zalloc(1, sizeof *p.w), .text = text, .at = text, .err = err };
	int rc = p.w ? take_condition(&p) : ims_nomem(err);
	skip_blanks(&p);
	if (!rc && *p.at)
		rc = fault(&p, "\"and\", \"or\" or the end is missing");
	if (rc) {
		ims_where_free(p.w);
		return rc;
	}
	*out = p.w;
	return 0;
}

void ims_where_free(where *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n; i++)
		ims_free(w->step[i].text);
	for (size_t i = 0; i < w->n_columns; i++)
		ims_free(w->column[i]);
	ims_free(w->step);
	ims_free(w->column);
	ims_free(w);
}

size_t ims_where_columns(const where *w)
{
	return w->n_columns;
}

const char *ims_where_column(const where *w, size_t i)
{
	return w->column[i];
}

int ims_where_find(const where *w, const char *name)
{
	for (size_t i = 0; i < w->n_columns; i++)
		if (!ims_fold_compare(ims_span(w->column[i]), ims_span(name)))
			return (int)i;
	return -1;
}

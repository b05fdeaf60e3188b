/* Tests a condition: each step leaves an answer on the stack. */
#include "where/program.h"

#include <math.h>
#include <string.h>

typedef enum answer { NO, YES, UNKNOWN } answer;

static answer to_answer(bool yes)
{
	return yes ? YES : NO;
}

/* Whether a value that is before (-1), equal to (0) or behind (1) the literal fits. */
static bool fits(where_operator op, int order)
{
	switch (op) {
	case WHERE_LESS:
		return order < 0;
	case WHERE_LESS_OR_EQUAL:
		return order <= 0;
	case WHERE_GREATER:
		return order > 0;
	case WHERE_GREATER_OR_EQUAL:
		return order >= 0;
	default:
		return order == 0;
	}
}

/*
 * A value that lies in what a partial date of the condition means is equal to it. A partial value
 * counts as its beginning.
 */
static answer compare_date(const where_step *s, const char *value)
{
	char date[DATE_SIZE], zone[ZONE_SIZE];
	if (!ims_date_parse(value, date, zone))
		return UNKNOWN;
	ims_date_complete(date);
	return to_answer(fits(s->operator, strncmp(date, s->date, strlen(s->date))));
}

static answer compare_number(const where_step *s, const char *value)
{
	double v;
	if (!ims_parse_number(value, &v))
		return UNKNOWN;
	return to_answer(fits(s->operator,(v > s->number) - (v < s->number)));
}

static answer compare_text(const where_step *s, text_span value)
{
	text_span wanted = ims_span(s->text);
	if (s->operator== WHERE_CONTAINS)
		return to_answer(ims_fold_contains(value, wanted));
	return to_answer(fits(s->operator, ims_fold_compare(value, wanted)));
}

/*
 * Whether one of the texts of a list fits. Commas separate them where there is no semicolon; then
 * the whole may be one as well.
 */
static answer compare_list(const where_step *s, const char *value)
{
	char separator = ims_list_separator(value), space[4096];
	list_text text;
	if (separator == ',' && s->operator!= WHERE_CONTAINS && compare_text(s, ims_span(value)) == YES)
		return YES;
	for (const char *at = value; ims_list_next(&at, separator, &text);)
		if (compare_text(s, ims_list_plain(&text, space, sizeof space)) == YES)
			return YES;
	return NO;
}

static answer compare(const where_step *s, const char *value)
{
	if (!value || !*value)
		return UNKNOWN;
	switch (s->type) {
	case WHERE_DATE:
		return compare_date(s, value);
	case WHERE_NUMBER:
		return compare_number(s, value);
	case WHERE_LIST:
		return compare_list(s, value);
	default:
		return compare_text(s, ims_span(value));
	}
}

/* Kilometres along a great circle. */
static double distance(double latitude, double longitude, const double place[3])
{
	const double radius = 6371.0088, degree = 3.14159265358979323846 / 180;
	double a = latitude * degree, b = place[0] * degree;
	double up = sin((b - a) / 2), along = sin((place[1] - longitude) * degree / 2);
	double h = up * up + cos(a) * cos(b) * along * along;
	return 2 * radius * asin(h < 1 ? sqrt(h) : 1);
}

static answer near(const where_step *s, const char *latitude, const char *longitude)
{
	double a, b;
	if (!latitude || !longitude || !ims_parse_number(latitude, &a)
		|| !ims_parse_number(longitude, &b))
		return UNKNOWN;
	return to_answer(distance(a, b, s->place) <= s->place[2]);
}

/* Kleene's logic. */
static answer both(answer a, answer b)
{
	return a == NO || b == NO ? NO : a == YES && b == YES ? YES : UNKNOWN;
}

static answer either(answer a, answer b)
{
	return a == YES || b == YES ? YES : a == NO && b == NO ? NO : UNKNOWN;
}

bool ims_where_test(const where *w, const char *const *values)
{
	answer stack[WHERE_STACK];
	size_t n = 0;
	for (size_t i = 0; i < w->n; i++) {
		const where_step *s = &w->step[i];
		switch (s->kind) {
		case STEP_COMPARE:
			stack[n++] = compare(s, values[s->column]);
			break;
		case STEP_HAS:
			stack[n++] = to_answer(values[s->column] && *values[s->column]);
			break;
		case STEP_NEAR:
			stack[n++] = near(s, values[s->latitude], values[s->longitude]);
			break;
		case STEP_NOT:
			stack[n - 1] = stack[n - 1] == UNKNOWN ? UNKNOWN : to_answer(stack[n - 1] == NO);
			break;
		case STEP_AND:
			n--;
			stack[n - 1] = both(stack[n - 1], stack[n]);
			break;
		case STEP_OR:
			n--;
			stack[n - 1] = either(stack[n - 1], stack[n]);
			break;
		}
	}
	return stack[0] == YES;
}

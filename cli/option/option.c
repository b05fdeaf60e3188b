/* Values of options: text to numbers, choices, lists. */
#include "cli/option/option.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool parse_real(const option *o, const char *text, double *out)
{
	char *end;
	*out = strtod(text, &end);
	return end != text && !*end && isfinite(*out)
		&& !(o->max > o->min && (*out < o->min || *out > o->max));
}

static bool parse_whole(const option *o, const char *text, uint64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 10);
	/* strtoull takes white space and signs, also a minus */
	if (text[strcspn(text, "-+ \t")] || end == text || *end || errno)
		return false;
	if (o->kind == OPT_UINT && *out > UINT32_MAX)
		return false;
	return !(o->max > o->min) || ((double)*out >= o->min && (double)*out <= o->max);
}

/* A whole number of bytes, or one with a unit: 500M, 2GB, 1GiB. */
static bool parse_bytes(const option *o, const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	char number[32];
	size_t n = strspn(text, "0123456789");
	if (!n || n >= sizeof number)
		return false;
	memcpy(number, text, n);
	number[n] = 0;
	const char *unit = text[n] ? strchr(units, text[n] & ~0x20) : NULL, *rest = text + n + !!unit;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	if (*rest && strcmp(rest, "B") && strcmp(rest, "iB"))
		return false;
	const option plain = { .kind = OPT_U64 };
	if (!parse_whole(&plain, number, out) || *out > UINT64_MAX >> shift)
		return false;
	*out <<= shift;
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

/* Whether both are the same words, joined by hyphens or with blanks between them. */
static bool is_same_choice(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("- ", *a) && strchr("- ", *b)))
			return false;
	return *a == *b;
}

static bool parse_choice(const option *o, const char *text, void *at)
{
	for (uint32_t i = 0; o->choices[i]; i++)
		if (is_same_choice(o->choices[i], text)) {
			if (o->kind == OPT_ENUM)
				*(uint32_t *)at = i;
			else
				*(const char **)at = o->choices[i];
			return true;
		}
	return false;
}

static int list_add(option_list *list, const char *text)
{
	const char **item = realloc(list->item, (list->n + 1) * sizeof *item);
	if (!item)
		return ENOMEM;
	list->item = item;
	item[list->n++] = text;
	return 0;
}

/* A value other than that of a list. False: invalid. */
static bool set_single(const option *o, const char *text, void *at)
{
	double real;
	uint64_t whole;
	switch (o->kind) {
	case OPT_FLAG:
		*(uint32_t *)at = 1;
		return true;
	case OPT_UINT:
	case OPT_U64:
		if (!parse_whole(o, text, &whole))
			return false;
		if (o->kind == OPT_UINT)
			*(uint32_t *)at = (uint32_t)whole;
		else
			*(uint64_t *)at = whole;
		return true;
	case OPT_BYTES:
		return parse_bytes(o, text, at);
	case OPT_FLOAT:
	case OPT_DOUBLE:
		if (!parse_real(o, text, &real))
			return false;
		if (o->kind == OPT_FLOAT)
			*(float *)at = (float)real;
		else
			*(double *)at = real;
		return true;
	case OPT_TEXT:
	case OPT_FILE:
	case OPT_DIR:
		*(const char **)at = text;
		return *text != 0;
	case OPT_CHOICE:
	case OPT_ENUM:
		return parse_choice(o, text, at);
	case OPT_RECT:
		return parse_rect(o, text, at);
	case OPT_RGB:
		return parse_rgb(o, text, at);
	default:
		return false;
	}
}

int option_input_add(option_inputs *inputs, const char *value, bool is_text)
{
	option_input *item = realloc(inputs->item, (inputs->n + 1) * sizeof *item);
	if (!item)
		return ENOMEM;
	inputs->item = item;
	item[inputs->n] = inputs->next;
	item[inputs->n].value = value;
	item[inputs->n++].is_text = is_text;
	inputs->next = (option_input){ 0 };
	return *value ? 0 : EINVAL;
}

static int set_input(const option *o, const char *text, option_inputs *inputs)
{
	double weight;
	switch (o->kind) {
	case OPT_INPUT_NOT:
		inputs->next.minus = true;
		return text ? option_input_add(inputs, text, false) : 0;
	case OPT_INPUT_WEIGHT:
		if (!parse_real(o, text, &weight))
			return EINVAL;
		inputs->next.weight = (float)weight;
		return 0;
	default:
		return option_input_add(inputs, text, true);
	}
}

int option_set(const option *o, const char *text, void *args)
{
	void *at = (char *)args + o->offset;
	if (o->kind >= OPT_INPUT_TEXT)
		return set_input(o, text, at);
	if (!option_repeats(o))
		return set_single(o, text, at) ? 0 : EINVAL;
	return *text ? list_add(at, text) : EINVAL;
}

bool option_is_path(const option *o)
{
	return o->kind == OPT_FILE || o->kind == OPT_FILES || o->kind == OPT_DIR;
}

bool option_repeats(const option *o)
{
	return o->kind == OPT_LIST || o->kind == OPT_FILES || o->kind >= OPT_INPUT_TEXT;
}

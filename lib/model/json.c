/*
 * Parses by recursive descent and builds no tree. Numbers are converted here, since strtod depends
 * on the locale.
 */
#include "model/json.h"

#include "base/c_locale.h"
#include "base/utf8.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MAX_DEPTH = 16 };

json ims_json(const void *text, size_t n)
{
	return (json){ text, (const char *)text + n, NULL };
}

static bool wrong(json *j, const char *why)
{
	if (!j->why)
		j->why = why;
	j->at = j->end;
	return false;
}

char ims_json_peek(json *j)
{
	while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
		j->at++;
	return j->at < j->end ? *j->at : 0;
}

bool ims_json_begin(json *j, char open)
{
	if (ims_json_peek(j) != open)
		return wrong(j, open == '{' ? "an object was expected" : "an array was expected");
	j->at++;
	return true;
}

bool ims_json_more(json *j, char close, size_t i)
{
	char c = ims_json_peek(j);
	if (j->why)
		return false;
	if (c == close) {
		j->at++;
		return false;
	}
	if (i == 0)
		return c ? true : wrong(j, "it ends too early");
	if (c != ',')
		return wrong(j, c ? "a comma is missing" : "it ends too early");
	j->at++;
	return true;
}

static int hex4(json *j)
{
	int v = 0;
	for (int i = 0; i < 4; i++, j->at++) {
		int digit = j->at < j->end ? ims_hex_digit(*j->at) : -1;
		if (digit < 0)
			return -1;
		v = v * 16 + digit;
	}
	return v;
}

/* The code point after "\u", with its low surrogate; -1: not allowed in text. */
static int32_t escaped_point(json *j)
{
	int high = hex4(j);
	if (high < 0xd800 || high > 0xdfff)
		return high;
	if (high > 0xdbff || j->end - j->at < 2 || j->at[0] != '\\' || j->at[1] != 'u')
		return -1;
	j->at += 2;
	int low = hex4(j);
	return low < 0xdc00 || low > 0xdfff ? -1 : 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* Reads one character of a string, escapes resolved; returns its bytes, 0 on failure. */
static size_t character(json *j, char out[4])
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	char c = *j->at++;
	if ((unsigned char)c < 0x20)
		return 0;
	if (c != '\\')
		return out[0] = c, 1;
	if (j->at == j->end)
		return 0;
	c = *j->at++;
	const char *name = c ? strchr(names, c) : NULL;
	if (name)
		return out[0] = values[name - names], 1;
	int32_t point = c == 'u' ? escaped_point(j) : -1;
	return point > 0 ? ims_utf8_write((uint32_t)point, out) : 0;
}

bool ims_json_string(json *j, char *out, size_t size)
{
	size_t len = 0;
	if (ims_json_peek(j) != '"')
		return wrong(j, "a string was expected");
	for (j->at++; j->at < j->end && *j->at != '"';) {
		char bytes[4];
		size_t n = character(j, bytes);
		if (!n)
			return wrong(j, "a string has a byte or an escape that it may not have");
		if (out && len + n >= size)
			return wrong(j, "a string is too long");
		if (out)
			memcpy(out + len, bytes, n);
		len += n;
	}
	if (j->at == j->end)
		return wrong(j, "a string does not end");
	j->at++;
	if (out)
		out[len] = 0;
	return true;
}

bool ims_json_key(json *j, char *out, size_t size)
{
	if (!ims_json_string(j, out, size))
		return false;
	if (ims_json_peek(j) != ':')
		return wrong(j, "a colon is missing");
	j->at++;
	return true;
}

/* Appends digits to *value; returns their number. */
static int digits(json *j, double *value)
{
	int n = 0;
	for (; j->at < j->end && *j->at >= '0' && *j->at <= '9'; j->at++, n++)
		*value = *value * 10 + (*j->at - '0');
	return n;
}

bool ims_json_number(json *j, double *out)
{
	double v = 0, power = 0;
	int fraction = 0;
	bool minus = ims_json_peek(j) == '-';
	j->at += minus;
	bool zero = j->at < j->end && *j->at == '0';
	int whole = digits(j, &v);
	if (!whole || (zero && whole > 1))
		return wrong(j, "a number was expected");
	if (j->at < j->end && *j->at == '.') {
		j->at++;
		if (!(fraction = digits(j, &v)))
			return wrong(j, "a number ends in a point");
	}
	if (j->at < j->end && (*j->at == 'e' || *j->at == 'E')) {
		j->at++;
		bool down = j->at < j->end && *j->at == '-';
		if (j->at < j->end && (*j->at == '-' || *j->at == '+'))
			j->at++;
		if (!digits(j, &power))
			return wrong(j, "a number has no exponent");
		power = down ? -power : power;
	}
	power -= fraction;
	v = power < 0 ? v / pow(10, -power) : v * pow(10, power);
	if (!isfinite(v))
		return wrong(j, "a number is too large");
	*out = minus ? -v : v;
	return true;
}

static bool word(json *j, const char *text)
{
	size_t n = strlen(text);
	if ((size_t)(j->end - j->at) < n || memcmp(j->at, text, n))
		return wrong(j, "a value was expected");
	j->at += n;
	return true;
}

bool ims_json_bool(json *j, bool *out)
{
	*out = ims_json_peek(j) == 't';
	return word(j, *out ? "true" : "false");
}

static bool skip(json *j, int depth)
{
	double number;
	char c = ims_json_peek(j);
	if (depth > MAX_DEPTH)
		return wrong(j, "it is nested too deep");
	if (c == '"')
		return ims_json_string(j, NULL, 0);
	if (c != '{' && c != '[')
		return c == 't' ? word(j, "true")
			: c == 'f'  ? word(j, "false")
			: c == 'n'  ? word(j, "null")
						: ims_json_number(j, &number);
	char close = c == '{' ? '}' : ']';
	ims_json_begin(j, c);
	for (size_t i = 0; ims_json_more(j, close, i); i++)
		if ((c == '{' && !ims_json_key(j, NULL, 0)) || !skip(j, depth + 1))
			return false;
	return !j->why;
}

bool ims_json_skip(json *j)
{
	return skip(j, 0);
}

bool ims_json_done(json *j)
{
	return !j->why && (ims_json_peek(j) == 0 || wrong(j, "something follows its end"));
}

void ims_json_text(buf *out, const char *text)
{
	ims_buf_text(out, "\"");
	for (; *text; text++)
		if ((unsigned char)*text < 0x20)
			ims_buf_text(out, "\\u%04x", (unsigned)*text);
		else
			ims_buf_text(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	ims_buf_text(out, "\"");
}

/* JSON as text, written as it comes: RFC 8259. */
#include "cli/base/json_writer.h"

#include "cli/base/text.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void write_key(json_writer *j, const char *key)
{
	if (j->comma)
		fputs(", ", j->file);
	j->comma = true;
	if (key) {
		putc('"', j->file);
		fputs(key, j->file);
		fputs("\": ", j->file);
	}
}

/* Of characters that stand for themselves. */
static size_t plain_length(const char *text)
{
	size_t n = 0;
	while (text[n] >= ' ' && text[n] < 127 && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

static void write_string(FILE *f, const char *text)
{
	putc('"', f);
	while (*text) {
		uint32_t code = 0;
		size_t plain = plain_length(text);
		fwrite(text, 1, plain, f);
		text += plain;
		if (!*text)
			break;
		size_t n = text_char(text, &code);
		if (!n)
			fputs("\xef\xbf\xbd", f);
		else if (*text == '"' || *text == '\\')
			fprintf(f, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", f);
		else if (*text == '\t')
			fputs("\\t", f);
		else if (text_is_control(code))
			fprintf(f, "\\u%04x", code);
		else
			fwrite(text, 1, n, f);
		text += n ? n : 1;
	}
	putc('"', f);
}

void json_write_begin(json_writer *j, FILE *f)
{
	j->file = f;
	fputs("{\"schema\": 1", f);
	j->comma = true;
}

void json_write_end(json_writer *j)
{
	fputs("}\n", j->file);
}

void json_write_open(json_writer *j, const char *key, char bracket)
{
	write_key(j, key);
	putc(bracket, j->file);
	j->comma = false;
}

void json_write_close(json_writer *j, char bracket)
{
	putc(bracket, j->file);
	j->comma = true;
}

void json_write_text(json_writer *j, const char *key, const char *value)
{
	write_key(j, key);
	if (value)
		write_string(j->file, value);
	else
		fputs("null", j->file);
}

void json_write_path(json_writer *j, const char *key, const char *path)
{
	json_write_text(j, key, path);
	if (path && !g_utf8_validate(path, -1, NULL)) {
		gchar *base64 = g_base64_encode((const guchar *)path, strlen(path));
		fprintf(j->file, ", \"%s_b64\": \"%s\"", key, base64);
		g_free(base64);
	}
}

void json_write_int(json_writer *j, const char *key, int64_t value)
{
	char text[24], *at = text + sizeof text;
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	*--at = 0;
	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		*--at = '-';
	write_key(j, key);
	fputs(at, j->file);
}

void json_write_time(json_writer *j, const char *key, int64_t seconds, int64_t nanoseconds)
{
	bool negative = seconds < 0;
	if (negative && nanoseconds) {
		seconds++;
		nanoseconds = 1000000000 - nanoseconds;
	}
	write_key(j, key);
	uint64_t whole = negative ? 0 - (uint64_t)seconds : (uint64_t)seconds;
	fprintf(j->file, "%s%llu", negative ? "-" : "", (unsigned long long)whole);
	char fraction[32];
	int n = nanoseconds ? snprintf(fraction, sizeof fraction, ".%09lld", (long long)nanoseconds)
						: 0;
	while (n && fraction[n - 1] == '0')
		n--;
	fprintf(j->file, "%.*s", n, fraction);
}

void json_write_real(json_writer *j, const char *key, double value)
{
	char text[40] = "null";
	for (int digits = 6; isfinite(value) && digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	write_key(j, key);
	fputs(text, j->file);
}

/*
 * The shortest decimal fraction that reads back as a score of ordinary size; false: the value is
 * none. A fraction is taken only where doubles beside it read back alike, so that its own rounding
 * does not count.
 */
static bool write_fraction(FILE *f, float value)
{
	static const double power[] = { 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };
	enum { MOST = sizeof power / sizeof *power - 1 };
	const double size = fabs((double)value), near = 1e-14;
	char text[MOST + 8], *at = text + sizeof text;
	if (!(size >= 1e-3 && size < 100))
		return false;
	for (int places = 0; places <= MOST; places++) {
		double digits = nearbyint(size * power[places]), back = digits / power[places];
		if ((float)(back * (1 - near)) != (float)size || (float)(back * (1 + near)) != (float)size)
			continue;
		uint64_t rest = (uint64_t)digits;
		for (int i = 0; i < places; i++, rest /= 10)
			*--at = (char)('0' + rest % 10);
		if (places)
			*--at = '.';
		do
			*--at = (char)('0' + rest % 10);
		while (rest /= 10);
		if (value < 0)
			*--at = '-';
		fwrite(at, 1, (size_t)(text + sizeof text - at), f);
		return true;
	}
	return false;
}

void json_write_float(json_writer *j, const char *key, float value)
{
	char text[40] = "null";
	value += 0.0f; /* -0 is 0 */
	write_key(j, key);
	if (write_fraction(j->file, value))
		return;
	for (int digits = 6; isfinite(value) && digits <= 9; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, (double)value);
		if (strtof(text, NULL) == value)
			break;
	}
	fputs(text, j->file);
}

void json_write_estimate(json_writer *j, const char *key, double value)
{
	write_key(j, key);
	fprintf(j->file, "%.6g", value);
}

void json_write_seconds(json_writer *j, const char *key, double value)
{
	json_write_real(j, key, round(value * 1e6) / 1e6);
}

void json_write_bool(json_writer *j, const char *key, bool value)
{
	write_key(j, key);
	fputs(value ? "true" : "false", j->file);
}

void json_write_columns(json_writer *j, const imgsearch_columns *columns)
{
	if (!columns || !columns->count)
		return;
	json_write_open(j, "columns", '{');
	for (size_t i = 0; i < columns->count; i++) {
		if (i)
			fputs(", ", j->file);
		write_string(j->file, columns->items[i]->name);
		fputs(": ", j->file);
		write_string(j->file, columns->items[i]->value);
	}
	json_write_close(j, '}');
}

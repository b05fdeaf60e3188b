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
	if (key)
		fprintf(j->file, "\"%s\": ", key);
}

static void write_string(FILE *f, const char *text)
{
	putc('"', f);
	while (*text) {
		uint32_t code = 0;
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
	write_key(j, key);
	fprintf(j->file, "%lld", (long long)value);
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

void json_write_float(json_writer *j, const char *key, float value)
{
	char text[40] = "null";
	value += 0.0f; /* -0 is 0 */
	for (int digits = 6; isfinite(value) && digits <= 9; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, (double)value);
		if (strtof(text, NULL) == value)
			break;
	}
	write_key(j, key);
	fputs(text, j->file);
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

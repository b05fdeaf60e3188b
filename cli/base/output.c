/*
 * What leaves the command: names and titles as text, JSON objects, sentences on stderr.
 *
 * Names are bytes of strangers. Written to a terminal, control characters (also C1 and the ones that turn the writing
 * direction) and bytes that are no UTF-8 are escaped; into a pipe a name goes as it is. JSON always is UTF-8: a name
 * that is not gets U+FFFD in `path`, and its bytes in `path_b64`.
 */
#include "cli/base/cli.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Length of the UTF-8 sequence at s and its code point; 0: none (overlong, surrogate, truncated ...). */
static size_t utf8_next(const unsigned char *s, uint32_t *code)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	static const unsigned char lead[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	if (!n)
		return 0;
	*code = s[0] & lead[n];
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && *code < 0x800) || (n == 4 && (*code < 0x10000 || *code > 0x10ffff)) || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return n;
}

static bool is_utf8(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t code;
	while (*s) {
		size_t n = utf8_next(s, &code);
		if (!n)
			return false;
		s += n;
	}
	return true;
}

/* Characters that move the cursor, colour the screen or turn the text around. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* --------------------------------------------------------------------------------------------------- text ---- */

void text_write_escaped(FILE *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	while (*s) {
		uint32_t code = 0;
		size_t n = utf8_next(s, &code);
		if (n && !is_control(code)) {
			fwrite(s, 1, n, f);
		} else if (*s == '\n' || *s == '\t' || *s == '\r') {
			fprintf(f, "\\%c", *s == '\n' ? 'n' : *s == '\t' ? 't' : 'r');
		} else {
			for (size_t i = 0; i < (n ? n : 1); i++)
				fprintf(f, "\\x%02x", s[i]);
		}
		s += n ? n : 1;
	}
}

void record_path(const char *path)
{
	if (isatty(STDOUT_FILENO))
		text_write_escaped(stdout, path);
	else
		fputs(path, stdout);
}

void record_title(const char *title)
{
	bool terminal = isatty(STDOUT_FILENO);
	for (const unsigned char *s = (const unsigned char *)title; *s;) {
		uint32_t code = 0;
		size_t n = utf8_next(s, &code);
		if (*s == '\n' || *s == '\r' || *s == '\t' || (terminal && (!n || is_control(code))))
			putchar(' ');
		else
			fwrite(s, 1, n ? n : 1, stdout);
		s += n ? n : 1;
	}
}

void record_end(const context *c)
{
	putchar(c->common->nul ? 0 : '\n');
}

const char *const state_names[] = { "indexed", "duplicate", "unsupported", "damaged", "too big", "excluded", "unreadable", NULL };

const char *state_name(uint32_t state)
{
	return state >= 1 && state <= 7 ? state_names[state - 1] : "?";
}

/* --------------------------------------------------------------------------------------------------- JSON ---- */

static void json_key(json_writer *j, const char *key)
{
	if (j->comma)
		fputs(", ", j->file);
	j->comma = true;
	if (key)
		fprintf(j->file, "\"%s\": ", key);
}

static void json_string(FILE *f, const char *text)
{
	putc('"', f);
	for (const unsigned char *s = (const unsigned char *)text; *s;) {
		uint32_t code = 0;
		size_t n = utf8_next(s, &code);
		if (!n)
			fputs("\xef\xbf\xbd", f);
		else if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", f);
		else if (*s == '\t')
			fputs("\\t", f);
		else if (is_control(code))
			fprintf(f, "\\u%04x", code);
		else
			fwrite(s, 1, n, f);
		s += n ? n : 1;
	}
	putc('"', f);
}

static void json_base64(json_writer *j, const char *key, const char *text)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *s = (const unsigned char *)text;
	size_t n = strlen(text);
	fprintf(j->file, ", \"%s_b64\": \"", key);
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)s[i] << 16 | (i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0) | (i + 2 < n ? s[i + 2] : 0);
		char four[4] = { digit[v >> 18], digit[v >> 12 & 63], i + 1 < n ? digit[v >> 6 & 63] : '=', i + 2 < n ? digit[v & 63] : '=' };
		fwrite(four, 1, 4, j->file);
	}
	putc('"', j->file);
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
	json_key(j, key);
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
	json_key(j, key);
	if (value)
		json_string(j->file, value);
	else
		fputs("null", j->file);
}

void json_write_path(json_writer *j, const char *key, const char *path)
{
	json_write_text(j, key, path);
	if (path && !is_utf8(path))
		json_base64(j, key, path);
}

void json_write_int(json_writer *j, const char *key, int64_t value)
{
	json_key(j, key);
	fprintf(j->file, "%lld", (long long)value);
}

void json_write_real(json_writer *j, const char *key, double value)
{
	char text[40] = "null";
	for (int digits = 6; isfinite(value) && digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	json_key(j, key);
	fputs(text, j->file);
}

void json_write_seconds(json_writer *j, const char *key, double value)
{
	json_write_real(j, key, round(value * 1e6) / 1e6);
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
	json_key(j, key);
	fputs(text, j->file);
}

void json_write_bool(json_writer *j, const char *key, bool value)
{
	json_key(j, key);
	fputs(value ? "true" : "false", j->file);
}

void json_write_columns(json_writer *j, const imgsearch_column *columns, size_t n)
{
	if (!n)
		return;
	json_write_open(j, "columns", '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputs(", ", j->file);
		json_string(j->file, columns[i].name);
		fputs(": ", j->file);
		json_string(j->file, columns[i].value);
	}
	json_write_close(j, '}');
}

/* ----------------------------------------------------------------------------------------- the other stream ---- */

/* "imgsearch: sentence", escaped as a whole, since file names stand in it. */
static void say(const char *format, va_list list)
{
	char line[8192];
	vsnprintf(line, sizeof line, format, list);
	fputs("imgsearch: ", stderr);
	text_write_escaped(stderr, line);
	putc('\n', stderr);
}

void context_note(const context *c, const char *format, ...)
{
	va_list list;
	if (c->common->quiet)
		return;
	progress_clear(c->progress);
	va_start(list, format);
	say(format, list);
	va_end(list);
}

void cli_warn(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	say(format, list);
	va_end(list);
}

int cli_fail(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	say(format, list);
	va_end(list);
	return CLI_FAILED;
}

int cli_nomem(void)
{
	return cli_fail("out of memory");
}

int cli_error(const imgsearch_error *err)
{
	if (err->code == IMGSEARCH_ECANCELED) {
		cli_warn("interrupted; what was done is kept");
		return CLI_INTERRUPTED;
	}
	return cli_fail("%s", err->message[0] ? err->message : imgsearch_strerror(err->code));
}

/* Parses CSV in one pass, in place. */
#include "files/csv.h"

#include <string.h>

enum { MAX_COLUMNS = 1000, MAX_BYTES = 1 << 28 };

typedef struct cursor {
	char *at, *end;
	size_t line;
} cursor;

/*
 * Unquotes one field in place and terminates it. Returns the character that ended the field (',' or
 * '\n'), 0 at the end of the text, or -1 if the field is malformed.
 */
static int next_field(cursor *c, char **field)
{
	char *out = c->at, *in = c->at;
	*field = out;
	if (in < c->end && *in == '"') {
		for (in++; in < c->end; in++) {
			if (*in == '"' && (in + 1 == c->end || in[1] != '"'))
				break;
			in += *in == '"';
			c->line += *in == '\n';
			*out++ = *in;
		}
		if (in == c->end)
			return -1;
		in++;
	} else {
		while (in < c->end && *in != ',' && *in != '\n' && *in != '\r')
			*out++ = *in++;
	}
	if (in < c->end && *in == '\r' && (in + 1 == c->end || in[1] == '\n'))
		in++;
	if (in < c->end && *in != ',' && *in != '\n')
		return -1;
	int ended = in < c->end ? *in : 0;
	c->line += ended == '\n';
	c->at = in < c->end ? in + 1 : in;
	*out = 0;
	return ended;
}

int ims_csv_parse(char *text, size_t size, csv_each *each, void *user, imgsearch_error *err)
{
	cursor c = { text, text + size, 1 };
	char **field = ims_alloc(MAX_COLUMNS, sizeof *field);
	int rc = field ? 0 : ims_nomem(err);
	if (size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
		c.at += 3;
	if (memchr(text, 0, size))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "not a CSV: it has a zero byte");
	while (!rc && c.at < c.end) {
		size_t n = 0, line = c.line;
		int ended = ',';
		while (ended == ',' && n < MAX_COLUMNS)
			ended = next_field(&c, &field[n++]);
		if (ended == ',')
			rc = ims_fail(err, IMGSEARCH_EFORMAT, "line %zu: more than %d columns", line,
				MAX_COLUMNS);
		else if (ended < 0)
			rc = ims_fail(err, IMGSEARCH_EFORMAT,
				"line %zu: a quote that is not closed or text after one", line);
		else if (n > 1 || *field[0])
			rc = each(user, line, field, n);
	}
	ims_free(field);
	return rc;
}

int ims_csv_read(const char *path, csv_each *each, void *user, imgsearch_error *err)
{
	buf text = { 0 };
	int rc = ims_read_file(&text, path, MAX_BYTES, err);
	if (rc) {
		ims_buf_free(&text);
		return rc;
	}
	ims_buf_u8(&text, 0);
	rc = text.failed ? ims_nomem(err)
					 : ims_csv_parse((char *)text.data, text.len - 1, each, user, err);
	if (rc < 0)
		ims_error_prefix(err, "%s", path);
	ims_buf_free(&text);
	return rc;
}

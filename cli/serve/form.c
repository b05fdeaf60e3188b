/* The parts of a multipart/form-data body. Nothing is copied but their names. */
#include "cli/serve/form.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The value of a parameter in a header such as `form-data; name="a"; filename="b"`. */
static bool header_param(const char *header, size_t size, const char *name, char *out,
	size_t out_size)
{
	size_t length = strlen(name);
	for (const char *at = header, *end = header + size;;) {
		for (bool quoted = false; at < end && (quoted || *at != ';'); at++)
			if (*at == '"')
				quoted = !quoted;
			else if (quoted && *at == '\\' && at + 1 < end)
				at++;
		if (at == end)
			return false;
		for (at++; at < end && (*at == ' ' || *at == '\t'); at++)
			;
		if ((size_t)(end - at) <= length || strncasecmp(at, name, length) || at[length] != '=')
			continue;
		at += length + 1;
		bool quoted = at < end && *at == '"';
		size_t n = 0;
		for (at += quoted;
			 at < end && *at != (quoted ? '"' : ';') && (quoted || *at != ' ') && n + 1 < out_size;
			 at++)
			out[n++] = *at;
		out[n] = 0;
		return n > 0;
	}
}

/* Header lines of a part from *at to the empty line; false: cut off. */
static bool part_headers(form_part *p, const char **at, const char *end)
{
	static const char disposition[] = "content-disposition:";
	for (;;) {
		const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));
		if (!stop)
			return false;
		*at = stop + 1;
		size_t n = (size_t)(stop - line);
		if (n && line[n - 1] == '\r')
			n--;
		if (!n)
			return true;
		if (n > sizeof disposition && !strncasecmp(line, disposition, sizeof disposition - 1)) {
			header_param(line, n, "name", p->name, sizeof p->name);
			header_param(line, n, "filename", p->file, sizeof p->file);
		}
	}
}

int form_parse(form_part *part, int max, const char *content_type, const char *body, size_t size)
{
	char boundary[80], mark[84];
	int count = 0;
	if (!header_param(content_type, strlen(content_type), "boundary", boundary, sizeof boundary))
		return -1;
	size_t length = (size_t)snprintf(mark, sizeof mark, "--%s", boundary);
	const char *end = body + size, *at = memmem(body, size, mark, length);
	if (!at)
		return -1;
	for (at += length;;) {
		if (end - at >= 2 && at[0] == '-' && at[1] == '-')
			return count;
		if (at < end && *at == '\r')
			at++;
		if (at >= end || *at++ != '\n' || count == max)
			return -1;
		form_part *p = &part[count++];
		*p = (form_part){ .size = 0 };
		if (!part_headers(p, &at, end))
			return -1;
		const char *stop = memmem(at, (size_t)(end - at), mark, length);
		if (!stop || stop == at || stop[-1] != '\n')
			return -1;
		p->data = at;
		at = stop + length;
		stop -= stop - p->data >= 2 && stop[-2] == '\r' ? 2 : 1;
		p->size = stop > p->data ? (size_t)(stop - p->data) : 0;
	}
}

/* Reads lists from left to right. What begins like a quoted text and does not end so is no such. */
#include "base/list_text.h"

#include "base/buf.h"

#include <string.h>

/* The quote that ends a text which begins with one; NULL: there is none. */
static const char *closing_quote(const char *text, char separator)
{
	const char *at = text + 1;
	for (; *at; at++)
		if (*at == '"' && at[1] == '"')
			at++;
		else if (*at == '"')
			break;
	const char *behind = *at ? at + 1 + strspn(at + 1, " ") : NULL;
	return behind && (!*behind || *behind == separator) ? at : NULL;
}

static text_span trim(text_span s)
{
	while (s.at < s.end && *s.at == ' ')
		s.at++;
	while (s.at < s.end && s.end[-1] == ' ')
		s.end--;
	return s;
}

bool ims_list_next(const char **at, char separator, list_text *out)
{
	if (!*at)
		return false;
	const char *text = *at + strspn(*at, " ");
	const char *quote = *text == '"' ? closing_quote(text, separator) : NULL;
	const char *end = strchr(quote ? quote : text, separator);
	if (!end)
		end = text + strlen(text);
	out->quoted = quote != NULL;
	out->span = quote ? (text_span){ text + 1, quote } : trim((text_span){ text, end });
	*at = *end ? end + 1 : NULL;
	return true;
}

char ims_list_separator(const char *list)
{
	list_text first;
	return ims_list_next(&list, ';', &first) && list ? ';' : ',';
}

text_span ims_list_plain(const list_text *text, char *space, size_t size)
{
	text_span s = text->span;
	size_t n = 0;
	if (!text->quoted || !memchr(s.at, '"', (size_t)(s.end - s.at))
		|| (size_t)(s.end - s.at) > size)
		return s;
	for (const char *c = s.at; c < s.end; c += 1 + (*c == '"'))
		space[n++] = *c;
	return (text_span){ space, space + n };
}

char *ims_list_quote(const char *text)
{
	buf b = { 0 };
	bool quoted = *text == '"' || strchr(text, ';');
	if (quoted)
		ims_buf_u8(&b, '"');
	for (const char *c = text; *c; c++) {
		ims_buf_u8(&b, (uint8_t)*c);
		if (quoted && *c == '"')
			ims_buf_u8(&b, '"');
	}
	if (quoted)
		ims_buf_u8(&b, '"');
	ims_buf_u8(&b, 0);
	if (!b.failed)
		return (char *)b.data;
	ims_buf_free(&b);
	return NULL;
}

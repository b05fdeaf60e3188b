/* UTF-8 as glib checks it, and control characters (C0, C1, line separators, directions). */
#include "cli/base/text.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

size_t text_char(const char *s, uint32_t *code)
{
	gunichar c = g_utf8_get_char_validated(s, -1);
	if (c == (gunichar)-1 || c == (gunichar)-2)
		return 0;
	*code = c;
	return (size_t)(g_utf8_next_char(s) - s);
}

bool text_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e)
		|| (code >= 0x2066 && code <= 0x2069);
}

/* The end of a setting password=... or sslpassword=... that begins here; else NULL. */
static char *password_end(char *at)
{
	static const char *const names[] = { "password=", "sslpassword=" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strncmp(at, names[i], strlen(names[i])))
			return at + strcspn(at, "&");
	return NULL;
}

static void cut(char *from, const char *to)
{
	memmove(from, to, strlen(to) + 1);
}

char *text_without_password(const char *path)
{
	char *copy = strdup(path), *rest = copy ? strstr(copy, "://") : NULL, *end;
	if (!rest || strncmp(copy, "postgres", 8))
		return copy;
	rest += 3;
	size_t user = strcspn(rest, "@/?"), name = strcspn(rest, ":@/?");
	if (rest[user] == '@' && name < user)
		cut(rest + name, rest + user);
	for (rest = strchr(rest, '?'); rest; rest = strchr(rest + 1, '&'))
		while ((end = password_end(rest + 1)))
			cut(rest + 1, *end ? end + 1 : end);
	return copy;
}

char *text_shell_word(const char *text)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,+@%-";
	if (*text && !text[strspn(text, plain)])
		return strdup(text);
	char *quoted = g_shell_quote(text), *word = strdup(quoted);
	g_free(quoted);
	return word;
}

void text_write_escaped(FILE *f, const char *text)
{
	while (*text) {
		uint32_t code = 0;
		size_t n = text_char(text, &code), bytes = n ? n : 1;
		if (n && !text_is_control(code)) {
			fwrite(text, 1, n, f);
		} else if (*text == '\n' || *text == '\t' || *text == '\r') {
			fprintf(f, "\\%c", *text == '\n' ? 'n' : *text == '\t' ? 't' : 'r');
		} else {
			for (size_t i = 0; i < bytes; i++)
				fprintf(f, "\\x%02x", (unsigned char)text[i]);
		}
		text += bytes;
	}
}

const char *text_size(char out[TEXT_SIZE], uint64_t bytes)
{
	if (bytes < 1000000)
		snprintf(out, TEXT_SIZE, "%llu kB", (unsigned long long)(bytes + 999) / 1000);
	else
		snprintf(out, TEXT_SIZE, "%.1f MB", (double)bytes / 1e6);
	return out;
}

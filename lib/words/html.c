/* What html.unescape of Python's library does, and ftfy (Speer, "ftfy", 2019) more strictly. */
#include "words/html.h"

#include "base/c_locale.h"
#include "words/entities.h"
#include "words/unicode.h"

#include <string.h>

enum { LONGEST_NAME = 32 };

uint32_t ims_windows_1252(uint32_t c)
{
	static const uint16_t table[32] = { 0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021,
		0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c,
		0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178 };
	return c >= 0x80 && c <= 0x9f ? table[c - 0x80] : c;
}

/* The character of a number; nothing for what is none. */
static void put_number(buf *out, uint32_t c)
{
	enum { REPLACEMENT = 0xfffd, LAST = 0x10ffff };
	if (!c || c > LAST || (c >= 0xd800 && c <= 0xdfff))
		ims_unicode_put(out, REPLACEMENT);
	else if (c >= 0x80 && c <= 0x9f)
		ims_unicode_put(out, ims_windows_1252(c));
	else if (!(c < 0x20 && c != '\t' && c != '\n' && c != '\f' && c != '\r') && c != 0x7f
		&& !(c >= 0xfdd0 && c <= 0xfdef) && (c & 0xfffe) != 0xfffe)
		ims_unicode_put(out, c);
}

/* "&#123;" or "&#x7b": its length, without a semicolon where there is none; 0: it is none. */
static size_t number_at(const char *p, uint32_t *c)
{
	bool hex = p[2] == 'x' || p[2] == 'X';
	const char *first = p + 2 + hex, *q = first;
	*c = 0;
	for (; ascii_digit(*q) || (hex && ims_hex_digit(*q) >= 0); q++)
		if (*c <= 0x10ffff)
			*c = *c * (hex ? 16 : 10) + (uint32_t)ims_hex_digit(*q);
	return q == first ? 0 : (size_t)(q - p) + (*q == ';');
}

/*
 * The longest name that begins at p, of one that may lack its semicolon or of any one with it, and
 * its text; 0: there is none.
 */
static size_t name_at(const char *p, bool bare, const char **text)
{
	size_t longest = 0;
	*text = "";
	for (const char *const *some = ims_entities; *some; some++)
		for (const char *e = *some, *value; *e; e = value + strlen(value) + 1) {
			const char *name = e + 1;
			size_t n = strlen(name);
			value = name + n + 1;
			if (strncmp(p, name, n))
				continue;
			size_t length = p[n] == ';' ? n + 1 : bare && *e == '&' ? n : 0;
			if (length > longest) {
				longest = length;
				*text = value;
			}
		}
	return longest;
}

void ims_html_unescape(buf *out, const char *text)
{
	uint32_t c;
	const char *value;
	size_t n;
	while (*text) {
		if (text[0] == '&' && text[1] == '#' && (n = number_at(text, &c))) {
			put_number(out, c);
			text += n;
		} else if (*text == '&' && (n = name_at(text + 1, true, &value))) {
			ims_buf_text(out, "%s", value);
			text += n + 1;
		} else {
			ims_buf_u8(out, (uint8_t)*text++);
		}
	}
}

/* A name in capitals, of a letter or sign that has a name in small letters alone. */
static bool put_capital(buf *out, const char *name, size_t n)
{
	char small[LONGEST_NAME + 2];
	const char *value;
	if (n > LONGEST_NAME)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (name[i] >= 'a' && name[i] <= 'z')
			return false;
		small[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
	}
	small[n] = 0;
	if (name_at(name, true, &value) || name_at(small, false, &value) != n)
		return false;
	ims_unicode_upper(out, value);
	return true;
}

/* "&name;": what it stands for, if it does for something. */
static bool put_reference(buf *out, const char *p, size_t n)
{
	uint32_t c;
	const char *value;
	if (p[1] == '#') {
		if (number_at(p, &c) != n)
			return false;
		put_number(out, c);
		return true;
	}
	if (name_at(p + 1, false, &value) == n - 1) {
		ims_buf_text(out, "%s", value);
		return true;
	}
	return put_capital(out, p + 1, n - 1);
}

void ims_html_unescape_strictly(buf *out, const char *text)
{
	enum { MOST = 24 };
	while (*text) {
		size_t from = 1 + (text[1] == '#'), n = from;
		while (*text == '&' && n - from < MOST && (ascii_digit(text[n]) || ascii_letter(text[n])))
			n++;
		if (*text == '&' && n > from && text[n] == ';' && put_reference(out, text, n + 1))
			text += n + 1;
		else
			ims_buf_u8(out, (uint8_t)*text++);
	}
}

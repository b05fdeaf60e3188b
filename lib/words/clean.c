/*
 * What ftfy.fix_text (Speer, "ftfy", 2019) and html.unescape of Python's library do, pass by pass.
 * Left out is the guess that a text was decoded by a wrong encoding.
 */
#include "words/clean.h"

#include "words/entities.h"
#include "words/unicode.h"

#include <string.h>

typedef void pass(buf *out, const char *text);

/* Replaces a text by what a pass makes of it. */
static void apply(buf *text, pass *p)
{
	buf made = { 0 };
	p(&made, text->failed ? "" : (const char *)text->data);
	ims_buf_text(&made, "%s", "");
	made.failed |= text->failed;
	ims_buf_free(text);
	*text = made;
}

/* -------------------------------------------------------------------- references of HTML ---- */

enum { LONGEST_NAME = 32 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* What stands for 0x80 to 0x9f: windows-1252 has characters there, Unicode has controls. */
static uint32_t of_windows(uint32_t c)
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
		ims_unicode_put(out, of_windows(c));
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
	for (; is_digit(*q) || (hex && is_hex(*q)); q++)
		if (*c <= 0x10ffff)
			*c = *c * (hex ? 16 : 10)
				+ (uint32_t)(is_digit(*q) ? *q - '0' : (*q | 0x20) - 'a' + 10);
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

/* As a browser reads text: names that are old enough need no semicolon. */
static void unescape(buf *out, const char *text)
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

/* Only what ends with a semicolon, and nothing that is not wholly understood. */
static void unescape_strictly(buf *out, const char *text)
{
	enum { MOST = 24 };
	while (*text) {
		size_t from = 1 + (text[1] == '#'), n = from;
		while (*text == '&' && n - from < MOST && (is_digit(text[n]) || is_letter(text[n])))
			n++;
		if (*text == '&' && n > from && text[n] == ';' && put_reference(out, text, n + 1))
			text += n + 1;
		else
			ims_buf_u8(out, (uint8_t)*text++);
	}
}

/* -------------------------------------------------------------------------- single letters ---- */

/* The letters of a ligature of Latin letters; NULL: it is none. */
static const char *ligature(uint32_t c)
{
	static const struct {
		uint32_t c;
		const char *letters;
	} table[] = { { 0x132, "IJ" }, { 0x133, "ij" }, { 0x149, "'n" }, { 0x1f1, "DZ" },
		{ 0x1f2, "Dz" }, { 0x1f3, "dz" }, { 0x1c4, "D\u017d" }, { 0x1c5, "D\u017e" },
		{ 0x1c6, "d\u017e" }, { 0x1c7, "LJ" }, { 0x1c8, "Lj" }, { 0x1c9, "lj" }, { 0x1ca, "NJ" },
		{ 0x1cb, "Nj" }, { 0x1cc, "nj" }, { 0xfb00, "ff" }, { 0xfb01, "fi" }, { 0xfb02, "fl" },
		{ 0xfb03, "ffi" }, { 0xfb04, "ffl" }, { 0xfb05, "\u017ft" }, { 0xfb06, "st" } };
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].c == c)
			return table[i].letters;
	return NULL;
}

static uint32_t straight_quote(uint32_t c)
{
	if (c == 0x2bc || (c >= 0x2018 && c <= 0x201b))
		return '\'';
	return c >= 0x201c && c <= 0x201f ? '"' : c;
}

/* Half and full width forms in their usual width. */
static void put_wide(buf *out, uint32_t c)
{
	buf one = { 0 };
	ims_unicode_put(&one, c);
	ims_buf_u8(&one, 0);
	if (one.failed)
		out->failed = true;
	else
		ims_unicode_nfkc(out, (const char *)one.data);
	ims_buf_free(&one);
}

static void put_letter(buf *out, uint32_t c)
{
	const char *letters = ligature(c);
	if (letters)
		ims_buf_text(out, "%s", letters);
	else if (c >= 0xff01 && c < 0xfff0)
		put_wide(out, c);
	else if (c == 0x3000)
		ims_buf_u8(out, ' ');
	else if (c == '\r' || c == 0x2028 || c == 0x2029)
		ims_buf_u8(out, '\n');
	else
		ims_unicode_put(out, straight_quote(of_windows(c)));
}

static void mend_letters(buf *out, const char *text)
{
	uint32_t c;
	while (*text) {
		if (text[0] == '\r' && text[1] == '\n')
			text++;
		text = ims_unicode_next(text, &c);
		put_letter(out, c);
	}
}

static bool is_unwanted(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n' && c != '\f' && c != '\r') || c == 0x7f
		|| (c >= 0x206a && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffc);
}

/* The length of an escape sequence of a terminal: ESC [ 31;1 m; 0: it is none. */
static size_t escape_at(const char *p)
{
	size_t n = 2;
	if (p[0] != 0x1b || p[1] != '[')
		return 0;
	while (is_digit(p[n]) || p[n] == ';')
		n++;
	return is_letter(p[n]) ? n + 1 : 0;
}

static void drop_escapes(buf *out, const char *text)
{
	while (*text) {
		size_t n = escape_at(text);
		if (!n)
			ims_buf_u8(out, (uint8_t)*text);
		text += n ? n : 1;
	}
}

static void drop_controls(buf *out, const char *text)
{
	uint32_t c;
	while (*text) {
		text = ims_unicode_next(text, &c);
		if (!is_unwanted(c))
			ims_unicode_put(out, c);
	}
}

/* -------------------------------------------------------------------------------- cleaning ---- */

/* One line, until nothing changes any more. */
static void mend_line(buf *line, bool html)
{
	bool changed = true;
	while (changed && !line->failed) {
		buf before = { 0 };
		ims_buf_text(&before, "%s", (const char *)line->data);
		if (html)
			apply(line, unescape_strictly);
		apply(line, mend_letters);
		apply(line, drop_escapes);
		apply(line, drop_controls);
		apply(line, ims_unicode_nfc);
		changed = before.failed || before.len != line->len
			|| memcmp(before.data, line->data, line->len);
		line->failed |= before.failed;
		ims_buf_free(&before);
	}
}

/* Line by line; where a '<' has been seen the text is HTML itself, and its references stay. */
static void mend(buf *out, const char *text)
{
	bool html = true;
	while (*text && !out->failed) {
		const char *end = strchr(text, '\n');
		size_t n = end ? (size_t)(end + 1 - text) : strlen(text);
		buf line = { 0 };
		html = html && !memchr(text, '<', n);
		ims_buf_text(&line, "%.*s", (int)n, text);
		if (!line.failed)
			mend_line(&line, html);
		if (!line.failed)
			ims_buf_put(out, line.data, line.len);
		out->failed |= line.failed;
		ims_buf_free(&line);
		text += n;
	}
}

/* White space of any length is one space, and there is none at the ends. */
static void join_words(buf *out, const char *text)
{
	bool space = false;
	uint32_t c;
	while (*text) {
		text = ims_unicode_next(text, &c);
		if (ims_unicode_kind(c) == LETTER_SPACE) {
			space = out->len > 0;
			continue;
		}
		if (space)
			ims_buf_u8(out, ' ');
		space = false;
		ims_unicode_put(out, c);
	}
}

static void run(buf *out, const char *text, pass *const *passes, size_t n)
{
	buf made = { 0 };
	ims_buf_text(&made, "%s", text);
	for (size_t i = 0; i < n; i++)
		apply(&made, passes[i]);
	if (made.failed)
		out->failed = true;
	else
		ims_buf_text(out, "%s", (const char *)made.data);
	ims_buf_free(&made);
}

void ims_clean_clip(buf *out, const char *text)
{
	static pass *const passes[] = { mend, unescape, unescape, join_words, ims_unicode_lower };
	run(out, text, passes, sizeof passes / sizeof *passes);
}

/* An underline, or the mark that SentencePiece has for a space, is one. */
static void open_marks(buf *out, const char *text, const char *mark)
{
	size_t n = strlen(mark);
	while (*text) {
		bool is_mark = !strncmp(text, mark, n);
		ims_buf_u8(out, is_mark ? ' ' : (uint8_t)*text);
		text += is_mark ? n : 1;
	}
}

static void open_underlines(buf *out, const char *text)
{
	open_marks(out, text, "_");
}

static void open_space_marks(buf *out, const char *text)
{
	open_marks(out, text, "\u2581");
}

static void lead_with_mark(buf *out, const char *text)
{
	ims_buf_text(out, "\u2581%s", text);
}

static void drop_punctuation(buf *out, const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f || is_digit(*text) || is_letter(*text))
			ims_buf_u8(out, (uint8_t)*text);
}

void ims_clean_siglip(buf *out, const char *text, bool open_clip)
{
	static pass *const theirs[] = { mend, unescape, unescape, open_underlines, drop_punctuation,
		ims_unicode_lower, join_words };
	static pass *const others[] = { open_space_marks, lead_with_mark, ims_unicode_lower,
		drop_punctuation, join_words };
	if (open_clip)
		run(out, text, theirs, sizeof theirs / sizeof *theirs);
	else
		run(out, text, others, sizeof others / sizeof *others);
}

void ims_clean_plain(buf *out, const char *text)
{
	static pass *const passes[] = { ims_unicode_nfc, join_words, ims_unicode_lower_letters };
	run(out, text, passes, sizeof passes / sizeof *passes);
}

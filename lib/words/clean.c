/*
 * What ftfy.fix_text (Speer, "ftfy", 2019) does, pass by pass.
 * Left out is the guess that a text was decoded by a wrong encoding.
 */
#include "words/clean.h"

#include "words/html.h"
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
		ims_unicode_put(out, straight_quote(ims_windows_1252(c)));
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
	while (ascii_digit(p[n]) || p[n] == ';')
		n++;
	return ascii_letter(p[n]) ? n + 1 : 0;
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
			apply(line, ims_html_unescape_strictly);
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
	static pass *const passes[] = { mend, ims_html_unescape, ims_html_unescape, join_words,
		ims_unicode_lower };
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
		if (*text <= ' ' || *text >= 0x7f || ascii_digit(*text) || ascii_letter(*text))
			ims_buf_u8(out, (uint8_t)*text);
}

void ims_clean_siglip(buf *out, const char *text, bool open_clip)
{
	static pass *const theirs[] = { mend, ims_html_unescape, ims_html_unescape, open_underlines,
		drop_punctuation, ims_unicode_lower, join_words };
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

/* Texts of blocks, made safe to show and to compare. */
#include "base/list_text.h"
#include "base/utf8.h"
#include "meta/meta.h"

#include <string.h>

enum { MAX_TEXT = 4096, MAX_KEYWORDS = 1 << 16 };

/* Blanks instead of control characters, and none around. Returns where the text begins. */
static char *trim(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	text += strspn(text, " ");
	for (size_t n = strlen(text); n && text[n - 1] == ' '; n--)
		text[n - 1] = 0;
	return text;
}

/* Cuts a text off before the character that passes the limit. */
static void cut(char *text)
{
	size_t n = MAX_TEXT;
	if (strlen(text) <= n)
		return;
	while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	text[n] = 0;
}

char *ims_fact_text(facts *f, const void *data, size_t size)
{
	char *copy = size ? ims_strndup(data, size) : NULL, *out = NULL, *composed = NULL;
	f->nomem |= size && !copy;
	char *text = copy ? trim(copy) : NULL;
	if (text && *text && ims_utf8_is_valid(text)) {
		cut(text);
		f->nomem |= ims_spelling_compose(text, &composed) != 0;
		out = composed ? composed : ims_strdup(text);
		f->nomem |= !out;
	}
	ims_free(copy);
	return out;
}

void ims_fact_put_1252(buf *out, uint8_t c)
{
	static const uint16_t from_80[32] = { 0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020,
		0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018,
		0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153,
		0xFFFD, 0x017E, 0x0178 };
	uint32_t code = c >= 0x80 && c < 0xA0 ? from_80[c - 0x80] : c;
	if (code < 0x80) {
		ims_buf_u8(out, (uint8_t)code);
		return;
	}
	if (code >= 0x800)
		ims_buf_u8(out, (uint8_t)(0xE0 | code >> 12));
	ims_buf_u8(out, (uint8_t)(code >= 0x800 ? 0x80 | (code >> 6 & 0x3F) : 0xC0 | code >> 6));
	ims_buf_u8(out, (uint8_t)(0x80 | (code & 0x3F)));
}

/* Whether a list has a keyword, as it is written in one. */
static bool has_keyword(const char *list, const char *word)
{
	list_text text;
	size_t n = strlen(word) - (*word == '"' ? 2 : 0);
	while (ims_list_next(&list, ';', &text))
		if ((size_t)(text.span.end - text.span.at) == n && text.quoted == (*word == '"')
			&& !memcmp(text.span.at, word + text.quoted, n))
			return true;
	return false;
}

/* Appends "; " and the word. */
static void append_keyword(facts *f, char **list, const char *word)
{
	size_t before = strlen(*list);
	char *grown = ims_realloc(*list, before + strlen(word) + 3, 1);
	f->nomem |= !grown;
	if (!grown)
		return;
	*list = grown;
	memcpy(grown + before, "; ", 2);
	strcpy(grown + before + 2, word);
}

void ims_fact_add_keyword(facts *f, char **list, const void *data, size_t size)
{
	char *text = ims_fact_text(f, data, size), *word = text ? ims_list_quote(text) : NULL;
	f->nomem |= text && !word;
	ims_free(text);
	if (!word)
		return;
	if (!*list) {
		*list = word;
		return;
	}
	if (strlen(*list) < MAX_KEYWORDS && !has_keyword(*list, word))
		append_keyword(f, list, word);
	ims_free(word);
}

void ims_fact_set_camera(facts *f, const char *make, const char *model)
{
	if (f->value[FACT_CAMERA] || (!make && !model))
		return;
	size_t first = make ? strcspn(make, " ") : 0;
	bool repeats = make && model && strlen(model) >= first && ims_same_letters(make, model, first);
	char *camera = repeats || !make ? ims_strdup(model)
		: model                     ? ims_format("%s %s", make, model)
									: ims_strdup(make);
	f->nomem |= !camera;
	ims_facts_set(f, FACT_CAMERA, camera);
}

void ims_fact_set_rating(facts *f, double rating)
{
	if (f->value[FACT_RATING] || !(rating >= -1 && rating <= 5))
		return;
	char *text = ims_format("%.3g", rating == 0 ? 0 : rating);
	f->nomem |= !text;
	ims_facts_set(f, FACT_RATING, text);
}

/*
 * libutf8proc has the simple mappings of case. Those of one letter to several, and of the Greek
 * sigma at the end of a word, are here: Unicode Standard, section 3.13 and SpecialCasing.txt.
 */
#include "words/unicode.h"

#include "base/error.h"
#include "base/library.h"
#include "base/utf8.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of categories, as utf8proc.h of both ABIs has them. */
enum {
	CATEGORY_LU = 1,
	CATEGORY_LL = 2,
	CATEGORY_LT = 3,
	CATEGORY_LM = 4,
	CATEGORY_LO = 5,
	CATEGORY_MN = 6,
	CATEGORY_ME = 8,
	CATEGORY_ND = 9,
	CATEGORY_NO = 11,
	CATEGORY_SK = 21,
	CATEGORY_ZS = 23,
	CATEGORY_ZP = 25,
	CATEGORY_CF = 27
};

static int (*category_of)(int32_t c);
static int32_t (*to_lower)(int32_t c);
static int32_t (*to_upper)(int32_t c);
static uint8_t *(*to_nfc)(const uint8_t *text);
static uint8_t *(*to_nfkc)(const uint8_t *text);
static bool (*breaks)(int32_t before, int32_t behind, int32_t *state);

static void load(void)
{
	static const char *const files[] = { "libutf8proc.so.3", "libutf8proc.so.2", NULL };
	const library_function functions[] = {
		{ "utf8proc_category", (void **)&category_of },
		{ "utf8proc_tolower", (void **)&to_lower },
		{ "utf8proc_toupper", (void **)&to_upper },
		{ "utf8proc_NFC", (void **)&to_nfc },
		{ "utf8proc_NFKC", (void **)&to_nfkc },
		{ "utf8proc_grapheme_break_stateful", (void **)&breaks },
	};
	ims_library_load(files, functions, sizeof functions / sizeof *functions);
}

int ims_unicode_load(imgsearch_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	return category_of ? 0
					   : ims_fail(err, IMGSEARCH_EUNSUPPORTED,
						   "words as queries need libutf8proc (Debian: libutf8proc3, in 12 "
						   "libutf8proc2)");
}

letter_kind ims_unicode_kind(uint32_t c)
{
	if ((c >= '\t' && c <= '\r') || c == 0x85)
		return LETTER_SPACE;
	int k = category_of((int32_t)c);
	if (k >= CATEGORY_LU && k <= CATEGORY_LO)
		return LETTER_LETTER;
	if (k >= CATEGORY_ND && k <= CATEGORY_NO)
		return LETTER_NUMBER;
	return k >= CATEGORY_ZS && k <= CATEGORY_ZP ? LETTER_SPACE : LETTER_OTHER;
}

const char *ims_unicode_next(const char *p, uint32_t *c)
{
	size_t n = ims_utf8_read(p, c);
	if (!n)
		*c = (unsigned char)*p;
	return p + (n ? n : 1);
}

const char *ims_unicode_cluster(const char *p)
{
	uint32_t before, c;
	int32_t state = 0;
	p = ims_unicode_next(p, &before);
	for (const char *next; *p; p = next, before = c) {
		next = ims_unicode_next(p, &c);
		if (breaks((int32_t)before, (int32_t)c, &state))
			break;
	}
	return p;
}

void ims_unicode_put(buf *out, uint32_t c)
{
	char text[4];
	ims_buf_put(out, text, ims_utf8_write(c, text));
}

/* ------------------------------------------------------------------------------------ case ---- */

/* Letters with case, and what else has it: Roman numbers, letters in circles, the ordinals. */
static bool is_cased(uint32_t c)
{
	int k = category_of((int32_t)c);
	return k == CATEGORY_LU || k == CATEGORY_LL || k == CATEGORY_LT || c == 0xaa || c == 0xba
		|| to_lower((int32_t)c) != (int32_t)c || to_upper((int32_t)c) != (int32_t)c;
}

/* What stands within a word without being a letter of it. */
static bool is_ignored(uint32_t c)
{
	static const uint32_t also[] = { '\'', '.', ':', 0xb7, 0x387, 0x55f, 0x5f4, 0x2018, 0x2019,
		0x2024, 0x2027, 0xfe13, 0xfe52, 0xfe55, 0xff07, 0xff0e, 0xff1a };
	for (size_t i = 0; i < sizeof also / sizeof *also; i++)
		if (c == also[i])
			return true;
	int k = category_of((int32_t)c);
	return (k >= CATEGORY_MN && k <= CATEGORY_ME && k != CATEGORY_MN + 1) || k == CATEGORY_CF
		|| k == CATEGORY_LM || k == CATEGORY_SK;
}

static bool is_followed(const char *p)
{
	uint32_t c;
	while (*p) {
		p = ims_unicode_next(p, &c);
		if (!is_ignored(c))
			return is_cased(c);
	}
	return false;
}

static void lower(buf *out, const char *text, bool ends)
{
	enum { DOTTED_I = 0x130, DOT_ABOVE = 0x307, SIGMA = 0x3a3, FINAL_SIGMA = 0x3c2 };
	bool within = false; /* behind a cased letter of the same word */
	uint32_t c;
	while (*text) {
		text = ims_unicode_next(text, &c);
		if (ends && c == SIGMA && within && !is_followed(text)) {
			ims_unicode_put(out, FINAL_SIGMA);
		} else if (c == DOTTED_I) {
			ims_unicode_put(out, 'i');
			ims_unicode_put(out, DOT_ABOVE);
		} else {
			ims_unicode_put(out, (uint32_t)to_lower((int32_t)c));
		}
		if (!is_ignored(c))
			within = is_cased(c);
	}
	ims_buf_text(out, "%s", "");
}

void ims_unicode_lower(buf *out, const char *text)
{
	lower(out, text, true);
}

void ims_unicode_lower_letters(buf *out, const char *text)
{
	lower(out, text, false);
}

void ims_unicode_upper(buf *out, const char *text)
{
	static const struct {
		uint32_t c;
		const char *upper;
	} several[] = { { 0xdf, "SS" }, { 0x149, "\xca\xbcN" }, { 0xfb00, "FF" }, { 0xfb01, "FI" },
		{ 0xfb02, "FL" }, { 0xfb03, "FFI" }, { 0xfb04, "FFL" } };
	uint32_t c;
	while (*text) {
		text = ims_unicode_next(text, &c);
		size_t i = 0, n = sizeof several / sizeof *several;
		while (i < n && several[i].c != c)
			i++;
		if (i < n)
			ims_buf_text(out, "%s", several[i].upper);
		else
			ims_unicode_put(out, (uint32_t)to_upper((int32_t)c));
	}
	ims_buf_text(out, "%s", "");
}

/* ---------------------------------------------------------------------------- normal forms ---- */

static void normalise(buf *out, const char *text, uint8_t *(*form)(const uint8_t *))
{
	uint8_t *made = form((const uint8_t *)text);
	if (made)
		ims_buf_text(out, "%s", (const char *)made);
	else
		out->failed = true;
	free(made);
}

void ims_unicode_nfc(buf *out, const char *text)
{
	normalise(out, text, to_nfc);
}

void ims_unicode_nfkc(buf *out, const char *text)
{
	normalise(out, text, to_nfkc);
}

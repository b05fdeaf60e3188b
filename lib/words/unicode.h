/*
 * What Unicode says of letters: categories, case, normal forms. libutf8proc knows it, which is
 * loaded when a text first needs it. Any thread.
 */
#ifndef IMS_WORDS_UNICODE_H
#define IMS_WORDS_UNICODE_H

#include "base/buf.h"
#include "imgsearch.h"

#include <stdbool.h>
#include <stdint.h>

/* EUNSUPPORTED: libutf8proc is missing. The functions below may be called once this was 0. */
int ims_unicode_load(imgsearch_error *err);

typedef enum letter_kind {
	LETTER_OTHER,
	LETTER_LETTER, /* \p{L} */
	LETTER_NUMBER, /* \p{N} */
	LETTER_SPACE   /* White_Space */
} letter_kind;

letter_kind ims_unicode_kind(uint32_t c);

static inline bool ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The code point at p of text that ims_utf8_is_valid, and behind it. */
const char *ims_unicode_next(const char *p, uint32_t *c);

/* Behind the extended grapheme cluster (UAX 29) at p, which is not at the end. */
const char *ims_unicode_cluster(const char *p);

void ims_unicode_put(buf *out, uint32_t c); /* as UTF-8 */

/*
 * The text, terminated, in lower or upper case by Unicode's full mappings. lower_letters: letter by
 * letter, so that a sigma at the end of a word is like others.
 */
void ims_unicode_lower(buf *out, const char *text);
void ims_unicode_lower_letters(buf *out, const char *text);
void ims_unicode_upper(buf *out, const char *text);

void ims_unicode_nfc(buf *out, const char *text);
void ims_unicode_nfkc(buf *out, const char *text);

#endif

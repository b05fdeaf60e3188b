/* Full case folding of the letters that have a regular place in Unicode, and of ligatures. */
#include "base/fold.h"

#include "base/utf8.h"

#include <string.h>

text_span ims_span(const char *text)
{
	return (text_span){ text, text + strlen(text) };
}

static uint32_t fold_latin_extended(uint32_t c)
{
	if (c == 0x130)
		return 'i';
	if (c == 0x178)
		return 0xff;
	if (c == 0x17f) /* the long s */
		return 's';
	bool odd_is_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);
	bool upper = odd_is_upper ? c & 1 : !(c & 1);
	bool letter = c != 0x131 && c != 0x138;
	return letter && upper ? c + 1 : c;
}

static uint32_t fold_greek(uint32_t c)
{
	if (c >= 0x391 && c <= 0x3ab && c != 0x3a2)
		return c + 32;
	if (c >= 0x388 && c <= 0x38a)
		return c + 37;
	switch (c) {
	case 0x386:
		return 0x3ac;
	case 0x38c:
		return 0x3cc;
	case 0x38e:
	case 0x38f:
		return c + 63;
	case 0x3c2: /* sigma at the end of a word */
		return 0x3c3;
	default:
		return c;
	}
}

static uint32_t fold(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	if (c < 0x100)
		return c >= 0xc0 && c <= 0xde && c != 0xd7 ? c + 32 : c;
	if (c < 0x180)
		return fold_latin_extended(c);
	if (c >= 0x370 && c < 0x400)
		return fold_greek(c);
	if (c >= 0x400 && c <= 0x42f)
		return c < 0x410 ? c + 80 : c + 32;
	return c;
}

/* What a character becomes that folds to several; "": it folds to one. */
static const char *fold_to_several(uint32_t c)
{
	static const char *const ligature[] = { "ff", "fi", "fl", "ffi", "ffl", "st", "st" };
	if (c == 0xdf || c == 0x1e9e)
		return "ss";
	return c >= 0xfb00 && c <= 0xfb06 ? ligature[c - 0xfb00] : "";
}

/* A text that is read, and what is left of a character of it that folds to several. */
typedef struct folded_text {
	text_span rest;
	const char *several;
} folded_text;

static folded_text folded(text_span text)
{
	return (folded_text){ text, "" };
}

/* The next character, folded; 0: the end. */
static uint32_t next(folded_text *t)
{
	text_span *s = &t->rest;
	uint32_t c = 0;
	if (*t->several)
		return (unsigned char)*t->several++;
	if (s->at >= s->end)
		return 0;
	size_t n = ims_utf8_read(s->at, &c);
	if (!n || n > (size_t)(s->end - s->at)) {
		c = 0xdc00 + (unsigned char)*s->at;
		n = 1;
	}
	s->at += n;
	t->several = fold_to_several(c);
	return *t->several ? next(t) : fold(c);
}

int ims_fold_compare(text_span one, text_span other)
{
	folded_text a = folded(one), b = folded(other);
	for (;;) {
		uint32_t x = next(&a), y = next(&b);
		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			return 0;
	}
}

static bool begins(folded_text text, text_span part)
{
	folded_text p = folded(part);
	for (uint32_t c = next(&p); c; c = next(&p))
		if (next(&text) != c)
			return false;
	return true;
}

bool ims_fold_contains(text_span text, text_span part)
{
	folded_text t = folded(text);
	while (!begins(t, part))
		if (!next(&t))
			return false;
	return true;
}
